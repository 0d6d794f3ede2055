"""A body's format is told from what it looks like."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.guess_format import guess_path


def field(number: int, value: bytes) -> bytes:
    assert len(value) < 128
    return bytes([number << 3 | 2, len(value)]) + value


LOG_RECORD = b"\x09" + struct.pack("<Q", 1_769_868_300_123_456_789) + field(5, field(1, b"paid"))
SPAN = field(1, bytes(range(16))) + field(2, bytes(8)) + field(5, b"GET /cart")


def resources(record: bytes) -> bytes:
    resource = field(1, field(1, field(1, b"service.name")))
    return field(1, resource + field(2, field(1, field(1, b"scope")) + field(2, record)))


BODIES = [
    ({"resourceLogs": []}, "/v1/logs"),
    ({"resourceSpans": []}, "/v1/traces"),
    ({"streams": [{"stream": {}, "values": [["1", "paid"]]}]}, "/loki/api/v1/push"),
    ({"event": "paid", "sourcetype": "_json"}, "/services/collector/event"),
    ({"version": "1.1", "host": "web-1", "short_message": "paid"}, "/gelf"),
    ({"@t": "2026-01-31T14:05:00Z", "@mt": "Paid {Total}"}, "/api/events/raw"),
    ({"Events": []}, "/api/events/raw"),
    ([{"ddsource": "python", "message": "paid"}], "/api/v2/logs"),
    ([{"traceId": "4bf9", "id": "00f0", "name": "get"}], "/api/v2/spans"),
    ({"iKey": "0", "name": "trace", "data": {"baseType": "MessageData"}}, "/v2.1/track"),
    ({"source": "checkout", "message": "paid"}, "/logs/ingest"),
    ({"level": 30, "msg": "paid"}, "generic"),
]


@pytest.mark.parametrize(("body", "path"), BODIES, ids=[path for _, path in BODIES])
def test_json_is_told_by_its_names(body: object, path: str) -> None:
    assert guess_path(json.dumps(body).encode(), "application/json", {}) == path


def test_lines_are_told_by_the_first_ones() -> None:
    bulk = b'{"create":{"_index":"shop"}}\n{"message":"paid"}\n'
    assert guess_path(bulk, "application/x-ndjson", {}) == "/_bulk"
    envelope = b'{"event_id":"9ec7","sent_at":"2026-01-31T14:05:00Z"}\n{"type":"event"}\n{}\n'
    assert guess_path(envelope, "", {}) == "/api/1/envelope/"


def test_protobuf_of_logs_of_spans_and_under_snappy_are_told_apart() -> None:
    assert guess_path(resources(LOG_RECORD), "application/x-protobuf", {}) == "/v1/logs"
    assert guess_path(resources(SPAN), "application/x-protobuf", {}) == "/v1/traces"
    # A snappy block: 21 bytes inside, then a literal of 21 bytes.
    snappy = bytes([21, 20 << 2]) + b"\x0a\x13" + bytes(19)
    assert guess_path(snappy, "application/x-protobuf", {}) == "/loki/api/v1/push"


def test_text_is_told_by_its_priority_and_headers_help() -> None:
    assert guess_path(b"<14>Jan 31 14:05:00 web-1 app: paid", "text/plain", {}) == "syslog"
    assert guess_path(b"41 <14>1 2026-01-31T14:05:00Z web-1 app - - - paid", "", {}) == "syslog"
    assert guess_path(b"paid", "", {"authorization": "Splunk x"}) == "/services/collector/raw"
    assert guess_path(b'{"message":"paid"}', "", {"dd-api-key": "x"}) == "/api/v2/logs"
    assert guess_path(b"", "", {}) == "generic"


@given(st.binary(max_size=200), st.sampled_from(["", "application/x-protobuf"]))
def test_any_bytes_have_a_guess(body: bytes, content_type: str) -> None:
    assert guess_path(body, content_type, {})
