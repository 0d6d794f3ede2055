"""POST /logs/ingest as senders meet it, good and hostile."""

import base64
import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service_thread import running_service, settings_for

FOUNDING_EXAMPLE = {
    "source": "payment-gateway",
    "message": "Payment timeout after 5000 ms",
    "severity": "error",
    "metadata": {"traceId": "abc123", "latency": 5000, "region": "westeurope"},
}


def ingest(service: str, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{service}/logs/ingest", content=body, headers=named, timeout=30)


def recent(service: str, **parameters: str | int) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = httpx.get(
        f"{service}/logs/recent", params=parameters, timeout=30
    ).json()
    return lines


def test_the_founding_example_is_durable_and_comes_back(service: str) -> None:
    reply = ingest(service, json.dumps(FOUNDING_EXAMPLE).encode())
    assert reply.status_code == 201
    assert reply.json() == {"accepted": 1, "rejected": [], "ids": [1, 1], "durable": "database"}
    [line] = recent(service)
    assert {name: line[name] for name in FOUNDING_EXAMPLE} == FOUNDING_EXAMPLE
    assert (line["id"], line["traceId"], line["latency"]) == (1, "abc123", 5000)
    assert line["environment"] == "production"


def test_an_array_and_ndjson_land_with_named_rejects(service: str) -> None:
    array = json.dumps(
        [
            {"source": "a", "message": "one", "severity": "info"},
            {"source": "a", "message": "two", "severity": "loud"},
            {"source": "a", "message": "three", "severity": "warn"},
        ]
    )
    reply = ingest(service, array.encode())
    assert reply.status_code == 201
    assert reply.json()["accepted"] == 2
    [reject] = reply.json()["rejected"]
    assert reject["index"] == 1
    assert "'loud' is not known" in reject["error"] and "use trace" in reject["error"]

    lines = b'{"source":"a","message":"four"}\n\nnot json\n{"source":"a","message":"five"}\n'
    reply = ingest(service, lines, content_type="application/x-ndjson")
    assert (reply.status_code, reply.json()["accepted"]) == (201, 2)
    assert [line["message"] for line in recent(service)] == ["five", "four", "three", "one"]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstandard.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
def test_compressed_bodies_are_read(service: str, encoding: str, packed: object) -> None:
    body = packed(json.dumps(FOUNDING_EXAMPLE).encode())  # type: ignore[operator]
    assert ingest(service, body, content_encoding=encoding).status_code == 201


def test_a_gzip_bomb_is_refused_with_the_limit(database_url: str, tmp_path: Path) -> None:
    with running_service(settings_for(database_url, tmp_path, max_body_bytes=100_000)) as service:
        bomb = gzip.compress(b" " * 50_000_000)
        reply = ingest(service, bomb, content_encoding="gzip")
        assert reply.status_code == 413
        assert "LOGSTREAM_MAX_BODY_BYTES" in reply.json()["error"]["hint"]
        assert ingest(service, b"x" * 200_000).status_code == 413
        assert ingest(service, json.dumps(FOUNDING_EXAMPLE).encode()).status_code == 201


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"", "", 400),
        (b"{", "", 400),
        (b"[1, 2]", "", 400),
        (b"nonsense", "", 400),
        (b"\xff\xfe\x00", "", 400),
        (b"not gzip", "gzip", 400),
        (b"{}", "br", 415),
        (b"[" * 100_000, "", 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "", 400),
    ],
)
def test_what_cannot_be_read_is_a_clear_400(
    service: str, body: bytes, encoding: str, status: int
) -> None:
    reply = ingest(service, body, content_encoding=encoding)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["code"] and error["message"] and error["hint"]


def test_hostile_text_is_kept_as_text(service: str, database_url: str) -> None:
    hostile = [
        "<script>alert(1)</script>",
        "{{7*7}} ${7*7} $x^2$ **bold** [link](javascript:alert(1))",
        "'; DROP TABLE logs; --",
        "line one\nline two\r\nline three\ttab",
        "\u202egnp.exe \U0001f600 \u0000 nul \ufffe",
        "\x1b[31mred\x1b[0m",
        "x" * 100_000,
    ]
    records = [
        {"source": text[:50], "message": text, "metadata": {text[:50]: text}} for text in hostile
    ]
    reply = ingest(service, json.dumps(records).encode())
    assert (reply.status_code, reply.json()["accepted"]) == (201, len(hostile))
    kept = [text.replace("\x00", "\ufffd") for text in hostile]
    assert [line["message"] for line in reversed(recent(service))] == kept
    with psycopg.connect(database_url) as connection:
        # Everything stored can be cast to jsonb, which refuses NUL escapes and the like.
        [(count,)] = connection.execute("SELECT count(attributes::jsonb) FROM logs").fetchall()
    assert count == len(hostile)


def test_broken_unicode_never_costs_the_line(service: str) -> None:
    bodies = [
        b'{"source":"a","message":"lone \\ud800 surrogate","metadata":{"k":"\\udc00"}}',
        b'{"source":"a","message":"bad \xff\xfe bytes"}',
        b'{"source":"a","message":"nul \\u0000","metadata":{"\\u0000":"\\u0000"}}',
        b'{"source":"a","message":"overflow","metadata":{"n":1e999999}}',
    ]
    for body in bodies:
        reply = ingest(service, body)
        assert (reply.status_code, reply.json()["accepted"]) == (201, 1), body
    assert all("\x00" not in str(line["message"]) for line in recent(service))


def test_a_ten_megabyte_message_and_a_hundred_thousand_records_land(service: str) -> None:
    big = "m" * (10 * 1024 * 1024)
    assert ingest(service, json.dumps({"source": "a", "message": big}).encode()).status_code == 201
    many = b"[" + b",".join([b'{"source":"a","message":"tick"}'] * 100_000) + b"]"
    reply = ingest(service, many)
    assert (reply.status_code, reply.json()["accepted"]) == (201, 100_000)
    first, last = reply.json()["ids"]
    assert last - first == 99_999
    whole = httpx.get(f"{service}/logs/1", timeout=30).json()
    assert len(whole["message"]) == len(big)


def test_an_idempotency_key_makes_a_retry_harmless(service: str) -> None:
    body = json.dumps([FOUNDING_EXAMPLE] * 3).encode()
    first = ingest(service, body, idempotency_key="shipper-7/000123")
    again = ingest(service, body, idempotency_key="shipper-7/000123")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(recent(service)) == 3
    assert ingest(service, body, idempotency_key="k" * 201).status_code == 400


def test_many_senders_at_once_get_distinct_ids(service: str, database_url: str) -> None:
    def send(sender: int) -> list[int]:
        ids: list[int] = []
        with httpx.Client(base_url=service) as client:
            for n in range(25):
                record = {"source": f"sender-{sender}", "message": f"line {n}"}
                ids += client.post("/logs/ingest", json=[record] * 4).json()["ids"]
        return ids

    with ThreadPoolExecutor(8) as senders:
        first_and_last = [one for ids in senders.map(send, range(8)) for one in ids]
    assert len(set(first_and_last)) == 8 * 25 * 2
    with psycopg.connect(database_url) as connection:
        [row] = connection.execute(
            "SELECT count(*), count(DISTINCT id), (SELECT sum(count) FROM log_counts) FROM logs"
        ).fetchall()
    assert row == (800, 800, 800)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["source", "message", "severity", "metadata", "createdAt", "x"]
                    ),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    encoding=st.sampled_from(["", "gzip", "zstd", "deflate", "identity, gzip"]),
)
def test_no_body_makes_a_server_error(service: str, body: bytes, encoding: str) -> None:
    reply = ingest(service, body, content_encoding=encoding)
    assert reply.status_code < 500, (reply.status_code, base64.b64encode(body))


def test_only_post_and_put_are_for_ingest(service: str) -> None:
    reply = httpx.get(f"{service}/logs/ingest")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST, PUT")
