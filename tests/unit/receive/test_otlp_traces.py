"""OTLP traces in both encodings: the mapping to spans and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, Span
from logstream.ports import Arrival
from logstream.receive import otlp_traces
from tests.otlp_requests import NANO, RECEIVED, SPAN, TRACE, Encoding, arrival, encoded, traces

PARENT = "1111111111111111"
IDS = {"trace_id": TRACE, "span_id": SPAN}
BOTH = pytest.mark.parametrize("encoding", ["protobuf", "json"])


def decoded(request: Any, encoding: Encoding) -> Decoded:
    return otlp_traces.decode(arrival(encoded(request, encoding), encoding))


def only(fields: dict[str, Any], encoding: Encoding, **more: Any) -> Span:
    result = decoded(traces({**IDS, **fields}, **more), encoding)
    assert not result.rejects
    (span,) = result.spans
    return span


@BOTH
def test_a_span_is_mapped_field_by_field(encoding: Encoding) -> None:
    span = only(
        {
            "parent_span_id": PARENT,
            "trace_state": "vendor=1",
            "name": "SELECT orders",
            "kind": 3,
            "start_time_unix_nano": NANO,
            "end_time_unix_nano": NANO + 1_530_000_001,
            "attributes": {"db.system": "postgresql"},
            "dropped_attributes_count": 1,
            "events": [
                {"name": "cache miss", "time_unix_nano": NANO + 7, "attributes": {"key": "a"}},
                {"name": "retry", "time_unix_nano": NANO + 8, "dropped_attributes_count": 2},
            ],
            "dropped_events_count": 3,
            "links": [
                {"trace_id": TRACE, "span_id": PARENT, "trace_state": "a=b", "flags": 1},
            ],
            "dropped_links_count": 4,
            "status": {"code": 2, "message": "timeout"},
            "flags": 257,
        },
        encoding,
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=SPAN,
        parent_span_id=PARENT,
        environment="lab",
        service_name="checkout",
        name="SELECT orders",
        kind="client",
        status="error",
        status_message="timeout",
        start_unix_nano=NANO,
        duration_nano=1_530_000_001,
        observed_unix_nano=RECEIVED,
        attributes=span.attributes,
        events=span.events,
        links=span.links,
    )
    assert json.loads(span.attributes) == {
        "db.system": "postgresql",
        "otel.trace_state": "vendor=1",
        "otel.flags": 257,
        "otel.dropped_attributes_count": 1,
        "otel.dropped_events_count": 3,
        "otel.dropped_links_count": 4,
        "host.name": "web-1",
        "otel.scope.name": "shop.http",
    }
    assert json.loads(span.events) == [
        {"name": "cache miss", "timeUnixNano": str(NANO + 7), "attributes": {"key": "a"}},
        {
            "name": "retry",
            "timeUnixNano": str(NANO + 8),
            "attributes": {},
            "droppedAttributesCount": 2,
        },
    ]
    assert json.loads(span.links) == [
        {
            "traceId": TRACE,
            "spanId": PARENT,
            "attributes": {},
            "traceState": "a=b",
            "flags": 1,
        }
    ]


@BOTH
@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0, "internal"),
        (1, "internal"),
        (2, "server"),
        (3, "client"),
        (4, "producer"),
        (5, "consumer"),
    ],
)
def test_a_kind_has_its_word(number: int, word: str, encoding: Encoding) -> None:
    assert only({"kind": number}, encoding).kind == word


@BOTH
@pytest.mark.parametrize(("code", "word"), [(0, "unset"), (1, "ok"), (2, "error")])
def test_a_status_has_its_word(code: int, word: str, encoding: Encoding) -> None:
    span = only({"status": {"code": code}}, encoding)
    assert (span.status, span.status_message) == (word, None)


@BOTH
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NANO, NANO + 5, (NANO, 5)),
        (NANO, NANO - 5, (NANO, -5)),
        (NANO, 0, (NANO, 0)),
        (0, NANO, (NANO, 0)),
        (0, 0, (RECEIVED, 0)),
        (1, 2**64 - 1, (1, 2**64 - 2)),
    ],
)
def test_a_span_may_end_before_it_starts_and_lack_a_time(
    start: int, end: int, expected: tuple[int, int], encoding: Encoding
) -> None:
    span = only({"start_time_unix_nano": start, "end_time_unix_nano": end}, encoding)
    assert (span.start_unix_nano, span.duration_nano) == expected


@BOTH
@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ({"span_id": SPAN}, "traceId is missing or all zeros; send 16 bytes"),
        ({"trace_id": "00" * 16, "span_id": SPAN}, "traceId is missing or all zeros"),
        ({"trace_id": "abcd", "span_id": SPAN}, "traceId 'abcd' is not an id; send 16 bytes"),
        ({"trace_id": TRACE}, "spanId is missing or all zeros; send 8 bytes"),
        ({"trace_id": TRACE, "span_id": TRACE}, f"spanId '{TRACE}' is not an id; send 8 bytes"),
    ],
)
def test_a_span_without_its_ids_is_refused_and_its_neighbour_kept(
    ids: dict[str, str], error: str, encoding: Encoding
) -> None:
    result = decoded(traces({**IDS, "name": "good"}, {**ids, "name": "bad"}), encoding)
    assert [span.name for span in result.spans] == ["good"]
    (reject,) = result.rejects
    assert reject.index == 1
    assert reject.error.startswith(f"span 1: {error}")
    # What is kept of it is a request of its own, resource included.
    again = otlp_traces.decode(Arrival(reject.raw, RECEIVED, "production"))
    assert again.rejects[0].error.startswith(f"span 0: {error}")


@BOTH
def test_a_malformed_parent_stays_an_attribute(encoding: Encoding) -> None:
    span = only({"parent_span_id": "abcd"}, encoding)
    assert span.parent_span_id is None
    assert json.loads(span.attributes)["parent_span_id"] == "abcd"


@BOTH
def test_text_is_storable_wherever_it_stands(encoding: Encoding) -> None:
    span = only(
        {
            "name": "a\x00",
            "status": {"code": 2, "message": "b\x00"},
            "events": [{"name": "c\x00", "attributes": {"d\x00": "e\x00"}}],
        },
        encoding,
    )
    assert (span.name, span.status_message) == ("a\ufffd", "b\ufffd")
    (event,) = json.loads(span.events)
    assert (event["name"], event["attributes"]) == ("c\ufffd", {"d\ufffd": "e\ufffd"})


def test_enums_are_also_read_by_their_names_in_json() -> None:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "kind": "SPAN_KIND_SERVER",
        "status": {"code": "STATUS_CODE_OK"},
    }
    body = json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).encode()
    (read,) = otlp_traces.decode(arrival(body, "json")).spans
    assert (read.kind, read.status) == ("server", "ok")


def test_numbers_of_no_known_kind_or_status_are_kept() -> None:
    span = {"traceId": TRACE, "spanId": SPAN, "kind": 9, "status": {"code": 7}}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    (read,) = otlp_traces.decode(arrival(body, "json")).spans
    assert (read.kind, read.status) == ("internal", "unset")
    assert json.loads(read.attributes) == {"otel.kind": 9, "otel.status_code": 7}


@BOTH
def test_origins_say_where_each_field_came_from(encoding: Encoding) -> None:
    request = traces({**IDS, "start_time_unix_nano": NANO}, resource={"env": "qa"})
    (origins,) = otlp_traces.decode(
        arrival(encoded(request, encoding), encoding, wants_origins=True)
    ).span_origins
    assert origins["environment"] == "resource attribute env"
    assert origins["service_name"] == "nothing said"
    assert origins["start_unix_nano"] == "startTimeUnixNano"
    assert set(origins) <= set(Span.__struct_fields__)


@given(st.data(), st.sampled_from(["protobuf", "json"]))
def test_a_changed_request_gives_spans_rejects_or_a_decode_error(
    data: st.DataObject, encoding: Encoding
) -> None:
    whole = traces(
        {
            **IDS,
            "name": "POST /checkout",
            "events": [{"name": "x", "attributes": {"a": [1]}}],
            "links": [IDS],
            "status": {"code": 1},
        }
    )
    body = bytearray(encoded(whole, encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        result = otlp_traces.decode(arrival(bytes(body), encoding, wants_origins=True))
    except DecodeError:
        return
    for span in result.spans:
        assert isinstance(json.loads(span.attributes), dict)
        assert isinstance(json.loads(span.events), list)
        assert isinstance(json.loads(span.links), list)
        for text in (span.name, span.status_message or "", span.trace_id, span.span_id):
            assert "\x00" not in text
            text.encode()


@given(st.binary(max_size=300), st.sampled_from(["protobuf", "json"]))
def test_any_bytes_give_spans_rejects_or_a_decode_error(body: bytes, encoding: Encoding) -> None:
    try:
        otlp_traces.decode(arrival(body, encoding))
    except DecodeError:
        return
