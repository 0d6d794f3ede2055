"""OTLP/HTTP: what OpenTelemetry SDKs and collectors send.

Every answer is in the encoding of its request. Refused records are named in a 200, since a
client must not send them again; https://opentelemetry.io/docs/specs/otlp/#otlphttp-response.
"""

from typing import Any

import msgspec

from ingest_service.protocols.protocol import JSON, Probe, Protocol, Reply, Route
from ingest_service.replies import status_of
from logstream import metrics
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import otlp_logs, otlp_metrics, otlp_schema, otlp_traces
from logstream.receive.otlp_request import PROTOBUF_TYPES

PROTOBUF = b"application/x-protobuf"
MAX_NAMED = 5
# google.rpc.Code, by HTTP status.
_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}
_UNKNOWN = 2


def _reply_for(rejected_name: str) -> Any:
    def reply(arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
        errors = [reject.error for reject in landed.rejects[:MAX_NAMED]]
        if len(landed.rejects) > MAX_NAMED:
            errors.append(f"and {len(landed.rejects) - MAX_NAMED} more")
        return _answer(arrival, rejected_name, len(landed.rejects), "; ".join(errors))

    return reply


def reply_to_metrics(arrival: Arrival, _decoded: Decoded, _landed: Landed) -> Reply:
    """200 that refuses every data point: any error would be logged by the sender each time."""
    rejected = otlp_metrics.point_count(arrival)
    if rejected:
        metrics.LINES_REJECTED.labels("otlp_metrics", "not_kept").inc(rejected)
    message = "metrics are not kept here, only logs and traces; export metrics elsewhere or not"
    return _answer(arrival, "rejectedDataPoints", rejected, message if rejected else "")


def refuse(error: LogStreamError, arrival: Arrival | None) -> Reply:
    """A google.rpc.Status."""
    status = status_of(error)
    code, message = _CODES.get(status, _UNKNOWN), error.one_line()
    if _is_protobuf(arrival):
        body = otlp_schema.RpcStatus(code=code, message=message).SerializeToString()
        return Reply(status, body, PROTOBUF)
    return Reply(status, msgspec.json.encode({"code": code, "message": message}), JSON)


def _answer(arrival: Arrival, rejected_name: str, rejected: int, message: str) -> Reply:
    """An Export…ServiceResponse; without `partial_success` when nothing was rejected."""
    if _is_protobuf(arrival):
        response = otlp_schema.Response()
        if rejected:
            response.partial_success.rejected = rejected
            response.partial_success.error_message = message
        return Reply(200, response.SerializeToString(), PROTOBUF)
    if not rejected:
        return Reply(200, b"{}", JSON)
    # 64-bit numbers are text in protobuf's JSON.
    partial = {rejected_name: str(rejected), "errorMessage": message}
    return Reply(200, msgspec.json.encode({"partialSuccess": partial}), JSON)


def _is_protobuf(arrival: Arrival | None) -> bool:
    if arrival is None:
        return False
    if arrival.content_type:
        return arrival.content_type in PROTOBUF_TYPES
    return not arrival.body.lstrip().startswith(b"{")


LOGS = Protocol("otlp", otlp_logs.decode, _reply_for("rejectedLogRecords"), refuse)
TRACES = Protocol("otlp_traces", otlp_traces.decode, _reply_for("rejectedSpans"), refuse)
METRICS = Protocol("otlp_metrics", otlp_metrics.decode, reply_to_metrics, refuse)
ROUTES = tuple(
    Route(f"{prefix}/v1/{signal}", protocol, summary=summary)
    for prefix in ("", "/otlp")
    for signal, protocol, summary in (
        ("logs", LOGS, "Land OpenTelemetry log records"),
        ("traces", TRACES, "Land OpenTelemetry spans"),
        ("metrics", METRICS, "Decline OpenTelemetry metrics"),
    )
)
PROBES: tuple[Probe, ...] = ()
