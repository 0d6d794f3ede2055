"""Syslog messages as RFC 5424, RFC 3164 and less careful senders write them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import LogRecord, Reject, to_unix_nano
from logstream.ports import Arrival
from logstream.receive.native_values import Defaults
from logstream.receive.syslog import decode, record_or_reject
from tests.records import NOON

DEFAULTS = Defaults(NOON, "production", "UTC")


def read(message: bytes, zone: str = "UTC") -> tuple[LogRecord, dict[str, object]]:
    record = record_or_reject(message, Defaults(NOON, "production", zone), sender="10.0.0.9")
    assert isinstance(record, LogRecord)
    return record, json.loads(record.attributes)


def test_rfc_5424_with_structured_data_and_a_byte_order_mark() -> None:
    record, attributes = read(
        b'<165>1 2026-03-01T11:59:00.003123Z web1 checkout 77 ID47 [order@32473 id="4\\"2" '
        b'item="a" item="b"][t trace_id="0af7651916cd43dd8448eb211c80319c"] '
        b"\xef\xbb\xbfpaid \xc3\xbc"
    )
    assert record.body == "paid ü"
    assert record.service_name == "checkout"
    assert record.timestamp_unix_nano == NOON - 90 * 10**9 + 3_123_000
    assert (record.severity_number, record.severity_text) == (9, "notice")
    assert record.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert attributes == {
        "host.name": "web1",
        "process.pid": 77,
        "syslog.msgid": "ID47",
        "order@32473.id": '4"2',
        "order@32473.item": ["a", "b"],
        "syslog.facility": "local4",
    }


def test_rfc_3164_takes_the_year_from_the_moment_of_receipt() -> None:
    record, attributes = read(b"<11>Dec 31 23:59:58 web1 sshd[33]: session closed\n")
    assert record.timestamp_unix_nano == to_unix_nano(
        datetime(2025, 12, 31, 23, 59, 58, tzinfo=UTC)
    )
    assert (record.service_name, record.body, record.severity_number) == (
        *("sshd", "session closed"),
        17,
    )
    assert attributes == {"host.name": "web1", "process.pid": 33, "syslog.facility": "user"}


def test_a_time_without_a_zone_is_in_the_zone_of_the_setting() -> None:
    in_berlin, _ = read(b"<11>Mar  1 12:00:00 web1 app: x", "Europe/Berlin")
    in_utc, _ = read(b"<11>Mar  1 11:00:00 web1 app: x")
    assert in_berlin.timestamp_unix_nano == in_utc.timestamp_unix_nano


def test_a_header_without_a_host_still_gives_time_and_service() -> None:
    record, attributes = read(b"<13>Mar  1 12:00:00 checkout: paid")
    assert (record.service_name, record.body) == ("checkout", "paid")
    assert record.timestamp_unix_nano == NOON - 30 * 10**9
    assert attributes["client.address"] == "10.0.0.9"


@pytest.mark.parametrize(
    ("message", "service"),
    [
        (b"<14>shop.payment: order paid", "shop.payment"),
        (b"<14>PaymentService: order paid", "PaymentService"),
        (b"<14>ValueError: no such order", "unknown_service"),
        (b"<14>error: no such order", "unknown_service"),
        (b"<14>Usage: pay ORDER", "unknown_service"),
        (b"<14>order paid: 42", "unknown_service"),
    ],
)
def test_a_bare_message_is_kept_byte_for_byte_and_may_name_its_service(
    message: bytes, service: str
) -> None:
    record, _ = read(message + b"\x00")
    assert record.body == message[4:].decode()
    assert record.service_name == service
    assert record.timestamp_unix_nano == NOON


def test_a_tag_with_a_process_id_is_taken_off_a_bare_message() -> None:
    record, attributes = read(b"<14>checkout[33]: order paid")
    assert (record.service_name, record.body) == ("checkout", "order paid")
    assert attributes["process.pid"] == 33


def test_a_stack_trace_stays_in_its_message() -> None:
    text = 'checkout failed\nTraceback (most recent call last):\n  File "a.py"\nKeyError: 1'
    record, _ = read(f"<11>{text}".encode() + b"\x00")
    assert (record.body, record.severity_number) == (text, 17)


def test_the_priority_wins_over_words_in_the_message() -> None:
    assert read(b"<14>ERROR is only a word here")[0].severity_number == 9


def test_the_level_in_a_json_message_wins_over_the_priority() -> None:
    for message in (
        b'<14>@cee: {"message": "order shipped", "level": "error", "items": 3}',
        b'<14>Mar  1 12:00:00 web1 app: {"message": "order shipped", "level": "error", "items": 3}',
    ):
        record, attributes = read(message)
        assert (record.body, record.severity_number) == ("order shipped", 17)
        assert attributes["items"] == 3
    assert read(b'<14>{"not": json')[0].body == '{"not": json'


def test_what_has_no_valid_priority_is_text() -> None:
    for message in (b"<999>hello", b"<14 hello", b"hello there"):
        record, _ = read(message)
        assert record.body == message.decode()
        assert record.severity_number == 9


def test_invalid_utf_8_and_nul_are_replaced() -> None:
    assert read(b"<14>caf\xe9 \x00 here")[0].body == "caf\ufffd \ufffd here"


@pytest.mark.parametrize("message", [b"", b"\x00", b"\n\r\n", b"  \x00"])
def test_only_an_empty_message_is_rejected(message: bytes) -> None:
    outcome = record_or_reject(message, DEFAULTS, 4)
    assert isinstance(outcome, Reject)
    assert (outcome.index, outcome.reason) == (4, "empty")


def test_a_body_of_several_messages_is_decoded_with_origins() -> None:
    body = b"<14>Mar  1 12:00:00 web1 app: one\n<11>two\n  continued\x00<12>three"
    outcome = decode(Arrival(body, NOON, "production", wants_origins=True))
    assert [record.body for record in outcome.records] == ["one", "two\n  continued", "three"]
    assert outcome.origins[0]["service_name"] == "the tag"
    with pytest.raises(DecodeError):
        decode(Arrival(b"\x00", NOON, "production"))


@given(
    st.binary(max_size=200)
    | st.builds(
        bytes.__add__, st.just(b"<14>1 2026-03-01T00:00:00Z a b c d "), st.binary(max_size=80)
    )
    | st.builds(bytes.__add__, st.just(b"<14>Mar  1 00:00:00 "), st.binary(max_size=80))
    | st.builds(bytes.__add__, st.just(b"<14>{"), st.binary(max_size=80))
)
def test_any_bytes_become_a_record_that_can_be_stored(message: bytes) -> None:
    outcome = record_or_reject(message, DEFAULTS)
    if isinstance(outcome, LogRecord):
        assert "\x00" not in outcome.body + outcome.service_name
        outcome.body.encode()
        json.loads(outcome.attributes)
    else:
        assert outcome.reason == "empty"
