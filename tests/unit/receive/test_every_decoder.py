"""What every decoder promises, whatever bytes come: records that can be stored, or a DecodeError.

The decoders' own tests say what each makes of good bodies; here all are held to the same.
"""

import contextlib
import json
import re
from datetime import timedelta

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_service.paths import PATHS
from ingest_service.protocols import PROTOCOLS
from ingest_service.protocols.protocol import Protocol, Route
from logstream.errors import LogStreamError
from logstream.model import Decoded, LogRecord, Span
from logstream.ports import Arrival
from logstream.receive.json_text import MAX_DEPTH, clean_json
from scripts.hostile_formats import FORMATS, Sample

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
LIMIT_BYTES = 1024 * 1024
YEAR_1, YEAR_10000 = -62_135_596_800 * 10**9, 253_402_300_800 * 10**9
LONGEST_ID, LONGEST_NAME = 128, 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

SAMPLES = [Sample("p1", "lab", RECEIVED), Sample("p2", "lab", RECEIVED + 1, message=b"caf\xc3\xa9")]
# Paths whose bodies FORMATS does not write.
MORE_BODIES = [
    ("/v1/metrics", "application/x-protobuf", b"\n\x06\x12\x04\x12\x02\x0a\x00"),
    ("/v1/metrics", "application/json", b'{"resourceMetrics":[{"scopeMetrics":[]}]}'),
    ("/services/collector/raw", "", b"2026-01-01T00:00:00Z ERROR card declined\n<5> next line"),
    ("/services/collector/ack", "application/json", b'{"acks":[1,2]}'),
    ("/api/events/raw", "application/json", b'{"Events":[{"MessageTemplate":"{a}","Level":1}]}'),
    ("/shop/_doc/7", "application/json", b'{"message":"order 7 paid","@timestamp":1767225600}'),
    ("/api/1/store/", "application/json", b'{"exception":{"values":[{"type":"KeyError"}]}}'),
    ("/ingest", "text/plain", b"[warn] slow query\nnext"),
    (
        "/ingest",
        "application/x-www-form-urlencoded",
        b"msg=order+%25s&args=%28%27a%27%2C%29&levelno=40&exc_info=None",
    ),
    ("/", "application/json", b'[{"message":"x","levelno":40,"args":[1],"msg":"order %s"}]'),
]
NASTY = [
    b"NaN", b"-Infinity", b"1e999999", b"-1e-999999", b"1E400", b"-0", b"0.1", b"9" * 400,
    b"18446744073709551616", b"null", b"true", b"{}", b"[]", b'""', b'"', b"\\", b"\\u0000",
    b"\\ud800", b"\\udc00\\ud83d", b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80",
    b"[" * 300, b"{" * 300, b'{"a":' * 300, b"\n", b"\r\n", b",", b"}", b"]", b"a" * 300,
    b'"0001-01-01T00:00:00Z"', b'"9999-12-31T23:59:60+14:00"', b"253402300800", b"-1",
    b'"\\u0000"', b'{"a":{"a":1,"a":2}}', b"[[],{}]", b"\xc1", b"\xdd\xff\xff\xff\xff",
    b"%", b"{x}",
]  # fmt: skip


def route_of(path: str) -> Route:
    entry = (PATHS.find(path, "POST") or {})["POST"]
    assert isinstance(entry, Route)
    return entry


def arrival_of(path: str, content_type: str, sent: bytes) -> tuple[Protocol, Arrival]:
    protocol = route_of(path).protocol
    body = protocol.decompress(sent, "", LIMIT_BYTES)
    return protocol, Arrival(body, RECEIVED, "production", content_type=content_type, path=path)


SEEDS = [
    arrival_of(wire.path, wire.content_type, wire.body(SAMPLES[: 2 if wire.is_batch else 1]))
    for wire in FORMATS
] + [arrival_of(*one) for one in MORE_BODIES]


def test_every_protocol_has_a_sample_here() -> None:
    assert {protocol.name for protocol, _ in SEEDS} == PROTOCOLS.keys()


@pytest.mark.parametrize("wire", FORMATS, ids=lambda wire: wire.name)
def test_the_samples_are_read_whole(wire: object) -> None:
    protocol, arrival = SEEDS[FORMATS.index(wire)]  # type: ignore[arg-type]
    decoded = protocol.decode(arrival)
    assert decoded.rejects == []
    assert len(decoded.records) + len(decoded.spans) >= 1
    assert_storable(decoded)


def assert_storable(decoded: Decoded) -> None:
    for value in (*decoded.records, *decoded.spans):
        assert_texts(value)
        assert_times_and_names(value)
    for record in decoded.records:
        assert 1 <= record.severity_number <= 24
        assert record.duration_ms is None or 0 <= record.duration_ms < float("inf")
        assert isinstance(parsed(record.attributes), dict)
    for span in decoded.spans:
        assert abs(span.duration_nano) < 2**63
        assert span.kind in ("internal", "server", "client", "producer", "consumer")
        assert span.status in ("unset", "ok", "error")
        assert isinstance(parsed(span.attributes), dict)
        for array in (parsed(span.events), parsed(span.links)):
            assert isinstance(array, list) and all(isinstance(one, dict) for one in array)
    for reject in decoded.rejects:
        assert not _UNSTORABLE.search(reject.error)


def assert_texts(value: LogRecord | Span) -> None:
    for name, content in msgspec.structs.asdict(value).items():
        if isinstance(content, str):
            assert not _UNSTORABLE.search(content), name


def assert_times_and_names(value: LogRecord | Span) -> None:
    start = value.start_unix_nano if isinstance(value, Span) else value.timestamp_unix_nano
    for nanos in (start, value.observed_unix_nano):
        assert type(nanos) is int and YEAR_1 <= nanos < YEAR_10000
    for name in (value.service_name, value.environment):
        assert 0 < len(name) <= LONGEST_NAME
    parent = value.parent_span_id if isinstance(value, Span) else None
    for identifier in (value.trace_id, value.span_id, parent):
        assert identifier is None or 0 < len(identifier) <= LONGEST_ID


def parsed(content: bytes) -> object:
    """The value of a JSON text that PostgreSQL takes too."""
    assert clean_json(content) == content
    value = json.loads(content, parse_constant=not_json)
    assert depth(value) <= MAX_DEPTH + 10
    return value


def not_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def depth(value: object) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


def assert_read_or_refused(protocol: Protocol, arrival: Arrival) -> None:
    for wants_origins in (False, True):
        asked = msgspec.structs.replace(arrival, wants_origins=wants_origins)
        with contextlib.suppress(LogStreamError):
            decoded = protocol.decode(asked)
            assert_storable(decoded)
            if wants_origins:
                assert len(decoded.origins) == len(decoded.records)
                assert len(decoded.span_origins) == len(decoded.spans)


def mutated(body: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """The body with pieces of it replaced; each edit is a place, a length and what comes there."""
    for place, length, piece in edits:
        start = int(place * len(body))
        body = body[:start] + piece + body[start + length :]
    return body


def with_other_values(body: bytes, places: list[tuple[float, bytes]]) -> bytes:
    """A JSON body with values replaced where they begin."""
    for place, piece in places:
        values = list(re.finditer(rb'(?<=:)(?:"[^"]*"|[\d.]+)', body))
        if values:
            chosen = values[int(place * len(values))]
            body = body[: chosen.start()] + piece + body[chosen.end() :]
    return body


places = st.floats(0, 1, exclude_max=True)
pieces = st.sampled_from(NASTY) | st.binary(max_size=8)
# Generous: what it catches takes exponential or quadratic time.
patient = settings(max_examples=40, deadline=timedelta(seconds=5))


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
@patient
@given(
    body=st.binary(max_size=200) | st.lists(pieces, max_size=8).map(b"".join),
    content_type=st.sampled_from(["", *{wire.content_type for wire in FORMATS}]),
)
@example(body=b"", content_type="")
@example(body=b"[" * 10_000, content_type="application/json")
@example(body=b'{"a":' * 10_000 + b"1" + b"}" * 10_000, content_type="application/json")
@example(body=b'{"a":' * 10_000 + b"\n" + b"]" * 10_000, content_type="application/json")
@example(body=b"7" + b"x" * 38 + "é".encode(), content_type="application/json")
@example(body=b"\x0a" * 1_000, content_type="application/x-protobuf")
@example(body=b"\x91" * 10_000, content_type="application/msgpack")
def test_any_bytes_are_read_or_refused(protocol: Protocol, body: bytes, content_type: str) -> None:
    path = next(arrival.path for known, arrival in SEEDS if known is protocol)
    arrival = Arrival(body, RECEIVED, "production", content_type=content_type, path=path)
    assert_read_or_refused(protocol, arrival)


@pytest.mark.parametrize(
    ("protocol", "arrival"), SEEDS, ids=[f"{one.path}-{one.content_type}" for _, one in SEEDS]
)
@patient
@given(
    edits=st.lists(st.tuples(places, st.integers(0, 20), pieces), max_size=4),
    values=st.lists(st.tuples(places, pieces), max_size=3),
)
def test_a_damaged_body_is_read_or_refused(
    protocol: Protocol,
    arrival: Arrival,
    edits: list[tuple[float, int, bytes]],
    values: list[tuple[float, bytes]],
) -> None:
    body = mutated(with_other_values(arrival.body, values), edits)
    assert_read_or_refused(protocol, msgspec.structs.replace(arrival, body=body))
