"""Who called whom, by the spans of one trace."""

import json

import msgspec
import pytest

from logstream.model import Span
from logstream.query.service_links import OUTSIDE, linked_elsewhere, service_links
from tests.records import a_span

KAFKA = {"messaging.system": "kafka", "messaging.destination.name": "orders"}


def span(
    span_id: str, service: str, kind: str = "internal", parent: str | None = None, **more: object
) -> Span:
    """One that failed where `failed`; `said` are its attributes, `links` (trace, span) ids."""
    made = a_span(
        span_id,
        parent=parent,
        service=service,
        kind=kind,
        start_ms=float(str(more.get("start", 0))),
        attributes=json.dumps(more.get("said", {})).encode(),
    )
    links = [{"traceId": t, "spanId": s} for t, s in more.get("links", [])]  # type: ignore[attr-defined]
    return msgspec.structs.replace(
        made,
        status="error" if more.get("failed") else "unset",
        links=json.dumps(links).encode(),
    )


def told(*spans: Span) -> list[tuple[str, str, str, bool]]:
    return [
        (link.source, link.target, link.kind, link.is_error) for link in service_links(list(spans))
    ]


def test_the_two_halves_of_a_call_are_one_link_with_the_time_of_the_callee() -> None:
    spans = [
        span("1", "cart", "server"),
        span("2", "cart", "client", "1"),
        a_span("3", parent="2", service="stock", kind="server", start_ms=2, duration_ms=10),
    ]
    assert told(*spans) == [(OUTSIDE, "cart", "call", False), ("cart", "stock", "call", False)]
    link = service_links(spans)[1]
    assert (link.duration_nano, link.start_unix_nano) == (10_000_000, spans[2].start_unix_nano)


def test_halves_with_one_id_are_one_link_too() -> None:
    assert told(
        span("1", "cart", "server"),
        span("2", "cart", "client", "1"),
        span("2", "stock", "server", "1"),
    )[1:] == [("cart", "stock", "call", False)]


@pytest.mark.parametrize("failed", ["client", "server"])
def test_a_failure_of_either_half_is_one_of_the_call(failed: str) -> None:
    assert told(
        span("2", "cart", "client", failed=failed == "client"),
        span("3", "stock", "server", "2", failed=failed == "server"),
    ) == [("cart", "stock", "call", True)]


def test_spans_inside_of_a_service_do_not_part_caller_and_callee() -> None:
    assert told(
        span("1", "cart", "client"),
        span("2", "cart", "internal", "1"),
        span("3", "stock", "server", "2"),
        span("4", "stock", "internal", "3"),
    ) == [("cart", "stock", "call", False)]


def test_a_client_that_only_opened_a_connection_below_still_names_its_peer() -> None:
    assert told(
        span("1", "cart", "client", said={"server.address": "api.stripe.com", "server.port": 443}),
        span("2", "cart", "internal", "1"),
    ) == [("cart", "api.stripe.com", "call", False)]


def test_of_two_clients_around_one_call_the_inner_one_counts() -> None:
    assert told(
        span("1", "cart", "client", said={"peer.service": "S3"}),
        span("2", "cart", "client", "1", said={"server.address": "s3.amazonaws.com"}),
    ) == [("cart", "s3.amazonaws.com", "call", False)]


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ({"db.system.name": "postgresql", "db.namespace": "stock"}, "postgresql/stock"),
        ({"db.system": "mysql", "db.name": "cart"}, "mysql/cart"),
        ({"db.system": "redis", "server.address": "Cache-1"}, "redis/cache-1"),
        ({"db.system": "redis", "server.address": "10.0.0.7"}, "redis"),
        ({"db.system": "redis", "peer.service": "sessions"}, "sessions"),
    ],
)
def test_a_database_is_named_by_its_system_and_its_name(said: object, target: str) -> None:
    assert told(span("1", "stock", "client", said=said)) == [("stock", target, "database", False)]


@pytest.mark.parametrize(
    ("said", "targets"),
    [
        ({"url.full": "https://api.stripe.com:443/v1/charges?a=1"}, ["api.stripe.com"]),
        (
            {"http.url": "http://ledger:8080/entries", "telemetry.sdk.name": "opentelemetry"},
            ["ledger"],
        ),
        # Of Zipkin's senders, as in its own linker.
        ({"http.url": "http://ledger:8080/entries"}, []),
        ({"url.full": "http://[::1/broken"}, []),
        ({"url.full": "/relative"}, []),
    ],
)
def test_a_peer_is_known_by_its_address_or_that_of_the_url(
    said: object, targets: list[str]
) -> None:
    links = service_links([span("1", "cart", "client", said=said)])
    assert [link.target for link in links] == targets


@pytest.mark.parametrize("address", ["10.0.0.7", "::1", "fe80::1", "localhost"])
def test_a_bare_address_names_nobody(address: str) -> None:
    assert told(span("1", "cart", "client", said={"server.address": address})) == []


def test_messages_go_through_what_they_were_put_in() -> None:
    assert told(
        span("1", "cart", "producer", said=KAFKA),
        span("2", "mail", "consumer", "1", said=KAFKA),
        span("3", "books", "consumer", "1", failed=True),
    ) == [
        ("cart", "kafka/orders", "messaging", False),
        ("kafka/orders", "mail", "messaging", False),
        # books does not say where it had it from: from where the producer put it.
        ("kafka/orders", "books", "messaging", True),
    ]


def test_where_nobody_names_the_queue_the_consumer_hears_the_producer() -> None:
    assert told(span("1", "cart", "producer"), span("2", "mail", "consumer", "1")) == [
        ("cart", "mail", "messaging", False)
    ]


def test_a_consumer_finds_its_producers_by_links_here_and_in_other_traces() -> None:
    here = span("a1", "cart", "producer").trace_id
    spans = [
        span("a1", "cart", "producer"),
        span("b1", "mail", "consumer", links=[(here, "A1"), ("ff", "c1"), ("ff", "gone")]),
    ]
    assert linked_elsewhere(spans) == [("ff", "c1"), ("ff", "gone")]
    links = service_links(spans, elsewhere={("ff", "c1"): "refunds"})
    assert [(link.source, link.target) for link in links] == [("cart", "mail"), ("refunds", "mail")]


def test_receiving_and_processing_one_message_is_one_link() -> None:
    receive = {**KAFKA, "messaging.operation.type": "receive"}
    assert told(
        span("1", "mail", "client", said=receive),
        span("2", "mail", "consumer", "1", said=KAFKA),
        span("3", "mail", "client", "2", said={**KAFKA, "messaging.operation.type": "settle"}),
    ) == [("kafka/orders", "mail", "messaging", False)]


def test_a_reply_queue_that_passes_is_no_name() -> None:
    said = {**KAFKA, "messaging.destination.temporary": True}
    assert told(span("1", "cart", "producer", said=said)) == [("cart", "kafka", "messaging", False)]


def test_services_of_which_only_spans_inside_are_known_call_each_other() -> None:
    assert told(
        span("1", "gateway"),
        span("2", "gateway", parent="1"),
        span("3", "orders", parent="2", failed=True),
        span("4", "orders", parent="3"),
    ) == [("gateway", "orders", "call", True)]


def test_a_server_without_a_caller_is_an_entry_unless_it_names_its_client() -> None:
    assert told(span("1", "cart", "server")) == [(OUTSIDE, "cart", "call", False)]
    assert told(span("1", "cart", "server", "gone")) == [(OUTSIDE, "cart", "call", False)]
    assert told(span("1", "cart", "server", said={"peer.service": "shop-app"})) == [
        ("shop-app", "cart", "call", False)
    ]


def test_a_call_whose_parent_is_missing_is_guessed_to_be_of_the_first_service() -> None:
    assert told(
        span("1", "gateway", "server"),
        span("2", "stock", "server", "gone", start=3),
    )[1:] == [("gateway", "stock", "derived", False)]


def test_pieces_of_one_span_sent_apart_are_one_call() -> None:
    pieces = [span("2", "stock", "server", "1", start=n) for n in range(3)]
    other = span("2", "stock", "server", "1", said={"network.local.address": "10.0.0.9"})
    assert told(span("1", "cart", "client"), *pieces, other) == [
        ("cart", "stock", "call", False),
        ("cart", "stock", "call", False),
    ]


def test_attributes_of_any_type_and_links_that_are_none_are_no_reason_to_fail() -> None:
    odd = span("1", "cart", "client", said={"peer.service": 7, "db.system": ["x"]})
    assert told(odd, span("2", "cart", "consumer", links=[(1, None)])) == [
        (OUTSIDE, "cart", "messaging", False)
    ]
