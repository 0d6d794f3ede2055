"""What no sender may do to its neighbours, or to the service, in any wire format."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import httpx
import psutil
import pytest
import zstandard

from ingest_service.protocols import ROUTES
from ingest_service.protocols.protocol import Route
from scripts.hostile_formats import FORMATS, Format, Sample, proto, varint
from scripts.soak.service import Service
from tests.service_thread import running_service, settings_for

NANO = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
MEBIBYTE = 1024 * 1024
BATCHES = [wire for wire in FORMATS if wire.is_batch]
# Three times what a body may hold.
BOMB = b" " * (60 * MEBIBYTE)


def path_of(route: Route) -> str:
    return re.sub(r"\{\w+\}", "shop", route.path)


@pytest.fixture(scope="module")
def service(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One service for this whole file: every test has environments of its own."""
    from tests.conftest import new_database

    with (
        new_database(postgres_url, migrated_template) as url,
        running_service(settings_for(url, tmp_path_factory.mktemp("data"))) as base,
    ):
        yield base


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, timeout=30) as one:
        yield one


def samples(environment: str, count: int) -> list[Sample]:
    return [
        Sample(f"p{number}", environment, NANO + number, message=f"Order {number} ☃".encode())
        for number in range(count)
    ]


def messages(service: str, wire: Format, environment: str) -> list[str]:
    """The texts stored of an environment, in their order."""
    if wire.has_spans:
        trace = Sample("", "", 0).trace_id.decode()
        answer = httpx.get(f"{service}/traces/{trace}", params={"env": environment})
        return [span["name"] for span in answer.json().get("spans", [])]
    lines: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"env": environment, "limit": 1_000, "cursor": cursor}
        page = httpx.get(f"{service}/logs/search", params=asked).json()
        lines += page["logs"]
        cursor = page["cursor"]
    lines.sort(key=lambda line: line["id"])
    return [line["message"] for line in lines]


def post(service: str, wire: Format, body: bytes) -> httpx.Response:
    headers = {"content-type": wire.content_type}
    return httpx.post(f"{service}{wire.path}", content=body, headers=headers, timeout=30)


# Stands where a record should; what no row names is what a JSON format cannot read.
def nested(levels: int) -> bytes:
    value = proto(1, b"x")
    for _ in range(levels):
        value = proto(5, proto(1, value))
    return value


def otlp_group(record: bytes) -> bytes:
    return proto(1, proto(2, proto(2, record)))


BAD_PIECES = {
    "OTLP protobuf": otlp_group(proto(6, proto(1, b"deep") + proto(2, nested(150)))),
    "OTLP spans": otlp_group(proto(5, b"a span without an id")),
    "OTLP JSON": b'{"scopeLogs":[{"logRecords":[{"body":7}]}]}',
    "OTLP JSON spans": b'{"scopeSpans":[{"spans":[{"name":"a span without an id"}]}]}',
    "Loki protobuf": proto(1, proto(1, b'{app="shop') + proto(2, proto(2, b"broken labels"))),
    "Loki JSON": b'{"stream":{"app":"shop"},"values":[["yesterday","no time"]]}',
    "_bulk": b'{"create":{}}\n{"message": oops}\n',
    "HEC": b'{"event": oops}',
    "msgpack": b"\x07",
    "Sentry logs": b"7",
}
BAD_JSON = b'{"message": 7, oops}'


@pytest.mark.parametrize("wire", BATCHES, ids=lambda wire: wire.name)
def test_one_bad_record_in_a_hundred_costs_none_of_the_others(service: str, wire: Format) -> None:
    environment = f"bad-{wire.name}"
    good = samples(environment, 990)
    pieces = [wire.piece(sample) for sample in good]
    for number in range(10):  # at 50, 150, … of the 1,000
        pieces.insert(100 * number + 50, BAD_PIECES.get(wire.name, BAD_JSON))
    answer = post(service, wire, wire.whole(pieces))
    assert answer.status_code < 300, answer.text
    assert sorted(messages(service, wire, environment)) == sorted(
        sample.message.decode() for sample in good
    )


NASTY_VALUES = {
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a huge number": b"9" * 140_000,
    "a huge exponent": b"1e999999999",
    "NaN": b"NaN",
    "twice the same name": b'{"a":1,"a":2,"a":{"a":3}}',
    "a name of 1 MB": b'{"' + b"k" * MEBIBYTE + b'":1}',
    "a value of 1 MB": b'"' + b"v" * MEBIBYTE + b'"',
    "Latin-1": b'"caf\xe9"',
    "UTF-16": '"café"'.encode("utf-16"),
    "NUL": b'"\\u0000\x00"',
    "half a pair": b'"\\ud800"',
    "not closed": b'"' + b"x" * 100,
}


@pytest.mark.parametrize("wire", [one for one in BATCHES if one.is_json], ids=lambda one: one.name)
def test_a_nasty_value_of_one_record_costs_at_most_that_record(service: str, wire: Format) -> None:
    for number, (name, value) in enumerate(NASTY_VALUES.items()):
        environment = f"nasty-{number}-{wire.name}"
        first, second, last = samples(environment, 3)
        marked = wire.piece(second._replace(value=b"HERE")).replace(b'"HERE"', value)
        body = wire.whole([wire.piece(first), marked, wire.piece(last)])
        answer = post(service, wire, body)
        assert answer.status_code < 500, f"{name}: {answer.text}"
        if answer.is_success:
            stored = messages(service, wire, environment)
            assert {first.message.decode()} <= set(stored), name
            # A text without an end may swallow what follows it.
            if name != "not closed":
                assert {last.message.decode()} <= set(stored), name
        else:
            # Only what no parser can find the end of may cost the whole body.
            assert name in ("not closed", "UTF-16", "NaN", "a huge number"), (name, answer.text)


SENSELESS = (
    b"",
    b" \r\n\t",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"null",
    b"[]",
    b"{}",
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b"[[[]]]" * 1_000,
    varint(2**64 - 1) * 10,
    b"\x0a\xff\xff\xff\xff\x0f",
    b"\xdd\xff\xff\xff\xff",
    "[{}]".encode("utf-16"),
    b"%" * 100 + b"=%zz&" * 100,
)


@pytest.mark.parametrize("path", sorted({path_of(route) for route in ROUTES}))
def test_bodies_without_sense_are_refused_and_never_an_error_of_ours(
    service: str, client: httpx.Client, path: str
) -> None:
    types = sorted({wire.content_type for wire in FORMATS})
    for body in SENSELESS:
        for content_type in types:
            headers = {"content-type": content_type}
            answer = client.post(service + path, content=body, headers=headers)
            assert answer.status_code < 500, (body[:40], content_type, answer.text)


def deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


def bombs() -> dict[str, tuple[str, bytes]]:
    once = gzip.compress(BOMB)
    return {
        "gzip": ("gzip", once),
        "gzip twice": ("gzip, gzip", gzip.compress(once)),
        "deflate": ("deflate", deflated(BOMB)),
        "zlib": ("deflate", zlib.compress(BOMB)),
        "zstd": ("zstd", zstandard.compress(BOMB)),
        "snappy block": ("snappy", bytes(cramjam.snappy.compress_raw(BOMB))),
        "snappy frames": ("snappy", bytes(cramjam.snappy.compress(BOMB))),
    }


def peak_mebibytes(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) / 1024


def test_no_compressed_bomb_is_unfolded(database_url: str, tmp_path: Path) -> None:
    service = Service(tmp_path / "data", database_url)
    service.start()
    try:
        process = service.part("serve")
        assert process is not None
        known = bombs()
        httpx.post(f"{service.url}/logs/ingest", content=b'{"source":"a","message":"b"}')
        before = peak_mebibytes(process)
        with httpx.Client(base_url=service.url, timeout=30) as client:
            for route in ROUTES:
                for name, (encoding, body) in known.items():
                    answer = client.request(
                        route.methods[0],
                        service.url + path_of(route),
                        content=body,
                        headers={"content-encoding": encoding},
                    )
                    # GELF reads what it finds, once: there is a gzip in the gzip.
                    expected = (
                        {413, 400} if (route.path, name) == ("/gelf", "gzip twice") else {413}
                    )
                    assert answer.status_code in expected, (route.path, name, answer.text)
            loki = {"content-type": "application/x-protobuf"}
            packed = known["snappy block"][1]
            answer = client.post("/loki/api/v1/push", content=packed, headers=loki)
            assert answer.status_code == 413
            twice = gzip.compress(packed)
            headers = loki | {"content-encoding": "gzip"}
            answer = client.post("/loki/api/v1/push", content=twice, headers=headers)
            assert answer.status_code == 413
            assert client.get("/health/ready").status_code == 200
        assert peak_mebibytes(process) - before < 200
    finally:
        service.stop()


def test_the_sample_of_every_format_comes_back_as_it_was_sent(service: str) -> None:
    for wire in FORMATS:
        environment = f"whole-{wire.name}"
        sample = samples(environment, 1)
        answer = post(service, wire, wire.body(sample))
        assert answer.is_success, (wire.name, answer.text)
        assert messages(service, wire, environment) == ["Order 0 ☃"], wire.name
    assert json.loads(httpx.get(f"{service}/health/ready").text)["status"] == "ready"
