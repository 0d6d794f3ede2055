"""Is it well: liveness, readiness, metrics, and the numbers of the System page."""

import time
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from ingest_service.replies import JsonReply, error_body
from logstream import __version__, metrics
from logstream.errors import LogStreamError
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.ports import LogReader

router = APIRouter(tags=["status"])
_STARTED = time.time()


@router.get("/", summary="What this is")
def root() -> JsonReply:
    """Name, version and where to look next."""
    return JsonReply(
        {"name": "LogStream", "version": __version__, "status": "/health/ready", "docs": "/docs"}
    )


@router.get("/health/live", summary="The process answers")
async def live() -> JsonReply:
    """200 as long as the process runs."""
    return JsonReply({"status": "live"})


@router.get("/health/ready", summary="Lines can be landed and read")
def ready(request: Request) -> JsonReply:
    """200 when the database answers, 503 with the reason otherwise."""
    reader: LogReader = request.app.state.reader
    try:
        reader.environments()
    except LogStreamError as error:
        return JsonReply(
            error_body("not_ready", error.message, error.hint),
            status_code=503,
            headers={"Retry-After": "2"},
        )
    return JsonReply({"status": "ready", "database": "up"})


@router.get("/metrics", summary="Prometheus metrics")
def prometheus(request: Request) -> Response:
    """Text exposition format."""
    refresh_gauges(request)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/system", summary="The numbers of the System page")
def system(request: Request) -> JsonReply:
    """`service`: this process since its start. `store`: the database, or its error."""
    refresh_gauges(request)
    reader: LogReader = request.app.state.reader
    try:
        store: dict[str, Any] = reader.system()
    except LogStreamError as error:
        store = error_body(error.code, error.message, error.hint)
    return JsonReply({"service": _service_facts(request), "store": store})


def refresh_gauges(request: Request) -> None:
    """Copy what the hub and the publisher count into the gauges of /metrics."""
    state = request.app.state
    metrics.FRAMES_SENT.set(state.publisher.frames_sent)
    metrics.FRAMES_FAILED.set(state.publisher.frames_failed)
    if state.hub is not None:
        metrics.PUSH_CLIENTS.set(state.hub.connections)


def _service_facts(request: Request) -> dict[str, Any]:
    publisher, hub = request.app.state.publisher, request.app.state.hub
    accepted = sum(
        sample.value
        for metric in metrics.LINES_ACCEPTED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )
    rejected: dict[str, int] = {}
    for metric in metrics.LINES_REJECTED.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                reason = sample.labels["reason"]
                rejected[reason] = rejected.get(reason, 0) + int(sample.value)
    return {
        "version": __version__,
        "startedAt": iso_time(int(_STARTED) * NANOS_PER_SECOND),
        "uptimeSeconds": int(time.time() - _STARTED),
        "linesAccepted": int(accepted),
        "linesRejected": sum(rejected.values()),
        "rejectedByReason": rejected,
        "linesPerSecond": metrics.ACCEPTED_PER_SECOND.series(),
        "landingMs": _quantiles(metrics.LAND_SECONDS, 1000),
        "commitMs": _quantiles(metrics.COMMIT_SECONDS, 1000),
        "commitRows": _quantiles(metrics.COMMIT_ROWS, 1),
        "pendingBytes": int(metrics.PENDING_BYTES._value.get()),
        "pushClients": None if hub is None else hub.connections,
        "framesSent": publisher.frames_sent,
        "framesFailed": publisher.frames_failed,
        "lastPushError": publisher.last_error,
    }


def _quantiles(histogram: Any, scale: float) -> dict[str, float | int | None]:
    p50, p95 = metrics.quantile(histogram, 0.5), metrics.quantile(histogram, 0.95)
    return {
        "p50": None if p50 is None else round(p50 * scale, 3),
        "p95": None if p95 is None else round(p95 * scale, 3),
        "count": metrics.sample_count(histogram),
    }
