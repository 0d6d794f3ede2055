"""GELF objects, in the shapes pygelf, graypy, graylog2 and gelf-pro send."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.gelf import decode
from tests.records import NOON

TRACE = "Traceback (most recent call last):\n  File \"a.py\", line 7, in pay\nKeyError: 'iban'"


def decoded(body: bytes, **fields: object) -> Decoded:
    return decode(Arrival(body, NOON, "production", **fields))  # type: ignore[arg-type]


def one(**fields: object) -> tuple[LogRecord, dict[str, object]]:
    message = {"version": "1.1", "host": "web1", "short_message": "payment slow", **fields}
    (record,) = decoded(msgspec.json.encode(message)).records
    return record, json.loads(record.attributes)


def test_a_message_is_mapped_and_its_own_fields_lose_their_underscore() -> None:
    body = (
        b'{"version":"1.1","host":"web1","short_message":"payment slow","level":4,'
        b'"timestamp":1795400909.123456789,"_app":"checkout","_order":184467440737095516150,'
        b'"_trace_id":"0AF7651916CD43DD8448EB211C80319C","_env":"staging"}'
    )
    (record,) = decoded(body).records
    assert record.timestamp_unix_nano == 1795400909123456789
    assert (record.severity_number, record.severity_text) == (13, "warning")
    assert (record.service_name, record.environment) == ("checkout", "staging")
    assert record.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert record.attributes == b'{"order":184467440737095516150,"host.name":"web1"}'


@pytest.mark.parametrize(
    ("level", "number", "word"),
    [
        (0, 21, "emergency"),
        (3, 17, None),
        (5, 9, "notice"),
        ("6", 9, None),
        ("error", 17, None),
        ("loud", 9, "loud"),
    ],
)
def test_levels_are_syslogs_digits_or_words(level: object, number: int, word: str | None) -> None:
    record, _ = one(level=level)
    assert (record.severity_number, record.severity_text) == (number, word)


def test_the_first_name_in_the_documented_order_is_the_service() -> None:
    assert one(_service="a", _app="b", facility="c")[0].service_name == "a"
    assert one(_app="b", facility="c")[0].service_name == "b"
    record, attributes = one(facility="graypy", file="pay.py", line=7)
    assert record.service_name == "graypy"
    assert attributes == {"host.name": "web1", "code.file.path": "pay.py", "code.line.number": 7}
    assert one()[0].service_name == "unknown_service"


def test_a_stack_trace_in_full_message_becomes_exception_attributes() -> None:
    for full in (TRACE, f"payment slow\n{TRACE}"):
        record, attributes = one(full_message=full)
        assert record.body == "payment slow"
        assert attributes["exception.stacktrace"] == TRACE
        assert attributes["exception.type"] == "KeyError"
        assert attributes["exception.message"] == "'iban'"


def test_any_other_full_message_stays_unless_it_is_the_short_one() -> None:
    assert one(full_message="payment slow")[1] == {"host.name": "web1"}
    assert one(full_message="payment slow, 1530 ms")[1]["full_message"] == "payment slow, 1530 ms"


def test_a_stack_trace_in_a_field_of_its_own_is_found() -> None:
    _, attributes = one(_error_stack="Error: boom\n    at pay (/srv/pay.js:13:58)")
    assert attributes["exception.type"] == "Error"
    assert "error_stack" not in attributes


def test_an_object_without_a_message_is_its_own_text() -> None:
    (record,) = decoded(b'{"host":"web1","_order":42}').records
    assert record.body == '{"host":"web1","_order":42}'


def test_a_time_that_is_none_stays_an_attribute() -> None:
    record, attributes = one(timestamp="yesterday")
    assert (record.timestamp_unix_nano, attributes["timestamp"]) == (NOON, "yesterday")


@pytest.mark.parametrize("separator", [b"\n", b"\x00", b"\r\n", b"\x00\n"])
def test_a_bad_message_in_a_bulk_does_not_cost_its_neighbours(separator: bytes) -> None:
    body = separator.join([b'{"short_message":"one"}', b'{"short', b'{"short_message":"two"}'])
    outcome = decoded(body)
    assert [record.body for record in outcome.records] == ["one", "two"]
    assert [reject.index for reject in outcome.rejects] == [1]


def test_a_pretty_printed_object_and_an_array_are_read() -> None:
    assert decoded(b'{\n  "short_message": "one"\n}').records[0].body == "one"
    outcome = decoded(b'[{"short_message": "one"}, {"short_message": "two"}, 3]')
    assert (len(outcome.records), len(outcome.rejects)) == (2, 1)


def test_origins_name_the_fields_when_they_are_wanted() -> None:
    body = b'{"short_message":"one","_app":"shop","level":3}'
    (origins,) = decoded(body, wants_origins=True).origins
    assert origins["service_name"] == "_app"
    assert origins["severity_number"] == "level"
    assert origins["timestamp"] == "time of receipt"


@pytest.mark.parametrize("body", [b"", b"\x00\n", b"hello", b'{"short_message"'])
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decoded(body)


@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        outcome = decoded(body)
    except DecodeError:
        return
    assert len(outcome.records) + len(outcome.rejects) > 0


@given(
    st.dictionaries(
        st.sampled_from(
            ["short_message", "full_message", "timestamp", "level", "host", "_app", "_x"]
        )
        | st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    )
)
def test_any_object_is_kept_and_can_be_stored(message: dict[str, object]) -> None:
    outcome = decoded(json.dumps(message).encode())
    for record in outcome.records:
        assert "\x00" not in record.body + record.service_name
        record.body.encode()
        json.loads(record.attributes)
    assert not outcome.rejects
