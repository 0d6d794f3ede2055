"""The same lines in each wire format, to the same service: what a format costs.

The ratio is to our own NDJSON in the same run; all bodies hold 1,000 lines.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import cramjam
import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from scripts.bench.landing import landed
from scripts.bench.lines import make_lines
from scripts.bench.machine import machine
from scripts.bench.report import Row
from scripts.bench.senders import request

LINES_A_BODY = 1_000
SENDERS = 4
_NUMBERS = {"debug": 5, "info": 9, "warn": 13, "error": 17}
Line = dict[str, Any]


def native(lines: list[Line]) -> bytes:
    """Our own NDJSON."""
    body = b"\n".join(map(msgspec.json.encode, lines))
    return request("/logs/ingest", body, "application/x-ndjson")


def otlp(lines: list[Line]) -> bytes:
    """OTLP protobuf, one resource a service, as a collector sends it."""
    message = ExportLogsServiceRequest()
    for service, own in _by_service(lines):
        resource_logs = message.resource_logs.add()
        name = resource_logs.resource.attributes.add(key="service.name")
        name.value.string_value = service
        scope_logs = resource_logs.scope_logs.add()
        for line in own:
            metadata = dict(line["metadata"])
            record = scope_logs.log_records.add(
                time_unix_nano=line["createdAt"] * 1_000,
                severity_number=_NUMBERS[line["severity"]],
                severity_text=line["severity"].upper(),
                trace_id=bytes.fromhex(metadata.pop("traceId")),
                span_id=bytes.fromhex(metadata.pop("spanId")),
            )
            record.body.string_value = line["message"]
            for key, value in metadata.items():
                attribute = record.attributes.add(key=key)
                if isinstance(value, int):
                    attribute.value.int_value = value
                else:
                    attribute.value.string_value = value
    return request("/v1/logs", message.SerializeToString(), "application/x-protobuf")


def loki(lines: list[Line]) -> bytes:
    """Snappy protobuf with structured metadata, a stream a service and level, as Alloy sends it."""
    body = b""
    by_stream: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        by_stream.setdefault((line["source"], line["severity"]), []).append(line)
    for (service, level), own in by_stream.items():
        stream = _bytes(1, f'{{service_name="{service}", level="{level}"}}'.encode())
        for line in own:
            seconds, micros = divmod(line["createdAt"], 1_000_000)
            entry = _bytes(1, _number(1, seconds) + _number(2, micros * 1_000))
            entry += _bytes(2, line["message"].encode())
            for name, value in line["metadata"].items():
                entry += _bytes(3, _bytes(1, name.encode()) + _bytes(2, str(value).encode()))
            stream += _bytes(2, entry)
        body += _bytes(1, stream)
    packed = bytes(cramjam.snappy.compress_raw(body))
    return request("/loki/api/v1/push", packed, "application/x-protobuf")


def bulk(lines: list[Line]) -> bytes:
    """Elasticsearch documents of the Elastic Common Schema."""
    rows: list[bytes] = []
    for line in lines:
        metadata = line["metadata"]
        document = {
            "@timestamp": line["createdAt"],
            "message": line["message"],
            "log.level": line["severity"],
            "service.name": line["source"],
            "trace.id": metadata["traceId"],
            "span.id": metadata["spanId"],
            "host.name": metadata["host.name"],
            "user.id": metadata["user.id"],
            "latency": metadata["latency"],
            "region": metadata["region"],
        }
        rows += [b'{"create":{"_index":"logs-app-default"}}', msgspec.json.encode(document)]
    return request("/_bulk", b"\n".join(rows) + b"\n", "application/x-ndjson")


def splunk_hec(lines: list[Line]) -> bytes:
    """HEC events back to back."""
    events = (
        {
            "time": line["createdAt"] / 1_000_000,
            "host": line["metadata"]["host.name"],
            "source": line["source"],
            "sourcetype": "app",
            "event": {
                "message": line["message"],
                "severity": line["severity"],
                **line["metadata"],
            },
        }
        for line in lines
    )
    body = b"".join(map(msgspec.json.encode, events))
    return request("/services/collector/event", body)


FORMATS: dict[str, Callable[[list[Line]], bytes]] = {
    "NDJSON": native,
    "OTLP protobuf": otlp,
    "Loki": loki,
    "_bulk": bulk,
    "Splunk HEC": splunk_hec,
}


def run() -> list[Row]:
    """Lines a second and CPU of each format, then its ratio to NDJSON."""
    lines = [msgspec.json.decode(line) for line in make_lines(20_000)]
    rows: list[Row] = []
    ratios: list[Row] = []
    bound = 0.0
    with machine() as running:
        for name, make in FORMATS.items():
            bodies = [
                make(lines[at : at + LINES_A_BODY]) for at in range(0, len(lines), LINES_A_BODY)
            ]
            found = landed(running, bodies, SENDERS, LINES_A_BODY)
            rows += [Row(f"{name}: {row.what}", row.unit, row.value) for row in found]
            bound = bound or found[0].value
            ratios.append(Row("ratio", f"{name} / NDJSON", found[0].value / bound))
    return rows + ratios


def _by_service(lines: list[Line]) -> Iterator[tuple[str, list[Line]]]:
    ordered = sorted(lines, key=lambda line: line["source"])
    for service, own in itertools.groupby(ordered, key=lambda line: line["source"]):
        yield service, list(own)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
