"""Is it well: liveness, readiness, metrics, and the numbers of the System page."""

import time
from math import isinf
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from starlette.datastructures import State
from starlette.responses import Response

from ingest_service.replies import JsonReply, error_body
from logstream import __version__, metrics
from logstream.errors import LogStreamError
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.ports import LogReader
from logstream.totals import Report, Totals, report

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
    """Text exposition format; the numbers of all ingest processes together."""
    totals = _totals(request.app.state)
    return Response(generate_latest(totals), media_type=CONTENT_TYPE_LATEST)


@router.get("/system", summary="The numbers of the System page")
def system(request: Request) -> JsonReply:
    """`service`: its processes since their start. `store`: the database, or its error."""
    reader: LogReader = request.app.state.reader
    try:
        store: dict[str, Any] = reader.system()
    except LogStreamError as error:
        store = error_body(error.code, error.message, error.hint)
    return JsonReply({"service": _service_facts(request.app.state), "store": store})


def own_report(state: State) -> Report:
    """This process's numbers, what the hub and the publisher count included."""
    metrics.FRAMES_SENT.set(state.publisher.frames_sent)
    metrics.FRAMES_FAILED.set(state.publisher.frames_failed)
    if state.hub is not None:
        metrics.PUSH_CLIENTS.set(state.hub.connections)
    return report(state.publisher.last_error)


def _totals(state: State) -> Totals:
    further = [] if state.workers is None else state.workers.reports()
    return Totals([own_report(state), *further])


def _service_facts(state: State) -> dict[str, Any]:
    totals = _totals(state)
    rejected = totals.by_label(metrics.LINES_REJECTED, "reason")
    accepted = totals.by_label(metrics.LINES_ACCEPTED, "environment")
    return {
        "version": __version__,
        "startedAt": iso_time(int(_STARTED) * NANOS_PER_SECOND),
        "uptimeSeconds": int(time.time() - _STARTED),
        "processes": totals.value(metrics.PROCESSES),
        "linesAccepted": sum(accepted.values()),
        "acceptedByEnvironment": accepted,
        "bodyBytes": sum(totals.by_label(metrics.BODY_BYTES, "format").values()),
        "linesRejected": sum(rejected.values()),
        "rejectedByReason": rejected,
        "linesPerSecond": totals.lines_per_second,
        "landingMs": _quantiles(totals, metrics.LAND_SECONDS, 1000),
        "commitMs": _quantiles(totals, metrics.COMMIT_SECONDS, 1000),
        "commitRows": _quantiles(totals, metrics.COMMIT_ROWS, 1),
        "landingBuckets": _buckets(totals, metrics.LAND_SECONDS, 1000),
        "commitRowsBuckets": _buckets(totals, metrics.COMMIT_ROWS, 1),
        "commitsRetried": totals.value(metrics.LAND_RETRIES),
        "batchesReplayed": totals.value(metrics.REPLAYS),
        "pendingBytes": totals.value(metrics.PENDING_BYTES),
        "spoolBytes": totals.value(metrics.SPOOL_BYTES),
        "spooledLines": totals.value(metrics.SPOOLED_LINES),
        "pushClients": None if state.hub is None else state.hub.connections,
        "framesSent": totals.value(metrics.FRAMES_SENT),
        "framesFailed": totals.value(metrics.FRAMES_FAILED),
        "lastPushError": totals.last_push_error,
    }


def _buckets(totals: Totals, histogram: Histogram, scale: float) -> list[tuple[float | None, int]]:
    """(upper bound, count in this bucket alone), lowest first; the last bound is None."""
    return [
        (None if isinf(upper) else round(upper * scale, 3), count)
        for upper, count in totals.buckets(histogram)
    ]


def _quantiles(totals: Totals, histogram: Histogram, scale: float) -> dict[str, float | int | None]:
    buckets = totals.buckets(histogram)
    p50, p95 = metrics.bucket_quantile(buckets, 0.5), metrics.bucket_quantile(buckets, 0.95)
    return {
        "p50": None if p50 is None else round(p50 * scale, 3),
        "p95": None if p95 is None else round(p95 * scale, 3),
        "count": sum(count for _, count in buckets),
    }
