import contextlib
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.json_bodies import MAX_REJECT_BYTES
from logstream.receive.json_text import clean_json
from logstream.receive.native_aliases import record_of_usual
from logstream.receive.native_json import decode
from logstream.receive.native_record import record_from_json
from logstream.receive.native_values import Defaults, Refused

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z

FOUNDING = (
    b'{"source":"PaymentService","message":"Database connection timeout","severity":"error",'
    b'"metadata":{"traceId":"ABC123","latency":842},"createdAt":"2026-01-01T00:00:01.25Z"}'
)


def decoded(body: bytes) -> Decoded:
    return decode(Arrival(body, RECEIVED, "production"))


def only(body: bytes) -> LogRecord:
    result = decoded(body)
    assert result.rejects == []
    (record,) = result.records
    return record


def error_of(body: bytes) -> str:
    result = decoded(body)
    assert result.records == []
    (reject,) = result.rejects
    return reject.error


def line(**fields: object) -> bytes:
    return json.dumps({"source": "checkout", "message": "order 7 paid", **fields}).encode()


def test_the_founding_example_is_read_whole() -> None:
    assert only(FOUNDING) == LogRecord(
        timestamp_unix_nano=RECEIVED + 1_250_000_000,
        observed_unix_nano=RECEIVED,
        environment="production",
        service_name="PaymentService",
        severity_number=17,
        body="Database connection timeout",
        trace_id="ABC123",
        duration_ms=842.0,
        attributes=b'{"traceId":"ABC123","latency":842}',
    )


@pytest.mark.parametrize(
    "body",
    [
        b"[" + FOUNDING + b"," + FOUNDING + b"]",
        FOUNDING + b"\n" + FOUNDING + b"\n",
        b"\xef\xbb\xbf" + FOUNDING + b"\r\n\r\n" + FOUNDING + b"\r\n",
        FOUNDING + FOUNDING,
        json.dumps([json.loads(FOUNDING)] * 2, indent=2).encode(),
        (json.dumps(json.loads(FOUNDING), indent=2) * 2).encode(),
        b"[" + FOUNDING + b"]\n[" + FOUNDING + b"]",
    ],
    ids=["array", "lines", "bom-crlf-blank", "back-to-back", "pretty", "pretty-two", "arrays"],
)
def test_every_framing_gives_the_same_records(body: bytes) -> None:
    result = decoded(body)
    assert result.rejects == []
    assert [record.body for record in result.records] == ["Database connection timeout"] * 2
    assert [record.trace_id for record in result.records] == ["ABC123"] * 2


def test_aliases_are_read_and_unknown_fields_kept_as_attributes() -> None:
    record = only(
        b'{"service.name":"cart","msg":"slow","level":40,"@timestamp":1767225601,'
        b'"env":"staging","trace_id":"4BF92F3577B34DA6A3CE929D0E0E4736","duration_ms":"12.5",'
        b'"host":"cart-1","metadata":{"host":"inner"}}'
    )
    assert record.service_name == "cart"
    assert record.body == "slow"
    assert (record.severity_number, record.severity_text) == (13, "40")
    assert record.timestamp_unix_nano == RECEIVED + 1_000_000_000
    assert record.environment == "staging"
    assert record.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert record.duration_ms == 12.5
    assert json.loads(record.attributes) == {
        "host": "inner",
        "field_host": "cart-1",
        "duration_ms": "12.5",
    }


def test_a_second_alias_is_not_lost() -> None:
    record = only(line(service="other"))
    assert record.service_name == "checkout"
    assert json.loads(record.attributes) == {"service": "other"}


def test_clean_metadata_is_kept_byte_for_byte() -> None:
    metadata = b'{ "price" : 1.10, "big":123456789012345678901234567890,"a":1,"a":2 }'
    assert only(b'{"source":"s","message":"m","metadata":%s}' % metadata).attributes == metadata


@pytest.mark.parametrize(
    "metadata", ['{"environment":"qa"}', '{"deployment.environment.name":"qa"}']
)
def test_an_environment_in_metadata_counts(metadata: str) -> None:
    assert only(line(metadata=json.loads(metadata))).environment == "qa"


@pytest.mark.parametrize(
    ("latency", "expected"),
    [(0, 0.0), (1.5, 1.5), ("20", 20.0), (-1, None), ("fast", None), (True, None), ("nan", None)],
)
def test_only_a_finite_latency_becomes_the_duration(
    latency: object, expected: float | None
) -> None:
    record = only(line(metadata={"latency": latency}))
    assert record.duration_ms == expected
    assert json.loads(record.attributes) == {"latency": latency}


def test_a_latency_beyond_floats_stays_an_attribute() -> None:
    record = only(b'{"source":"s","message":"m","metadata":{"latency":1e400,"traceId":"t1"}}')
    assert record.duration_ms is None
    assert record.trace_id == "t1"
    assert record.attributes == b'{"latency":1e400,"traceId":"t1"}'


@pytest.mark.parametrize(
    "missing", [{}, {"createdAt": None}, {"severity": None}, {"metadata": None}]
)
def test_missing_and_null_fields_take_their_defaults(missing: dict[str, None]) -> None:
    record = only(line(**missing))
    assert record.timestamp_unix_nano == RECEIVED
    assert record.severity_number == 9
    assert record.attributes == b"{}"
    assert record.environment == "production"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"severity": "loud"},
            "record 0: severity 'loud' is not known; use trace, debug, info, warn, error or fatal",
        ),
        ({"severity": 99}, "record 0: severity '99' is not known; use "),
        ({"severity_number": 25}, "record 0: severity_number '25' is not known; use 1 to 24"),
        ({"source": ""}, "record 0: source is empty; send the name of the service"),
        ({"source": "  "}, "record 0: source is empty; send the name of the service"),
        ({"source": None}, "record 0: source is missing; send the name of the service"),
        ({"source": "x" * 201}, "record 0: source has 201 characters; use at most 200"),
        ({"source": 7}, "record 0: source is the number 7; send the name"),
        ({"message": None}, "record 0: message is missing; send the line's text"),
        ({"message": 5}, "record 0: message is the number 5; send text in quotes"),
        ({"message": ["a"]}, "record 0: message is an array; send text in quotes"),
        ({"metadata": [1]}, "record 0: metadata is an array; send an object"),
        ({"metadata": "x"}, "record 0: metadata is text; send an object"),
        ({"environment": 1}, "record 0: environment is the number 1; send text in quotes"),
        ({"environment": "e" * 201}, "record 0: environment has 201 characters; use at most 200"),
        ({"createdAt": "soon"}, "record 0: createdAt 'soon' cannot be read: it is neither ISO"),
        ({"createdAt": True}, "record 0: createdAt 'true' cannot be read"),
        ({"createdAt": "10000-01-01"}, "record 0: createdAt '10000-01-01' cannot be read"),
        ({"createdAt": 1e300}, "record 0: createdAt '1e+300' cannot be read: it is outside"),
    ],
)
def test_a_bad_field_is_named_with_value_and_remedy(fields: dict[str, object], error: str) -> None:
    assert error_of(line(**fields)).startswith(error)


@pytest.mark.parametrize("value", [b"7", b"null", b'"text"', b"true", b"[]"])
def test_an_element_that_is_no_object_costs_no_neighbour(value: bytes) -> None:
    result = decoded(b"[" + FOUNDING + b"," + value + b"," + FOUNDING + b"]")
    assert len(result.records) == 2
    (reject,) = result.rejects
    assert reject.index == 1
    assert "send an object with source and message" in reject.error
    assert reject.raw == value


def test_a_broken_line_costs_no_neighbour() -> None:
    result = decoded(FOUNDING + b'\n{"source":"a","message":\n\n' + FOUNDING)
    assert len(result.records) == 2
    (reject,) = result.rejects
    assert reject.index == 1
    assert reject.error.startswith("record 1: it is not valid JSON (")
    assert reject.raw == b'{"source":"a","message":'


def test_a_broken_first_line_costs_no_neighbour() -> None:
    result = decoded(b"warming up\n" + FOUNDING)
    assert len(result.records) == 1
    assert result.rejects[0].index == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty"),
        (b" \n\x00", "the body is empty"),
        (b"hello", "the body is not valid JSON: Expecting value at line 1, column 1"),
        (b'[{"source":"a"},', "the body is not valid JSON: Expecting value at line 1, column 17"),
        (b'{\n"source": "a"\n', "the body is not valid JSON: Expecting ',' delimiter at line 2"),
        (b"[" * 100_000, "the body is not valid JSON: its array does not end"),
    ],
)
def test_a_body_broken_as_a_whole_says_where(body: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(body)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_an_empty_array_is_no_error() -> None:
    assert decoded(b"[]") == Decoded([], [])


def test_unstorable_characters_become_replacement_characters() -> None:
    record = only(
        b'{"source":"pay\\u0000ment","message":"raw\x00 esc\\u0000 half\\ud83d pair\\ud83d\\ude00 '
        b'bad\xff bell\\u0007 slash\\\\u0000","metadata":{"k\\u0000":"\\udc00"}}'
    )
    assert record.service_name == "pay\ufffdment"
    assert record.body == (
        "raw\ufffd esc\ufffd half\ufffd pair\U0001f600 bad\ufffd bell\x07 slash\\u0000"
    )
    assert json.loads(record.attributes) == {"k\ufffd": "\ufffd"}


def test_raw_control_characters_are_kept() -> None:
    record = only(b'{"source":"a","message":"first\n\tsecond","metadata":{"k":"a\x1bb"}}')
    assert record.body == "first\n\tsecond"
    assert json.loads(record.attributes) == {"k": "a\x1bb"}


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (b"1e131071", True),  # 131,072 digits: the most PostgreSQL's numeric holds
        (b"1e131072", False),
        (b"1e-16383", True),
        (b"1e-16384", False),
        (b"-1.5E+999999", False),
        (b"1e99999999999999999999", False),
        (b"9" * 131_072, True),
        (b"9" * 131_073, False),
        (b"0." + b"1" * 16_383, True),
        (b"0." + b"1" * 16_384, False),
    ],
    ids=lambda value: value[:12].decode() if isinstance(value, bytes) else str(value),
)
def test_a_number_beyond_numeric_becomes_text(number: bytes, kept: bool) -> None:
    record = only(b'{"source":"a","message":"1e999999","metadata":{"n":%s,"id":"0e4736"}}' % number)
    value = number if kept else b'"%s"' % number
    assert record.attributes == b'{"n":%s,"id":"0e4736"}' % value
    assert record.body == "1e999999"


def test_nesting_beyond_the_limit_is_refused_and_its_neighbours_land() -> None:
    def nested(depth: int) -> bytes:
        metadata = b'{"a":' * depth + b"1" + b"}" * depth
        return b'{"source":"a","message":"m","metadata":%s}' % metadata

    assert len(decoded(nested(100)).records) == 1
    for depth in (101, 3_000, 100_000):
        result = decoded(b"[" + FOUNDING + b"," + nested(depth) + b"," + FOUNDING + b"]")
        assert len(result.records) == 2
        (reject,) = result.rejects
        assert reject.error == "record 1: metadata is nested deeper than 100 levels; flatten it"
        assert len(reject.raw) <= MAX_REJECT_BYTES


def test_an_id_too_long_for_a_column_stays_an_attribute() -> None:
    record = only(line(traceId="t" * 129, spanId="s" * 128))
    assert record.trace_id is None
    assert record.span_id == "s" * 128
    assert json.loads(record.attributes) == {"traceId": "t" * 129}


def test_a_ten_megabyte_message_and_a_hundred_thousand_elements_are_read() -> None:
    assert len(only(line(message="x" * 10_000_000)).body) == 10_000_000
    assert len(decoded(b"[" + b",".join([FOUNDING] * 100_000) + b"]").records) == 100_000


def assert_storable(result: Decoded) -> None:
    for record in result.records:
        texts = [
            record.body,
            record.service_name,
            record.environment,
            record.trace_id or "",
            record.span_id or "",
            record.severity_text or "",
        ]
        for text in texts:
            assert "\x00" not in text
            text.encode()
        assert 1 <= record.severity_number <= 24
        attributes = record.attributes.decode()
        assert "\x00" not in attributes
        assert isinstance(json.loads(attributes), dict)
        for value in texts_in(json.loads(attributes)):
            assert "\x00" not in value
            value.encode()
    for reject in result.rejects:
        assert "\x00" not in reject.error
        reject.error.encode()


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    return []


any_text = st.text(st.characters(exclude_categories=()), max_size=20)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
any_record = st.dictionaries(
    st.sampled_from(["source", "message", "severity", "metadata", "createdAt", "environment"])
    | st.sampled_from(["traceId", "spanId", "level", "msg", "time", "severity_number", "latency"])
    | any_text,
    any_json,
    max_size=6,
).map(lambda fields: {"source": "checkout", "message": "order paid"} | fields)


@settings(max_examples=200, deadline=None)
@given(st.lists(any_record, max_size=4))
def test_whatever_json_is_sent_what_lands_can_be_stored(records: list[dict[str, object]]) -> None:
    for body in (json.dumps(records), "\n".join(map(json.dumps, records)) or "[]"):
        result = decoded(body.encode())
        assert_storable(result)
        assert len(result.records) + len(result.rejects) == len(records)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_decode_errors(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert_storable(decoded(body))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_good_bodies_raise_nothing_but_decode_errors(data: st.DataObject) -> None:
    body = bytearray(
        b"[" + FOUNDING + b"]" if data.draw(st.booleans()) else FOUNDING + b"\n" + FOUNDING
    )
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        cut = data.draw(st.integers(0, 3))
        body[place : place + cut] = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b"\\u0000", b"\\ud800", b"1e99999", b'"', b"{"])
        )
        if not body:
            return
    with contextlib.suppress(DecodeError):
        assert_storable(decoded(bytes(body)))


def test_records_and_rejects_survive_a_round_trip() -> None:
    record = only(FOUNDING)
    assert msgspec.json.decode(msgspec.json.encode(record), type=LogRecord) == record


def one_or_error(read: Callable[[], LogRecord | None]) -> LogRecord | str | None:
    try:
        return read()
    except Refused as refused:
        return str(refused)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["service", "msg", "level", "timestamp", "env", "trace_id", "span_id"])
        | st.sampled_from(["@timestamp", "source", "message", "severity", "time", "latency"])
        | st.sampled_from(["duration_ms", "order"])
        | any_text,
        st.sampled_from(["info", "error", "cart", 30, "30", "2026-01-31T14:05:00Z", "8.5"])
        | any_json,
        max_size=6,
    ).map(lambda fields: {"service": "cart", "msg": "order paid"} | fields)
)
def test_the_fast_way_for_usual_names_gives_what_the_long_way_gives(
    fields: dict[str, object],
) -> None:
    piece = clean_json(json.dumps(fields).encode())
    defaults = Defaults(RECEIVED, "production", "UTC")
    slow = one_or_error(lambda: record_from_json(piece, defaults))
    for _ in range(2):  # the second time all names and levels are known
        fast = one_or_error(lambda: record_of_usual(piece, defaults))
        if fast is not None:
            assert fast == slow


def test_usual_names_take_the_fast_way() -> None:
    piece = (
        b'{"timestamp":"2026-01-01T00:00:00.5Z","level":"warn","service":"cart","msg":"late",'
        b'"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","order":7,"duration_ms":8.5}'
    )
    slow = only(piece)
    assert record_of_usual(piece, Defaults(RECEIVED, "production", "UTC")) in (None, slow)
    line = b'{"source":"cart","message":"x","severity":"warn"}'
    assert only(line).service_name == "cart"
    assert record_of_usual(piece, Defaults(RECEIVED, "production", "UTC")) == slow
    assert slow.attributes == b'{"order":7,"duration_ms":8.5}'


@pytest.mark.parametrize(
    ("body", "service", "number", "text"),
    [
        (b'{"level":"warn","message":"slow query took 1530 ms"}', "unknown_service", 13, None),
        (b'{"level":"loud","message":"slow"}', "unknown_service", 9, "loud"),
        (b'{"@timestamp":"2026-01-31T14:05:00Z","message":"slow"}', "unknown_service", 9, None),
        (b'{"msg":"slow","time":1769868300123}', "unknown_service", 9, None),
        (b'{"severity_text":"WARN","body":"slow"}', "unknown_service", 13, None),
        (b'{"@mt":"slow","@l":"Warning"}', "unknown_service", 13, "Warning"),
        (b'{"level":40,"app":"cart","msg":"slow"}', "cart", 13, None),
    ],
)
def test_another_loggers_record_without_a_source_lands(
    body: bytes, service: str, number: int, text: str | None
) -> None:
    record = only(body)
    assert record.service_name == service
    assert (record.severity_number, record.severity_text) == (number, text)
    assert record.body.startswith("slow")


def test_the_stack_of_winston_is_the_exceptions() -> None:
    record = only(b'{"level":"error","message":"boom","stack":"Error: boom\\n    at f"}')
    assert json.loads(record.attributes) == {"exception.stacktrace": "Error: boom\n    at f"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":"x"}',
        b'{"message":"x","severity":"error"}',
        b'{"message":"x","level":"error","metadata":{}}',
        b'{"message":"x","createdAt":"2026-01-31T14:05:00Z","level":"info"}',
        b'{"message":"x","user":7}',
    ],
)
def test_our_own_shape_without_a_source_is_refused(body: bytes) -> None:
    assert error_of(body).startswith("record 0: source is missing; send the name of the service")


def test_mapping_parameters_make_the_reading_forgiving() -> None:
    arrival = Arrival(
        b'{"note":"slow","sev":"loud"}',
        RECEIVED,
        "production",
        parameters={"_msg_field": "note", "_severity_field": "sev"},
    )
    (record,) = decode(arrival).records
    assert record.body == "slow"
    assert record.severity_text == "loud"


def test_origins_name_the_fields_when_they_are_wanted() -> None:
    arrival = Arrival(FOUNDING + b'{"level":"warn","msg":"x"}', RECEIVED, "qa", wants_origins=True)
    own, foreign = decode(arrival).origins
    assert own["service_name"] == "source"
    assert own["trace_id"] == "metadata.traceId"
    assert own["duration_ms"] == "metadata.latency"
    assert own["environment"] == "LOGSTREAM_DEFAULT_ENVIRONMENT"
    assert foreign["severity_number"] == "level"
    assert foreign["timestamp"] == "time of receipt"
