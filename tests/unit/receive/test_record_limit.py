"""A request holds only so many records, in every format, and is refused before they are made."""

import json

import msgspec
import pytest

from ingest_service.paths import PATHS
from ingest_service.protocols.protocol import Protocol, Route
from logstream.errors import TooLarge
from logstream.ports import Arrival
from logstream.receive import forward, record_limit
from logstream.receive.native_values import Defaults
from scripts.hostile_formats import FORMATS, Format, Sample, proto, varint

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
MOST = 5
MEBIBYTE = 1024 * 1024
BATCHES = [wire for wire in FORMATS if wire.is_batch]
PLAIN = {
    "generic text": ("/ingest", "text/plain", b"a line\n", b"\n"),
    "generic envelope": ("/ingest", "application/json", b'{"message":"a"}', b","),
    "Datadog text": ("/api/v2/logs", "text/plain", b"a line\n", b"\n"),
    "HEC raw": ("/services/collector/raw", "", b"a line\n", b"\n"),
    "HEC array": ("/services/collector", "", b'{"event":1}', b","),
    "GELF array": ("/gelf", "", b'{"short_message":"a"}', b","),
    "GELF with NUL": ("/gelf", "", b'{"short_message":\n"a"}', b"\x00"),
    "Seq raw": ("/api/events/raw", "", b'{"MessageTemplate":"a"}', b","),
    "metrics": ("/v1/metrics", "application/x-protobuf", b"\x12\x00", b""),
    "metrics in JSON": ("/v1/metrics", "application/json", b"{}", b","),
}
WHOLE = {
    "generic envelope": (b'{"logs":[', b"]}"),
    "HEC array": (b"[", b"]"),
    "GELF array": (b"[", b"]"),
    "Seq raw": (b'{"Events":[', b"]}"),
    "metrics in JSON": (b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[', b"]}]}]}"),
}


def protocol_of(path: str) -> Protocol:
    entry = (PATHS.find(path, "POST") or {})["POST"]
    assert isinstance(entry, Route)
    return entry.protocol


def arrival_of(path: str, content_type: str, sent: bytes, most: int = MOST) -> Arrival:
    body = protocol_of(path).decompress(sent, "", 20 * MEBIBYTE)
    return Arrival(body, RECEIVED, "lab", content_type=content_type, path=path, max_records=most)


def body_of(wire: Format, count: int) -> bytes:
    return wire.body(Sample(f"p{number}", "lab", RECEIVED + number) for number in range(count))


def plain_body(name: str, count: int) -> bytes:
    _, _, piece, between = PLAIN[name]
    before, after = WHOLE.get(name, (b"", b""))
    if name == "metrics":
        return proto(1, proto(2, piece * count))
    return before + between.join([piece] * count) + after


@pytest.mark.parametrize("wire", BATCHES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("wants_origins", [False, True])
def test_one_record_too_many_refuses_the_request(wire: Format, wants_origins: bool) -> None:
    decode = protocol_of(wire.path).decode
    for count in (MOST, MOST + 1):
        arrival = arrival_of(wire.path, wire.content_type, body_of(wire, count))
        arrival = msgspec.structs.replace(arrival, wants_origins=wants_origins)
        if count == MOST:
            decoded = decode(arrival)
            assert len(decoded.records) + len(decoded.spans) == MOST
            continue
        with pytest.raises(TooLarge, match="record") as refused:
            decode(arrival)
        assert "LOGSTREAM_MAX_RECORDS" in refused.value.hint
        reply = protocol_of(wire.path).refuse(refused.value, arrival)
        assert reply.status == 413


@pytest.mark.parametrize("name", PLAIN)
def test_the_limit_holds_in_every_shape_of_a_body(name: str) -> None:
    path, content_type, _, _ = PLAIN[name]
    decode = protocol_of(path).decode
    decode(arrival_of(path, content_type, plain_body(name, MOST)))
    with pytest.raises(TooLarge):
        decode(arrival_of(path, content_type, plain_body(name, MOST + 1)))


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/logs/ingest", "application/json", b"[" + b"7," * MOST + b"7]"),
        ("/logs/ingest", "application/json", b"[" + b"oops," * MOST + b"oops]"),
        ("/logs/ingest", "application/x-ndjson", b"oops\n" * (MOST + 1)),
        ("/ingest", "application/json", b'{"a":1}\n' * MOST + b"oops\n"),
        ("/api/v2/spans", "application/json", b"[" + b"oops," * MOST + b"{}]"),
        ("/_bulk", "", b'{"delete":{}}\n' * (MOST + 1)),
        ("/_bulk", "", b"oops\n" * (MOST + 1)),
        ("/gelf", "", b"oops\n" * (MOST + 1)),
        ("/services/collector", "", b"{}" * (MOST + 1)),
        (
            "/loki/api/v1/push",
            "application/json",
            b'{"streams":[{"stream":{},"values":[' + b"7," * MOST + b"7]}]}",
        ),
        ("/v1/logs", "application/x-protobuf", proto(1, proto(2, b"\x12\x01\xff" * (MOST + 1)))),
    ],
)
def test_refused_records_count_too(path: str, content_type: str, body: bytes) -> None:
    with pytest.raises(TooLarge):
        protocol_of(path).decode(arrival_of(path, content_type, body))


def test_records_of_several_streams_groups_and_items_count_together() -> None:
    stream = b'{"stream":{},"values":[["1767225600000000000","a"]]}'
    loki = b'{"streams":[' + b",".join([stream] * (MOST + 1)) + b"]}"
    group = b'{"scopeLogs":[{"logRecords":[{}]}]}'
    otlp = b'{"resourceLogs":[' + b",".join([group] * (MOST + 1)) + b"]}"
    for path, body in (("/loki/api/v1/push", loki), ("/v1/logs", otlp)):
        with pytest.raises(TooLarge, match=str(MOST + 1)):
            protocol_of(path).decode(arrival_of(path, "application/json", body))


def test_blank_lines_and_continued_lines_are_no_records() -> None:
    text = b"\n \n\r\n" * 10 + b"first\n" + b"\n" * 10 + b"second"
    decoded = protocol_of("/ingest").decode(arrival_of("/ingest", "text/plain", text, 2))
    assert len(decoded.records) == 2
    path = "/services/collector/raw"
    trace = b"failed\n" + b"\tat a.b.C\n" * 50
    assert len(protocol_of(path).decode(arrival_of(path, "", trace, 1)).records) == 1


def test_what_stands_inside_of_a_record_is_not_counted() -> None:
    message = json.dumps({"source": "a", "message": "b", "metadata": {"m": [{"n": 1}] * 50}})
    arrival = arrival_of("/logs/ingest", "application/json", message.encode(), 1)
    assert len(protocol_of("/logs/ingest").decode(arrival).records) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"[]", 0),
        (b"[ ]", 0),
        (b"[1]", 1),
        (b'[{"a":[1,2]},"b,c",[3,[4]]]', 3),
        (b'{"a":[1,2]}{"b":{}}\n7 "c d" true', 5),
    ],
)
def test_values_are_counted_without_making_them(text: bytes, count: int) -> None:
    record_limit.check_values(text, count, is_malformed=True)
    if count:
        with pytest.raises(TooLarge, match=f"more than {count - 1} "):
            record_limit.check_values(text, count - 1, is_malformed=True)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"0," * (4 * MEBIBYTE) + b"0]",
        b"{}\n" * (4 * MEBIBYTE),
        b"{}" * (4 * MEBIBYTE),
        b"0 " * (4 * MEBIBYTE),
    ],
    ids=["array", "lines", "back to back", "numbers"],
)
def test_a_great_many_values_are_found_before_any_is_made(text: bytes) -> None:
    with pytest.raises(TooLarge, match="more than 100000 records"):
        record_limit.check_values(text, 100_000)


def test_one_large_record_of_many_numbers_is_one_value() -> None:
    record_limit.check_values(b'{"a":[' + b"0," * (4 * MEBIBYTE) + b"0]}", 1)


FILLER = proto(9, b"x" * (8 * MEBIBYTE))


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (proto(1, proto(2, b"\x12\x00" * 3)), 3),
        (b"\x0a\x00" * 3, 3),
        (proto(1, b"\x12\x00" * 3), 3),
        (proto(1, proto(2, b"\x12\x00")) * 3, 3),
        # Other fields of every kind, and a group around one.
        (b"\x08\xff\x01\x11" + bytes(8) + b"\x1d" + bytes(4) + b"\x23\x0a\x00\x24", 1),
        (proto(3, b"\x0a\x00" * 3), 0),
    ],
)
def test_messages_of_a_large_body_are_counted_before_parsing(message: bytes, count: int) -> None:
    record_limit.check_messages(FILLER + message, (1, 2, 2), count)
    if count:
        with pytest.raises(TooLarge, match=f"more than {count - 1} "):
            record_limit.check_messages(FILLER + message, (1, 2, 2), count - 1)


@pytest.mark.parametrize(
    "end", [b"\x0a", b"\x0a\xff", b"\xff" * 11, b"\x0a" + varint(2**62), b"\x07\x09"]
)
def test_a_large_body_that_is_no_protobuf_is_left_to_the_parser(end: bytes) -> None:
    record_limit.check_messages(FILLER + end, (1, 2, 2), 5)


def test_a_message_of_the_forward_protocol_gives_what_it_may_and_its_chunk() -> None:
    entry = [1_767_225_600, {"log": "a"}]
    packed = b"".join([msgspec.msgpack.encode(entry)] * (MOST + 1))
    for entries in ([entry] * (MOST + 1), packed):
        message = msgspec.msgpack.encode(["app", entries, {"chunk": "c1"}])
        decoded, chunk = forward.read_message(
            message, Defaults(RECEIVED, "lab", "UTC"), MEBIBYTE, MOST
        )
        assert chunk == "c1"
        assert len(decoded.records) == MOST
        [reject] = decoded.rejects
        assert reject.index == MOST
        assert f"more than {MOST} entries" in reject.error
