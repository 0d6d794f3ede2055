import contextlib
import json

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import DecodeError, LogStreamError, TooLarge
from logstream.model import Decoded, LogRecord
from logstream.ports import Arrival
from logstream.receive.loki import decode, decompress
from logstream.receive.loki_labels import parse_labels
from logstream.receive.loki_proto import read_push
from logstream.receive.native_values import Defaults, Refused
from logstream.receive.object_record import Given, record_of_text
from tests.storable import is_storable

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
SENT = RECEIVED + 250_123_456
PUSH = "/loki/api/v1/push"


def decoded(body: bytes, content_type: str = "application/json", **more: object) -> Decoded:
    return decode(
        Arrival(body, RECEIVED, "production", content_type=content_type, path=PUSH, **more)  # type: ignore[arg-type]
    )


def push(labels: dict[str, object], *values: list[object]) -> bytes:
    return json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()


def only(result: Decoded) -> LogRecord:
    assert result.rejects == []
    (record,) = result.records
    return record


def attributes(record: LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(record.attributes)
    return found


def varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def entry(
    line: bytes, seconds: int = SENT // 10**9, nanos: int = SENT % 10**9, **pairs: str
) -> bytes:
    moment = field(1, seconds) + field(2, nanos)
    metadata = b"".join(
        field(3, field(1, name.encode()) + field(2, value.encode()))
        for name, value in pairs.items()
    )
    return field(1, moment) + field(2, line) + metadata


def stream(labels: bytes, *entries: bytes) -> bytes:
    return field(1, field(1, labels) + b"".join(field(2, item) for item in entries))


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


PROTOBUF = stream(b'{app="pay", level="error"}', entry(b"card declined", trace_id="AB" * 16))


def test_json_and_protobuf_give_the_same_record() -> None:
    expected = LogRecord(
        timestamp_unix_nano=SENT,
        observed_unix_nano=RECEIVED,
        environment="production",
        service_name="pay",
        severity_number=17,
        body="card declined",
        trace_id="ab" * 16,
        attributes=b"{}",
    )
    values = [str(SENT), "card declined", {"trace_id": "AB" * 16}]
    assert only(decoded(push({"app": "pay", "level": "error"}, values))) == expected
    assert only(decoded(PROTOBUF, "application/x-protobuf")) == expected


def test_what_labels_say_becomes_fields_and_the_rest_attributes() -> None:
    labels = {"job": "kube/pay", "service_name": "pay", "env": "staging", "level": "warning"}
    record = only(
        decoded(push({**labels, "pod": "pay-7"}, [str(SENT), "slow query", {"user": "7"}]))
    )
    assert (record.service_name, record.environment) == ("pay", "staging")
    assert (record.severity_number, record.severity_text) == (13, "warning")
    assert attributes(record) == {"job": "kube/pay", "pod": "pay-7", "user": "7"}


@pytest.mark.parametrize(
    ("labels", "service", "left"),
    [
        ({"service": "a", "app": "b"}, "a", {"app": "b"}),
        ({"application": "pay", "job": "varlogs"}, "pay", {"job": "varlogs"}),
        ({"app_kubernetes_io_name": "pay"}, "pay", {}),
        ({"job": "varlogs", "container": "c"}, "varlogs", {"job": "varlogs", "container": "c"}),
        ({"service_name": "unknown_service", "container": "c"}, "c", None),
        ({"host": "h"}, "unknown_service", {"host": "h"}),
        ({"app": "x" * 201}, "unknown_service", {"app": "x" * 201}),
    ],
)
def test_the_service_is_the_first_label_that_names_one(
    labels: dict[str, object], service: str, left: dict[str, object] | None
) -> None:
    record = only(decoded(push({**labels, "level": "info"}, [str(SENT), "ready"])))
    assert record.service_name == service
    if left is not None:
        assert attributes(record) == left


def test_a_level_in_structured_metadata_counts_when_no_label_has_one() -> None:
    of_line = [str(SENT), "no errors found", {"detected_level": "warn"}]
    assert only(decoded(push({"app": "pay"}, of_line))).severity_number == 13
    record = only(decoded(push({"app": "pay", "level": "info"}, of_line)))
    assert record.severity_number == 9
    assert attributes(record) == {"detected_level": "warn"}


def test_a_word_nobody_knows_is_info_and_kept() -> None:
    record = only(decoded(push({"level": "loud"}, [str(SENT), "hello"])))
    assert (record.severity_number, record.severity_text) == (9, "loud")


def test_metadata_with_the_name_of_a_label_loses_neither() -> None:
    record = only(decoded(push({"level": "info", "pod": "a"}, [str(SENT), "up", {"pod": "b"}])))
    assert attributes(record) == {"pod": "a", "field_pod": "b"}


def test_the_stack_of_an_exception_is_where_one_looks_for_it() -> None:
    values = [str(SENT), "boom", {"stack": "Error: boom\n    at pay (/srv/pay.js:7:3)"}]
    record = only(decoded(push({"level": "error"}, values)))
    assert attributes(record) == {
        "exception.stacktrace": "Error: boom\n    at pay (/srv/pay.js:7:3)"
    }


@pytest.mark.parametrize(
    "line",
    [
        '{"level":30,"message":"order 7 paid","orderId":7}',
        'level=info msg="order 7 paid" orderId=7',
        "order 7 paid",
        "orderId=7 paid",
        "",
        "{",
    ],
)
def test_a_line_is_read_as_the_text_of_any_logger(line: str) -> None:
    record = only(decoded(push({"app": "pay", "level": "info", "pod": "a"}, [str(SENT), line])))
    given_by_loki = Given(SENT, "info", "pay", attributes={"pod": "a"})
    defaults = Defaults(RECEIVED, "production", "UTC")
    assert record == record_of_text(line, defaults, given_by_loki)


def test_what_winston_writes_after_the_message_is_found_and_the_text_kept() -> None:
    line = 'order 7 paid {"level":"info","traceId":"ABC123","orderId":7,"stack":"E\\n  at \\u0000"}'
    record = only(decoded(push({"app": "pay", "level": "info"}, [str(SENT), line])))
    assert (record.body, record.trace_id) == (line, "ABC123")
    assert attributes(record) == {"orderId": 7, "exception.stacktrace": "E\n  at \ufffd"}
    for other in ('got {"level":"warn","a":1}', 'got {"a":1}', 'got {"level":"info"', "got {}"):
        record = only(decoded(push({"app": "pay", "level": "info"}, [str(SENT), other])))
        assert attributes(record) == {}


def test_a_text_without_any_level_is_kept_byte_for_byte() -> None:
    line = "  \tindented \x1b[31mred\x1b[0m — ünï ☃ \\n"
    assert only(decoded(push({"app": "pay"}, [str(SENT), line]))).body == line
    assert only(decoded(push({"app": "pay", "level": "info"}, [str(SENT), line]))).body == line


@pytest.mark.parametrize(
    "time", [str(SENT), SENT, "2026-01-01T00:00:00.250123456Z", "1767225600250123456"]
)
def test_times_are_read_to_the_nanosecond(time: object) -> None:
    record = only(decoded(push({"level": "info"}, [time, "tick"])))
    assert record.timestamp_unix_nano == SENT


def test_the_json_of_before_version_1_is_read() -> None:
    body = {
        "streams": [
            {
                "labels": '{app="pay",level="warn"}',
                "entries": [{"ts": "2026-01-01T00:00:00.25Z", "line": "slow"}],
            }
        ]
    }
    record = only(decoded(json.dumps(body).encode()))
    assert (record.service_name, record.severity_number, record.body) == ("pay", 13, "slow")
    assert record.timestamp_unix_nano == RECEIVED + 250_000_000


def test_a_bad_line_costs_only_itself() -> None:
    body = push(
        {"app": "pay", "n": 5},
        [str(SENT), "one"],
        ["yesterday", "two"],
        [str(SENT), 3],
        [],
        [str(SENT), "five", {"n": 12345678901234567890123}],
    )
    result = decoded(body)
    assert [record.body for record in result.records] == ["one", "five"]
    assert [reject.index for reject in result.rejects] == [1, 2, 3]
    assert result.rejects[0].error == (
        "line 1: time 'yesterday' cannot be read: it is neither ISO 8601 nor a number; "
        "send nanoseconds since 1970 as text"
    )
    assert b'"field_n":12345678901234567890123' in result.records[1].attributes


def test_a_bad_stream_costs_only_itself() -> None:
    body = stream(b"{app=pay}", entry(b"lost"), entry(b"too")) + PROTOBUF
    result = decoded(body, "application/x-protobuf")
    assert [record.body for record in result.records] == ["card declined"]
    assert [(reject.index, reject.raw) for reject in result.rejects] == [(0, b"lost"), (1, b"too")]
    assert result.rejects[0].error == (
        "line 0: labels '{app=pay}' cannot be read near character 1; write {name=\"value\", ...}"
    )


def test_bytes_that_are_no_utf_8_are_replaced_and_the_line_kept() -> None:
    body = stream(b'{app="pa\xffy",level="info"}', entry(b"caf\xe9 \x00 open", user="\x00"))
    record = only(decoded(body, "application/x-protobuf"))
    assert (record.service_name, record.body) == ("pa\ufffdy", "caf\ufffd \ufffd open")
    assert attributes(record) == {"user": "\ufffd"}


@pytest.mark.parametrize(
    ("seconds", "kept"), [(0, True), (253_402_300_800, False), (253_402_300_799, True)]
)
def test_a_time_out_of_reach_is_refused_and_one_never_set_is_now(seconds: int, kept: bool) -> None:
    result = decoded(
        stream(b'{level="info"}', entry(b"tick", seconds, 0)), "application/x-protobuf"
    )
    assert (len(result.records), len(result.rejects)) == ((1, 0) if kept else (0, 1))
    if seconds == 0:
        assert result.records[0].timestamp_unix_nano == RECEIVED


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        ('{app="pay"}', {"app": "pay"}),
        (' { a = "1" , b="2", } ', {"a": "1", "b": "2"}),
        (r'{a="say \"hi\"\n\\", b=`raw\n`}', {"a": 'say "hi"\n\\', "b": r"raw\n"}),
        (r'{a="\x41\u00fc\U0001F600\101"}', {"a": "Aü😀A"}),
        (r'{a="\ud800\x00"}', {"a": "\ufffd\ufffd"}),
        (r'{a="\UFFFFFFFF"}', {"a": "\ufffd"}),
        ('{"with.dot"="1", a.b="2"}', {"with.dot": "1", "a.b": "2"}),
    ],
)
def test_labels_are_read_as_loki_quotes_them(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize("text", ["", "{", "app", '{a="1"', "{a=1}", '{a="1" b="2"}', '{a="1"}x'])
def test_labels_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        parse_labels(text)


@pytest.mark.parametrize("body", [PROTOBUF, push({"app": "pay"}, [str(SENT), "paid"]), b"\n {}"])
def test_snappy_is_undone_and_what_is_none_left_alone(body: bytes) -> None:
    assert decompress(snappy(body), "", 10_000) == body
    assert decompress(body, "", 10_000) == body
    assert decompress(snappy(body), "snappy", 10_000) == body


def test_a_snappy_bomb_is_refused_before_it_is_undone() -> None:
    with pytest.raises(TooLarge):
        decompress(snappy(bytes(10_001)), "", 10_000)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (b'{"streams":7}', "application/json"),
        (b'{"streams":[', "application/json"),
        (b'{"streams":' + b"[" * 100_000, "application/json"),
        (b"\x08" + b"\xff" * 20, "application/x-protobuf"),
        (b"hello", ""),
    ],
)
def test_a_body_that_is_none_of_lokis_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(DecodeError):
        decoded(body, content_type)


def test_origins_name_labels_and_metadata() -> None:
    labels = {"app": "pay", "level": "error", "env": "prod"}
    body = push(labels, [str(SENT), "boom", {"traceID": "ABC123"}])
    result = decoded(body, wants_origins=True)
    assert len(result.origins) == len(result.records) == 1
    assert decoded(body).origins == []


@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/x-protobuf", ""]))
def test_any_bytes_are_read_or_refused_as_a_whole(body: bytes, content_type: str) -> None:
    with contextlib.suppress(LogStreamError):
        plain = decompress(body, "", 100_000)
        assert all(map(is_storable, decoded(plain, content_type).records))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON_VALUES, JSON_VALUES, JSON_VALUES, JSON_VALUES)
def test_any_stream_of_json_gives_storable_records(
    labels: object, time: object, line: object, metadata: object
) -> None:
    body = {"streams": [{"stream": labels, "values": [[time, line, metadata], [str(SENT), "ok"]]}]}
    result = decoded(json.dumps(body).encode())
    assert all(map(is_storable, result.records))
    if isinstance(labels, dict):
        assert len(result.records) + len(result.rejects) == 2
        assert result.records[-1].body == "ok"


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=20), st.integers(0, 2**63))
def test_any_texts_in_protobuf_give_storable_records(
    labels: bytes, line: bytes, value: str, seconds: int
) -> None:
    body = stream(labels, entry(line, level=value)) + stream(
        b"{}", entry(line, seconds, level=value)
    )
    assert len(read_push(body).streams) == 2
    result = decoded(body, "application/x-protobuf")
    assert len(result.records) + len(result.rejects) == 2
    assert all(map(is_storable, result.records))
