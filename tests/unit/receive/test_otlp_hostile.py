"""OTLP bodies nobody means: any bytes give storable records, rejects or a DecodeError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.receive import otlp_logs
from logstream.receive.json_text import clean_json
from tests.otlp_requests import (
    NANO,
    SPAN,
    TRACE,
    Encoding,
    arrival,
    encoded,
    logs,
)


def from_json(record: str) -> Decoded:
    """What is read of one record's JSON in a request around it."""
    body = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'
    return otlp_logs.decode(arrival(body.encode(), "json"))


@given(st.binary(max_size=300), st.sampled_from(["protobuf", "json"]))
def test_any_bytes_give_records_or_a_decode_error(body: bytes, encoding: Encoding) -> None:
    try:
        result = otlp_logs.decode(arrival(body, encoding))
    except DecodeError:
        return
    for record in result.records:
        assert_storable(record)


WHOLE = logs(
    {
        "time_unix_nano": NANO,
        "severity_number": 9,
        "body": {"message": "paid", "list": [1, 2.5, True, b"x"]},
        "attributes": {"a": "b", "n": {"m": [None]}},
        "trace_id": TRACE,
        "span_id": SPAN,
    },
    {"body": "neighbour"},
)


@given(st.data(), st.sampled_from(["protobuf", "json"]))
def test_a_changed_request_never_fails_otherwise(data: st.DataObject, encoding: Encoding) -> None:
    body = bytearray(encoded(WHOLE, encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    try:
        result = otlp_logs.decode(arrival(bytes(body[:cut]), encoding, wants_origins=True))
    except DecodeError:
        return
    assert len(result.origins) == len(result.records)
    for record in result.records:
        assert_storable(record)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = ("timeUnixNano", "severityNumber", "severityText", "body", "attributes", "traceId")
NAMES += ("spanId", "flags", "eventName", "droppedAttributesCount", "observedTimeUnixNano")


@given(st.dictionaries(st.sampled_from(NAMES), JSON_VALUES))
def test_any_json_in_a_records_fields_is_kept_or_refused_in_words(fields: dict[str, Any]) -> None:
    result = from_json(json.dumps(fields))
    assert len(result.records) + len(result.rejects) == 1
    for record in result.records:
        assert_storable(record)


@pytest.mark.parametrize("depth", [101, 150, 500, 900, 20_000])
@pytest.mark.parametrize("name", NAMES)
def test_a_field_nested_however_deep_never_fails_otherwise(name: str, depth: int) -> None:
    try:
        result = from_json(f'{{"{name}":{"[" * depth + "]" * depth}}}')
    except DecodeError:
        return
    assert len(result.records) + len(result.rejects) == 1


def assert_storable(record: LogRecord) -> None:
    assert 1 <= record.severity_number <= 24
    assert isinstance(json.loads(record.attributes), dict)
    assert clean_json(record.attributes) == record.attributes
    texts = (record.body, record.service_name, record.severity_text, record.trace_id)
    for text in (*texts, record.span_id, record.environment):
        if text is not None:
            assert "\x00" not in text
            text.encode()
