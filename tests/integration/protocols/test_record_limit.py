"""Tiny records in large numbers: answered 413 in the sender's own format, and soon forgotten."""

import gzip
import re
from pathlib import Path

import httpx
import psutil

from scripts.hostile_formats import proto
from scripts.soak.service import Service
from tests.service_thread import running_service, settings_for

# What a body may hold, but for what stands around the records.
ROOM = 20 * 1024 * 1024 - 1024
MOST_MEGABYTES = 600
PROTOBUF, JSON = "application/x-protobuf", "application/json"


def test_each_format_refuses_in_its_own_words(database_url: str, tmp_path: Path) -> None:
    with (
        running_service(settings_for(database_url, tmp_path, max_records=3)) as service,
        httpx.Client(base_url=service) as client,
    ):
        native = [{"source": "a", "message": "b"}] * 4
        bulk = b'{"create":{"_index":"logs"}}\n{"message":"b"}\n' * 4
        assert client.post("/logs/ingest", json=native[:3]).status_code == 201
        answer = client.post("/logs/ingest", json=native)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"
        assert "LOGSTREAM_MAX_RECORDS" in answer.json()["error"]["hint"]
        answer = client.post("/_bulk", content=bulk, headers={"content-type": JSON})
        assert answer.status_code == 413
        assert answer.json()["error"]["type"] == "content_too_long_exception"
        assert "more than 3 records" in answer.json()["error"]["reason"]
        # Asking about a body has the same limit as sending it.
        answer = client.post("/ingest/explain", params={"path": "/logs/ingest"}, json=native)
        assert "LOGSTREAM_MAX_RECORDS" in answer.text
        assert len(client.get("/logs/recent").json()) == 3


def filled(piece: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + piece * (ROOM // len(piece)) + after


def smallest_records() -> dict[str, tuple[str, str, bytes]]:
    """A body full of the smallest records of each format; path and Content-Type before it."""
    pieces = b"\x12\x00" * (ROOM // 2)
    values = b'{"streams":[{"stream":{},"values":['
    return {
        "OTLP": ("/v1/logs", PROTOBUF, proto(1, proto(2, pieces))),
        "OTLP spans": ("/v1/traces", PROTOBUF, proto(1, proto(2, pieces))),
        "OTLP scopes": ("/v1/logs", PROTOBUF, filled(b"\x0a\x04\x12\x02\x12\x00")),
        "OTLP groups": ("/v1/logs", PROTOBUF, filled(b"\x0a\x00")),
        "OTLP metrics": ("/v1/metrics", PROTOBUF, proto(1, proto(2, pieces))),
        "OTLP JSON": (
            "/v1/logs",
            JSON,
            filled(b"{},", b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[', b"{}]}]}]}"),
        ),
        "Loki": ("/loki/api/v1/push", PROTOBUF, proto(1, pieces)),
        "Loki JSON": ("/loki/api/v1/push", JSON, filled(b'["",""],', values, b'["",""]]}]}')),
        "Loki numbers": ("/loki/api/v1/push", JSON, filled(b"0,", values, b"0]}]}")),
        "Loki streams": ("/loki/api/v1/push", JSON, filled(b"0,", b'{"streams":[', b"0]}")),
        "native": ("/logs/ingest", JSON, filled(b"{},", b"[", b"{}]")),
        "NDJSON": ("/logs/ingest", "application/x-ndjson", filled(b"{}\n")),
        "generic": ("/ingest", JSON, filled(b"0,", b"[", b"0]")),
        "generic text": ("/ingest", "text/plain", filled(b"a\n")),
        "msgpack": (
            "/ingest",
            "application/msgpack",
            filled(b"\x80", b"\xdd" + ROOM.to_bytes(4, "big")),
        ),
        "HEC": ("/services/collector", JSON, filled(b"{}")),
        "HEC raw": ("/services/collector/raw", "text/plain", filled(b"a\n")),
        "_bulk": ("/_bulk", JSON, filled(b"a\n")),
        "Zipkin": ("/api/v2/spans", JSON, filled(b"0,", b"[", b"0]")),
        "GELF": ("/gelf", JSON, filled(b"{}\n")),
        "Datadog": ("/api/v2/logs", JSON, filled(b"{},", b"[", b"{}]")),
        "CLEF": ("/ingest/clef", JSON, filled(b"{}\n")),
        "Application Insights": ("/v2.1/track", JSON, filled(b"{}\n")),
        "Sentry": (
            "/api/1/envelope/",
            "application/x-sentry-envelope",
            filled(b"0,", b'{}\n{"type":"log"}\n{"items":[', b"0]}"),
        ),
    }


def peak_mebibytes(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) / 1024


def test_a_body_of_the_smallest_records_takes_little_memory(
    database_url: str, tmp_path: Path
) -> None:
    service = Service(tmp_path / "data", database_url)
    service.start()
    try:
        process = service.part("serve")
        assert process is not None
        before = peak_mebibytes(process)
        with httpx.Client(base_url=service.url, timeout=60) as client:
            for name, (path, content_type, body) in smallest_records().items():
                headers = {"content-type": content_type, "content-encoding": "gzip"}
                packed = gzip.compress(body, 1)
                answer = client.post(path, content=packed, headers=headers)
                assert answer.status_code == 413, (name, answer.text[:300])

                assert peak_mebibytes(process) - before < MOST_MEGABYTES, name
            assert client.get("/health/ready").status_code == 200
    finally:
        service.stop()
