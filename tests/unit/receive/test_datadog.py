import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.datadog import decode
from tests.unit.receive.storable import assert_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def decoded(body: bytes, content_type: str = "application/json", **parameters: str) -> Decoded:
    return decode(
        Arrival(
            body,
            RECEIVED,
            "production",
            content_type=content_type,
            path="/api/v2/logs",
            parameters=parameters,
        )
    )


def only(entry: object, **parameters: str) -> LogRecord:
    result = decoded(json.dumps([entry]).encode(), **parameters)
    assert result.rejects == []
    (record,) = result.records
    return record


def attributes(record: LogRecord) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(record.attributes)
    return loaded


def test_an_entry_is_read_whole() -> None:
    record = only(
        {
            "message": "order 7 failed",
            "status": "error",
            "service": "checkout",
            "hostname": "web-1",
            "ddsource": "python",
            "ddtags": "env:staging,version:1.4,team:a",
            "timestamp": 1767225601123,
            "dd.trace_id": "1234567890123456789",
            "dd.span_id": "987654321",
            "error.stack": "Traceback …",
            "error.kind": "ValueError",
            "error.message": "no",
            "region": "eu",
        }
    )
    assert record.body == "order 7 failed"
    assert record.severity_number == 17
    assert (record.service_name, record.environment) == ("checkout", "staging")
    assert record.timestamp_unix_nano == RECEIVED + 1_123_000_000
    assert (record.trace_id, record.span_id) == ("1234567890123456789", "987654321")
    assert attributes(record) == {
        "ddsource": "python",
        "ddtags": "env:staging,version:1.4,team:a",
        "region": "eu",
        "host.name": "web-1",
        "service.version": "1.4",
        "exception.stacktrace": "Traceback …",
        "exception.type": "ValueError",
        "exception.message": "no",
    }


def test_correlation_and_errors_may_be_nested() -> None:
    record = only(
        {
            "message": "x",
            "dd": {"trace_id": TRACE, "span_id": "0", "service": "cart", "env": "qa", "version": 2},
            "error": {"stack": "at f", "kind": "TypeError", "code": 7},
        }
    )
    assert (record.trace_id, record.span_id) == (TRACE, None)
    assert (record.service_name, record.environment) == ("cart", "qa")
    found = attributes(record)
    assert found["service.version"] == "2"
    assert found["exception.type"] == "TypeError"
    assert found["error"] == {"code": 7}


def test_the_query_says_what_an_entry_does_not() -> None:
    said = {"service": "cart", "ddsource": "nodejs", "hostname": "h", "ddtags": "env:qa"}
    record = only({"message": "x"}, **said)
    assert (record.service_name, record.environment) == ("cart", "qa")
    assert attributes(record) == {"ddsource": "nodejs", "ddtags": "env:qa", "host.name": "h"}
    assert only({"message": "x", "service": "own"}, **said).service_name == "own"


@pytest.mark.parametrize("is_text", [True, False])
def test_a_message_that_is_a_loggers_object_is_read_too(is_text: bool) -> None:
    inner = {"level": "error", "msg": "paid", "time": "2026-01-01T00:00:02.123456Z", "order": 7}
    record = only(
        {
            "message": json.dumps(inner) if is_text else inner,
            "status": "info",
            "service": "checkout",
            "timestamp": 1767225601000,
        }
    )
    assert record.body == "paid"
    assert record.severity_number == 17
    assert record.service_name == "checkout"
    assert record.timestamp_unix_nano == RECEIVED + 2_123_456_000
    assert attributes(record)["order"] == 7


@pytest.mark.parametrize(
    "body", [b'{"message":"a"}', b'{"message":"a"}\n{"message":"a"}', b'["a",{"message":"a"}]']
)
def test_objects_lines_and_arrays_are_read(body: bytes) -> None:
    assert {record.body for record in decoded(body).records} == {"a"}


def test_lines_of_text_are_a_record_each() -> None:
    result = decoded(b'one\r\n\n{"message":"two","service":"s"}\n{oops\n', "text/plain")
    assert [record.body for record in result.records] == ["one", "two", "{oops"]
    assert result.records[1].service_name == "s"


def test_one_bad_entry_never_costs_its_neighbours() -> None:
    result = decoded(b'[{"message":"a"},7,{"message":"c"}]')
    assert [record.body for record in result.records] == ["a", "c"]
    assert [reject.index for reject in result.rejects] == [1]


def test_a_long_entry_is_kept_whole() -> None:
    assert len(only({"message": "x" * 2_000_000}).body) == 2_000_000


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(DecodeError):
        decoded(b"")


def test_origins_are_given_when_asked_for() -> None:
    body = b'[{"message":"a","service":"s","status":"warn"}]'
    (origins,) = decode(Arrival(body, RECEIVED, "production", wants_origins=True)).origins
    assert origins["service_name"] == "service"
    assert origins["severity_number"] == "status"


@given(st.binary() | st.text().map(str.encode), st.sampled_from(("text/plain", "")))
def test_any_bytes_are_records_rejects_or_one_error(body: bytes, content_type: str) -> None:
    with contextlib.suppress(DecodeError):
        assert_storable(decoded(body, content_type, service="a\x00b"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_FIELDS = st.sampled_from(
    ("message", "status", "service", "ddtags", "timestamp", "dd", "dd.trace_id", "error", "a")
)


@given(st.dictionaries(_FIELDS, _JSON))
def test_any_entry_is_kept_storable(entry: dict[str, object]) -> None:
    result = decoded(json.dumps(entry).encode())
    assert_storable(result)
    assert result.rejects == []
