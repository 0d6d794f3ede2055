"""OTLP/HTTP as SDKs and collectors meet it: both encodings, replies and errors."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from logstream.receive import otlp_schema
from tests.otlp_requests import CONTENT_TYPES, NANO, SPAN, TRACE, Encoding, encoded, logs, traces
from tests.service_thread import running_service, settings_for

ENCODINGS: tuple[Encoding, ...] = ("protobuf", "json")
WARNING = {
    "time_unix_nano": NANO,
    "severity_number": 13,
    "body": "slow query took 1530 ms",
    "attributes": {"latency": 1530},
    "trace_id": TRACE,
    "span_id": SPAN,
}


def send(
    service: str, path: str, content: bytes, encoding: Encoding, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"content-type": CONTENT_TYPES[encoding], **named}
    reply = httpx.post(f"{service}{path}", content=content, headers=named, timeout=30)
    if "content-type" not in headers:
        assert reply.headers["content-type"] == CONTENT_TYPES[encoding]
    return reply


def recent(service: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = httpx.get(f"{service}/logs/recent", timeout=30).json()
    return lines


def error_of(reply: httpx.Response) -> dict[str, Any]:
    """The google.rpc.Status of a reply."""
    if reply.headers["content-type"] == "application/json":
        content: dict[str, Any] = reply.json()
        return content
    status = otlp_schema.RpcStatus.FromString(reply.content)
    return {"code": status.code, "message": status.message}


def test_logs_are_stored_in_either_encoding_and_compression(service: str) -> None:
    compressions = {
        "identity": bytes,
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "zstd": zstandard.compress,
    }
    for encoding in ENCODINGS:
        for name, compress in compressions.items():
            request = logs(WARNING, resource={"service.name": f"{encoding}-{name}"})
            for prefix in ("", "/otlp"):
                reply = send(
                    service,
                    f"{prefix}/v1/logs",
                    compress(encoded(request, encoding)),
                    encoding,
                    content_encoding=name,
                )
                assert reply.status_code == 200
                assert reply.content == (b"" if encoding == "protobuf" else b"{}")
    lines = recent(service)
    assert len(lines) == 16
    assert {line["source"] for line in lines} == {
        f"{encoding}-{name}" for encoding in ENCODINGS for name in compressions
    }
    for line in lines:
        assert line["message"] == "slow query took 1530 ms"
        assert line["severity"] == "warn"
        assert line["createdAt"] == "2026-01-31T14:05:00.123456789Z"
        assert (line["traceId"], line["spanId"], line["latency"]) == (TRACE, SPAN, 1530)
        assert line["metadata"] == {"latency": 1530}


def test_what_is_refused_is_told_in_a_200_in_the_encoding_of_the_request(service: str) -> None:
    broken = encoded(logs({"body": "one"}, {"body": "two"}), "protobuf")
    broken = broken.replace(b"\x0a\x03two", b"\x0a\x09two")
    reply = send(service, "/v1/logs", broken, "protobuf")
    assert reply.status_code == 200
    partial = ExportLogsServiceResponse.FromString(reply.content).partial_success
    assert partial.rejected_log_records == 1
    assert partial.error_message.startswith("log record 1: ")
    assert [line["message"] for line in recent(service)] == ["one"]

    # Even when nothing is left: the request was understood, and must not be sent again.
    request = traces({"name": "lost"}, {"name": "gone", "trace_id": TRACE})
    reply = send(service, "/v1/traces", encoded(request, "json"), "json")
    assert reply.status_code == 200
    partial_success = reply.json()["partialSuccess"]
    assert partial_success["rejectedSpans"] == "2"
    assert "traceId is missing" in partial_success["errorMessage"]
    assert "spanId is missing" in partial_success["errorMessage"]

    reply = send(service, "/v1/traces", encoded(request, "protobuf"), "protobuf")
    rejected = ExportTraceServiceResponse.FromString(reply.content).partial_success
    assert rejected.rejected_spans == 2


def test_traces_are_taken_and_empty_requests_succeed(service: str) -> None:
    span = {"trace_id": TRACE, "span_id": SPAN, "name": "GET /", "start_time_unix_nano": NANO}
    for encoding in ENCODINGS:
        full = b"" if encoding == "protobuf" else b"{}"
        for path in ("/v1/traces", "/otlp/v1/traces"):
            reply = send(service, path, encoded(traces(span), encoding), encoding)
            assert (reply.status_code, reply.content) == (200, full)
        for path in ("/v1/traces", "/v1/logs", "/v1/metrics"):
            reply = send(service, path, b"", encoding)
            assert (reply.status_code, reply.content) == (200, full)


def test_metrics_are_declined_point_by_point_without_an_error(service: str) -> None:
    request: Message = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    for _ in range(3):
        metric.sum.data_points.add(as_int=1)
    reply = send(service, "/v1/metrics", request.SerializeToString(), "protobuf")
    assert reply.status_code == 200
    partial = ExportMetricsServiceResponse.FromString(reply.content).partial_success
    assert partial.rejected_data_points == 3
    assert "metrics are not kept" in partial.error_message
    reply = send(service, "/v1/metrics", encoded(request, "json"), "json")
    assert reply.json()["partialSuccess"]["rejectedDataPoints"] == "3"
    counts = httpx.get(f"{service}/metrics", timeout=30).text
    assert 'logstream_lines_rejected_total{format="otlp_metrics",reason="not_kept"} 6.0' in counts


def test_errors_are_a_status_in_the_encoding_of_the_request(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(database_url, tmp_path, max_body_bytes=1_000_000)
    with running_service(settings) as service:
        for encoding, broken in (("protobuf", b"\x0a\xff\xff"), ("json", b'{"resourceLogs":[')):
            reply = send(service, "/v1/logs", broken, encoding)
            assert reply.status_code == 400
            assert error_of(reply)["code"] == 3
            assert "is not an OTLP request" in error_of(reply)["message"]

            # Refused before the body is read, and after it was decompressed.
            for content, headers in (
                (b"x" * 1_000_001, {}),
                (gzip.compress(b"x" * 1_000_001), {"content_encoding": "gzip"}),
            ):
                reply = send(service, "/v1/traces", content, encoding, **headers)
                assert reply.status_code == 413
                assert "LOGSTREAM_MAX_BODY_BYTES" in error_of(reply)["message"]

            reply = send(service, "/v1/logs", b"x", encoding, content_encoding="br")
            assert reply.status_code == 415

        reply = httpx.post(
            f"{service}/v1/logs", content=b"a=b", headers={"content-type": "text/plain"}
        )
        assert reply.status_code == 415
        assert reply.headers["content-type"] == "application/json"
        assert "text/plain" in reply.json()["message"]


def test_a_store_that_is_away_with_a_full_spool_asks_to_send_again(tmp_path: Path) -> None:
    settings = settings_for("postgresql://nobody@127.0.0.1:9/none", tmp_path, spool_max_bytes=0)
    with running_service(settings, has_database=False) as service:
        for encoding in ENCODINGS:
            reply = send(service, "/v1/logs", encoded(logs(WARNING), encoding), encoding)
            assert reply.status_code == 503
            assert int(reply.headers["retry-after"]) >= 1
            assert error_of(reply)["code"] == 14
            assert send(service, "/v1/logs", b"", encoding).status_code == 200


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/traces"])
def test_a_truncated_or_mixed_request_is_never_a_server_error(service: str, path: str) -> None:
    request = logs(WARNING) if path == "/v1/logs" else traces({"trace_id": TRACE, "span_id": SPAN})
    protobuf, text = encoded(request, "protobuf"), encoded(request, "json")
    bodies = [protobuf[:cut] for cut in range(0, len(protobuf), 7)]
    bodies += [text[:cut] for cut in range(0, len(text), 11)]
    bodies += [json.dumps(hostile).encode() for hostile in (None, [], "x", {"resourceLogs": {}})]
    with httpx.Client(base_url=service, timeout=30) as client:
        for body in bodies:
            for content_type in CONTENT_TYPES.values():
                reply = client.post(path, content=body, headers={"content-type": content_type})
                assert reply.status_code in (200, 400)
                assert reply.headers["content-type"] == content_type
