"""Bodies of clients without a format of their own, in the shape in which they send them."""

import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.generic_json import FORM, decode
from logstream.receive.json_text import clean_json

RECEIVED = 1_769_904_000_000_000_000  # 2026-02-01T00:00:00Z


def decoded(body: bytes, kind: str = "", **more: Any) -> Decoded:
    arrival = Arrival(body, RECEIVED, "production", content_type=kind, path="/ingest")
    return decode(msgspec.structs.replace(arrival, **more))


def only(body: bytes, kind: str = "", **more: Any) -> LogRecord:
    result = decoded(body, kind, **more)
    assert result.rejects == []
    (record,) = result.records
    return record


HANDLER_FORM = {
    "name": "shop.pay",
    "msg": "Payment processed for order %s",
    "args": "(42,)",
    "levelname": "WARNING",
    "levelno": "30",
    "exc_info": "None",
    "exc_text": "None",
    "stack_info": "None",
    "created": "1769868300.1234567",
    "process": "812",
}


def test_the_form_of_the_standard_librarys_http_handler_is_one_record() -> None:
    record = only(urlencode(HANDLER_FORM).encode(), FORM)
    assert record.body == "Payment processed for order 42"
    assert (record.severity_number, record.severity_text) == (13, "WARNING")
    assert record.timestamp_unix_nano == 1_769_868_300_123_456_700
    assert json.loads(record.attributes)["process"] == "812"


def test_the_same_form_may_come_in_the_query_of_a_get() -> None:
    form = only(urlencode(HANDLER_FORM).encode(), FORM)
    assert only(b"", parameters=HANDLER_FORM) == form
    beside = {"_environment": "production", "api_key": "secret"}
    assert only(b"", parameters=HANDLER_FORM | beside) == form


def test_a_form_with_an_exception_keeps_its_stack_trace() -> None:
    fields = HANDLER_FORM | {
        "message": "failed",
        "exc_info": "(<class 'shop.PayError'>, PayError('no'), <traceback object at 0x7f>)",
        "exc_text": "Traceback (most recent call last):\nshop.PayError: no",
    }
    record = only(urlencode(fields).encode(), FORM)
    attributes = json.loads(record.attributes)
    assert record.body == "failed"
    assert attributes["exception.stacktrace"].endswith("shop.PayError: no")
    assert attributes["exception.type"] == "PayError"
    assert attributes["exception.message"] == "PayError('no')"


@pytest.mark.parametrize(
    ("message", "args", "body"),
    [
        ("%(user)s paid", "{'user': 'ann'}", "ann paid"),
        ("100 %", "()", "100 %"),
        ("%s and %s", "(1,)", "%s and %s"),
        ("%d", "('x',)", "%d"),
        ("%9999999999d", "(1,)", "%9999999999d"),
        ("%*d", "(9999999999, 1)", "%*d"),
        ("%s", "(<object at 0x7f>,)", "%s"),
        ("%s", "__import__('os')", "%s"),
        ("%s", "(" * 9000, "%s"),
        ("%s", "-" * 9000 + "1", "%s"),
        ("%(a)s" * 1000, "{'a': '" + "x" * 9000 + "'}", "%(a)s" * 1000),
    ],
)
def test_a_message_is_put_together_only_where_that_is_harmless(
    message: str, args: str, body: str
) -> None:
    form = urlencode({"msg": message, "args": args, "levelname": "INFO"}).encode()
    assert only(form, FORM).body == body


def test_msgpack_of_logtail_is_an_array_of_records() -> None:
    body = msgspec.msgpack.encode(
        [
            {
                "dt": "2026-01-31T14:05:00.123456+00:00",
                "level": "error",
                "severity": 4,
                "message": "charge failed",
                "context": {"runtime": {"line": 7}},
                "blob": b"\xff\x00",
                7: float("nan"),
            },
            "plain text",
            5,
        ]
    )
    result = decoded(body, "application/msgpack")
    first, second = result.records
    assert first.body == "charge failed"
    assert first.severity_number == 17  # the word, not logtail's own number
    assert first.timestamp_unix_nano == 1_769_868_300_123_456_000
    assert json.loads(first.attributes)["context"] == {"runtime": {"line": 7}}
    assert json.loads(first.attributes)["blob"] == "\ufffd\ufffd"
    assert json.loads(first.attributes)["7"] == "nan"
    assert second.body == "plain text"
    assert result.rejects[0].error == "record 2: it is the number 5; send an object"


def test_logstash_async_posts_an_array() -> None:
    body = json.dumps(
        [
            {"@timestamp": "2026-01-31T14:05:00.123Z", "level": "INFO", "message": "paid"},
            {"level": "ERROR", "message": "failed", "extra": {"stack_trace": "Traceback…"}},
        ]
    )
    first, second = decoded(body.encode(), "application/json").records
    assert first.body == "paid"
    assert second.severity_number == 17
    assert json.loads(second.attributes) == {"exception.stacktrace": "Traceback…"}


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_lines_of_text_are_records(kind: str) -> None:
    body = b'[warn] slow  \r\n\nplain\r\n{"level":"error","msg":"x"}\n{"half":\n'
    records = decoded(body if kind else b"first\n" + body, kind).records
    assert [record.body for record in records][-4:] == ["[warn] slow  ", "plain", "x", '{"half":']
    assert [record.severity_number for record in records][-4:] == [13, 9, 17, 9]


def test_curl_calls_anything_a_form() -> None:
    assert only(b"order 7 = paid", FORM).body == "order 7 = paid"
    assert only(b'{"msg":"a=b"}', FORM).body == "a=b"


def test_json_in_a_text_body_is_still_json() -> None:
    assert len(decoded(b'[{"msg":"a"},{"msg":"b"}]', "text/plain").records) == 2
    assert only(b'{\n "msg": "a"\n}', "text/plain").body == "a"


def test_one_bad_line_costs_no_neighbour() -> None:
    result = decoded(b'{"msg":"a"}\n{"msg":\n{"msg":"b"}', "application/json")
    assert [record.body for record in result.records] == ["a", "b"]
    assert result.rejects[0].index == 1
    assert result.rejects[0].raw == b'{"msg":'


def test_pino_http_send_wraps_its_records() -> None:
    body = b'{"logs":[{"level":40,"msg":"slow"},{"level":50,"msg":"failed"}]}'
    assert [record.body for record in decoded(body, "application/json").records] == [
        "slow",
        "failed",
    ]
    assert json.loads(only(b'{"logs":[1],"msg":"x"}').attributes) == {"logs": [1]}


def test_axioms_handler_posts_python_records_whose_message_is_in_parts() -> None:
    record = only(
        b'{"msg":"order %s of %s","args":[42,"ann"],"levelno":30,"levelname":"WARNING",'
        b'"created":1769868300.1234567,"exc_info":[null,null,null]}'
    )
    assert record.body == "order 42 of ann"
    assert record.severity_number == 13
    assert json.loads(record.attributes)["msg"] == "order %s of %s"
    assert only(b'{"msg":"%s %s","args":[1],"levelno":30}').body == "%s %s"


def test_an_exception_of_the_http_handler_is_named_though_its_trace_is_only_an_address() -> None:
    exc_info = (
        "(<class 'ZeroDivisionError'>, ZeroDivisionError('by zero'), <traceback object at 0x7>)"
    )
    record = only(urlencode(HANDLER_FORM | {"exc_info": exc_info}).encode(), FORM)
    attributes = json.loads(record.attributes)
    assert attributes["exception.type"] == "ZeroDivisionError"
    assert attributes["exc_info"] == exc_info
    assert "exception.stacktrace" not in attributes


MAPPED = (
    b'{"ev":{"txt":"\\u001b[31mlate\\u001b[0m","at":"2026-01-31T14:05:00Z"},"a":"cart","lv":"warn"}'
)


@pytest.mark.parametrize(
    "said",
    [
        {
            "parameters": {
                "_msg_field": "nothing, ev.txt",
                "_time_field": "ev.at",
                "_service_field": "a",
                "_severity_field": "lv",
                "extra_fields": "team=pay,dc=ams",
                "decolorize_fields": "ev.txt",
            }
        },
        {
            "headers": {
                "x-msg-field": "ev.txt",
                "vl-time-field": "ev.at",
                "x-service-field": "a",
                "x-severity-field": "lv",
                "vl-extra-fields": "team=pay,dc=ams",
                "vl-decolorize-fields": "ev.txt",
            }
        },
    ],
)
def test_mapping_parameters_and_headers_name_the_fields(said: dict[str, Any]) -> None:
    record = only(MAPPED, **said)
    assert record.body == "late"
    assert record.timestamp_unix_nano == 1_769_868_300_000_000_000
    assert record.service_name == "cart"
    assert record.severity_number == 13
    assert json.loads(record.attributes) == {"team": "pay", "dc": "ams"}


def test_a_request_may_name_one_service_and_environment() -> None:
    said = {"_service": "cart", "_environment": "qa", "_trace_field": "t", "_span_field": "s"}
    record = only(b'{"msg":"x","service":"other","t":"AB12","s":"s1"}', parameters=said)
    assert (record.service_name, record.environment) == ("cart", "qa")
    assert (record.trace_id, record.span_id) == ("AB12", "s1")
    assert json.loads(record.attributes) == {"service": "other"}


def test_axioms_dataset_is_kept() -> None:
    record = only(b'{"_time":"2026-01-31T14:05:00Z","message":"x"}', path="/v1/datasets/web/ingest")
    assert record.timestamp_unix_nano == 1_769_868_300_000_000_000
    assert json.loads(record.attributes) == {"dataset": "web"}


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", "", "the body is empty"),
        (b" \n", "application/json", "the body is empty"),
        (b"hello", "application/json", "the body is not valid JSON"),
        (b"\xc1", "application/msgpack", "the body is not valid msgpack"),
        (b"a=1" + b"&b=1" * 1001, FORM, "the form has more than 1000 fields"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: bytes, kind: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(body, kind)
    assert caught.value.message.startswith(message)


def assert_storable(result: Decoded) -> None:
    for record in result.records:
        for text in (record.body, record.service_name, record.severity_text or ""):
            assert "\x00" not in text
            text.encode()
        assert clean_json(record.attributes) == record.attributes
        assert isinstance(msgspec.json.decode(record.attributes), dict)
    for reject in result.rejects:
        reject.error.encode()


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=120) | st.text(max_size=60).map(str.encode),
    st.sampled_from(["", "text/plain", "application/json", FORM, "application/msgpack"]),
)
def test_any_bytes_give_records_or_a_decode_error(body: bytes, kind: str) -> None:
    with contextlib.suppress(DecodeError):
        assert_storable(decoded(body, kind))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), min_size=1, max_size=5))
def test_any_form_and_any_mapping_give_storable_records(fields: dict[str, str]) -> None:
    body = urlencode({**HANDLER_FORM, **fields}).encode()
    said = {"_msg_field": next(iter(fields)), "extra_fields": ",".join(fields.values())}
    assert_storable(decoded(body, FORM, parameters=said))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=5) | st.integers(0, 9), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_msgpack_gives_storable_records(value: Any) -> None:
    assert_storable(decoded(msgspec.msgpack.encode([value, {"msg": value}]), "application/msgpack"))
