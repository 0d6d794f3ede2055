"""What is masked before it is stored, and what is not."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import SettingsError
from logstream.model import Decoded, LogRecord, Reject, Span
from logstream.receive.redaction import Redaction

EVERYTHING = Redaction.parse("email,card,bearer")
assert EVERYTHING is not None


def masked(text: str, patterns: str = "email,card,bearer") -> str:
    redaction = Redaction.parse(patterns)
    assert redaction is not None
    return redaction.text(text, {})


def a_record(body: str = "hello", attributes: bytes = b"{}") -> LogRecord:
    return LogRecord(
        timestamp_unix_nano=1,
        observed_unix_nano=1,
        environment="prod",
        service_name="checkout",
        severity_number=9,
        body=body,
        attributes=attributes,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to bob@example.com.", "to [redacted:email]."),
        ("<a.b+c@mail.example.co.uk>", "<[redacted:email]>"),
        ("jürgen@example.de", "[redacted:email]"),
        ("user@host and a@b are no addresses", "user@host and a@b are no addresses"),
        ("card 4111111111111111 ok", "card [redacted:card] ok"),
        ("4111 1111 1111 1111 12/27", "[redacted:card] 12/27"),
        ("5500-0000-0000-0004", "[redacted:card]"),
        ("3782 822463 10005", "[redacted:card]"),
        ("4111111111111112 fails the check", "4111111111111112 fails the check"),
        ("order 1234567890123456", "order 1234567890123456"),
        ("id ab4111111111111111", "id ab4111111111111111"),
        ("Authorization: Bearer abc.def-123==", "Authorization: Bearer [redacted:bearer]"),
        ("basic dXNlcjpwYXNz", "basic [redacted:bearer]"),
        (f"key ls_abcdefgh_{'x' * 33}", "key [redacted:bearer]"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "[redacted:bearer]"),
        ("the bearer of news", "the bearer of news"),
    ],
)
def test_the_built_in_patterns_find_what_they_are_for(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_patterns_of_ones_own_may_hold_commas_and_have_names() -> None:
    assert masked("a,b 17", r"/a,b/ , number=/\d+/") == "[redacted:custom] [redacted:number]"
    assert Redaction.parse("") is None
    assert Redaction.parse(" ") is None


@pytest.mark.parametrize("text", ["phone", "/(/", "/x*/", "email,,card", "email,/open", "=/x/"])
def test_a_pattern_that_cannot_be_meant_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Redaction.parse(text)
    assert "LOGSTREAM_REDACT" in refused.value.one_line()
    assert "\n" not in refused.value.one_line()


def test_a_record_says_what_was_masked_and_others_stay_the_same_object() -> None:
    untouched = a_record("nothing", b'{"a": "\\u00e9"}')
    attributes = b'{"to":["x\\u0040example.com",{"bob@example.com":1}],"n":4111111111111111}'
    decoded = EVERYTHING.apply(Decoded([untouched, a_record("hello", attributes)]))
    assert decoded.records[0] is untouched
    assert json.loads(decoded.records[1].attributes) == {
        "to": ["[redacted:email]", {"[redacted:email]": 1}],
        "n": 4111111111111111,
        "logstream.redacted": ["email"],
    }


def test_spans_and_rejects_are_masked_too() -> None:
    span = Span(
        trace_id="1",
        span_id="2",
        environment="prod",
        service_name="checkout",
        name="mail bob@example.com",
        start_unix_nano=1,
        duration_nano=1,
        observed_unix_nano=1,
        events=b'[{"name":"sent to bob@example.com"}]',
    )
    reject = Reject(0, "'bob@example.com' is no time", b"\xff bob@example.com")
    decoded = EVERYTHING.apply(Decoded([], [reject], [span]))
    assert decoded.spans[0].name == "mail [redacted:email]"
    assert b"bob" not in decoded.spans[0].events
    assert decoded.spans[0].attributes == b'{"logstream.redacted":["email"]}'
    assert decoded.rejects[0].raw == b"\xff [redacted:email]"
    assert "bob" not in decoded.rejects[0].error


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.emails(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _values), st.booleans())
def test_attributes_stay_json_whatever_they_hold(value: dict[str, object], is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "replace")
    [record] = EVERYTHING.apply(Decoded([a_record("", text)])).records
    msgspec.json.decode(record.attributes)
    if record.attributes is text:
        assert json.loads(record.attributes) == json.loads(text)
