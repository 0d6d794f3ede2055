"""The spans of the shop's requests: whole traces, as OpenTelemetry's SDKs would send them."""

from collections import Counter

import msgspec
import pytest

from logstream.model import NANOS_PER_SECOND, Span
from logstream.ports import Arrival
from logstream.receive.otlp_traces import decode
from logstream.simulate.incidents import make_incident
from logstream.simulate.shop import Shop

START = 1_790_000_000 * NANOS_PER_SECOND  # 2026-09-21 14:13:20 UTC


def seconds(count: float) -> int:
    return START + int(count * NANOS_PER_SECOND)


def decoded(spans: list[bytes]) -> list[Span]:
    body = b'{"resourceSpans":[' + b",".join(spans) + b"]}"
    arrival = Arrival(
        body=body,
        received_unix_nano=seconds(100),
        default_environment="production",
        content_type="application/json",
    )
    found = decode(arrival)
    assert not found.rejects
    return found.spans


@pytest.fixture(scope="module")
def spans() -> list[Span]:
    """The spans that end in 60 s at 200 lines a second."""
    return decoded(Shop(11, START, 200, is_steady=True).spans_until(seconds(60)))


def test_lines_and_spans_are_the_same_however_often_asked() -> None:
    at_once, in_steps = (Shop(5, START, 100, is_steady=True) for _ in range(2))
    lines, spans = at_once.lines_until(seconds(10)), at_once.spans_until(seconds(10))
    lines_in_steps, spans_in_steps = [], []
    for tenth in range(1, 101):
        spans_in_steps += in_steps.spans_until(seconds(tenth / 10))
        lines_in_steps += in_steps.lines_until(seconds(tenth / 10))
    assert lines_in_steps == lines
    assert spans_in_steps == spans


def test_every_span_lies_in_its_parent(spans: list[Span]) -> None:
    by_id = {span.span_id: span for span in spans}
    checked = 0
    for span in spans:
        # The parent of a request under way at the end has not ended.
        if span.parent_span_id is None or span.start_unix_nano > seconds(25):
            continue
        parent = by_id[span.parent_span_id]
        assert parent.trace_id == span.trace_id
        assert parent.start_unix_nano <= span.start_unix_nano
        end = span.start_unix_nano + span.duration_nano
        assert end <= parent.start_unix_nano + parent.duration_nano
        checked += 1
    assert checked > 1_000


def test_a_call_has_a_clients_and_a_servers_span(spans: list[Span]) -> None:
    by_id = {span.span_id: span for span in spans}
    served = [span for span in spans if span.kind == "server" and span.parent_span_id in by_id]
    assert len(served) > 500
    for span in served:
        caller = by_id[span.parent_span_id or ""]
        assert caller.kind == "client"
        assert caller.service_name != span.service_name
        assert msgspec.json.decode(caller.attributes)["server.address"] == span.service_name


def test_a_database_is_told_of_by_its_callers_alone(spans: list[Span]) -> None:
    assert "orders-db" not in {span.service_name for span in spans}
    statements = Counter(
        span.name for span in spans if b'"db.system.name":"postgresql"' in span.attributes
    )
    assert statements["INSERT orders"] > 20
    assert statements["SELECT orders"] > 10


def test_a_message_links_two_traces(spans: list[Span]) -> None:
    producers = {span.span_id: span for span in spans if span.kind == "producer"}
    consumers = [span for span in spans if span.kind == "consumer"]
    assert len(consumers) > 20
    for span in consumers:
        assert span.parent_span_id is None
        [link] = msgspec.json.decode(span.links)
        producer = producers[link["spanId"]]
        assert producer.trace_id == link["traceId"] != span.trace_id
        assert producer.start_unix_nano < span.start_unix_nano


def test_a_span_that_threw_tells_the_exception(spans: list[Span]) -> None:
    events = [event for span in spans for event in msgspec.json.decode(span.events)]
    assert len(events) > 20
    for event in events:
        attributes = event["attributes"]
        assert event["name"] == "exception"
        assert attributes["exception.type"] in attributes["exception.stacktrace"]
        assert not attributes["exception.message"].startswith("Traceback")
    assert any(span.status == "error" and span.events != b"[]" for span in spans)


def test_log_lines_name_the_spans_that_wrote_them() -> None:
    shop = Shop(11, START, 200, is_steady=True)
    lines = shop.lines_until(seconds(40))
    ids = {span.span_id for span in decoded(shop.spans_until(seconds(40)))}
    named = [
        line["metadata"]["spanId"] in ids
        for line in lines
        if "latency" in line["metadata"] and line["source"] != "orders-db"
    ]
    assert len(named) > 2_000
    assert all(named)


def test_a_silent_service_sends_no_spans_either() -> None:
    silent = make_incident("silent-service", seconds(5), 20)
    shop = Shop(11, START, 200, incidents=[silent], is_steady=True)
    services = Counter(span.service_name for span in decoded(shop.spans_until(seconds(24))))
    ends = [
        span.start_unix_nano + span.duration_nano
        for span in decoded(shop.spans_until(seconds(60)))
        if span.service_name == "notification"
    ]
    assert services["checkout"] > 50
    assert ends
    assert min(ends) >= seconds(25)
