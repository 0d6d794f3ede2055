"""Is it well: liveness, readiness, metrics, and the numbers of the System page."""

import time
from math import inf, isinf
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.responses import Response

from ingest_service.replies import JsonReply, error_body
from logstream import __version__, metrics
from logstream.errors import LogStreamError
from logstream.land.spool import SpoolReport
from logstream.land.watch import Away
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.ports import LogReader
from logstream.wiring import Store

router = APIRouter(tags=["status"])
_STARTED = time.time()
# The catalogue is asked for /metrics at most this often.
SEGMENT_SECONDS = 5.0


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
    """200 when lines can be landed and read, 503 with the reason otherwise.

    Lines are accepted in either case as long as the spool takes them: do not take a service
    out of a load balancer for this.
    """
    state = request.app.state
    reason, hint = "", ""
    try:
        state.reader.environments()
    except LogStreamError as error:
        reason, hint = error.message, error.hint
    facts = database_facts(request)
    away: Away | None = state.store.away
    if not reason and away is None:
        return JsonReply({"status": "ready", **facts})
    if away is not None:
        reason = away.reason
    body = error_body("not_ready", reason, hint or "lines are kept in the spool meanwhile")
    return JsonReply({**body, **facts}, status_code=503, headers={"Retry-After": "2"})


def database_facts(request: Request) -> dict[str, Any]:
    """How the database is, as this service sees it, and what waits for it in the spool."""
    store: Store = request.app.state.store
    away, spool = store.away, store.writer.spool_report
    return {
        "database": {
            "state": "up" if away is None else "away",
            "since": None if away is None else iso_time(_nanos(away.since_unix)),
            "reason": None if away is None else away.reason,
        },
        "spool": {
            "bytes": spool.bytes,
            "lines": spool.lines,
            "maxBytes": spool.max_bytes,
            "oldestAt": None
            if spool.oldest_unix_seconds is None
            else iso_time(_nanos(spool.oldest_unix_seconds)),
            "isNearlyFull": spool.is_nearly_full,
            "foldersTakenOver": spool.folders_taken_over,
            "damagedFiles": spool.damaged_files,
        },
    }


def _nanos(unix_seconds: float) -> int:
    return int(unix_seconds * 1000) * 1_000_000


@router.get("/metrics", summary="Prometheus metrics")
def prometheus(request: Request) -> Response:
    """Text exposition format."""
    refresh_gauges(request)
    state = request.app.state
    if time.monotonic() - getattr(state, "segments_read_at", -inf) > SEGMENT_SECONDS:
        state.segments_read_at = time.monotonic()
        refresh_segment_gauges(state.reader)
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
    service = {**_service_facts(request), **database_facts(request)}
    return JsonReply({"service": service, "store": store})


def refresh_gauges(request: Request) -> None:
    """Copy what spool, hub and publisher count into the gauges of /metrics."""
    state = request.app.state
    spool: SpoolReport = state.store.writer.spool_report
    metrics.SPOOL_BYTES.set(spool.bytes)
    metrics.SPOOL_LINES.set(spool.lines)
    metrics.SPOOL_MAX_BYTES.set(spool.max_bytes)
    metrics.SPOOL_NEARLY_FULL.set(spool.is_nearly_full)
    metrics.SPOOL_DAMAGED_FILES.set(spool.damaged_files)
    metrics.SPOOL_FOLDERS_TAKEN_OVER.set(spool.folders_taken_over)
    oldest = spool.oldest_unix_seconds
    metrics.SPOOL_OLDEST_SECONDS.set(0 if oldest is None else max(0, time.time() - oldest))
    metrics.DATABASE_UP.set(state.store.away is None)
    metrics.FRAMES_SENT.set(state.publisher.frames_sent)
    metrics.FRAMES_FAILED.set(state.publisher.frames_failed)
    if state.hub is not None:
        metrics.PUSH_CLIENTS.set(state.hub.connections)


def refresh_segment_gauges(reader: LogReader) -> None:
    """Copy the catalogue of segments into the gauges; a database that is away changes none."""
    try:
        care = reader.segment_care()
    except LogStreamError:
        return
    for state, count in care["states"].items():
        metrics.SEGMENTS.labels(state).set(count)
    metrics.SEAL_WAITING_LINES.set(care["waitingLines"])
    metrics.SEAL_WAITING_SECONDS.set(care["waitingSeconds"])
    metrics.REMOVED_LINES.set(care["removedLines"])
    for step, seconds in care["sealSeconds"].items():
        metrics.SEAL_STEP_SECONDS.labels(step).set(seconds)


def _service_facts(request: Request) -> dict[str, Any]:
    publisher, hub = request.app.state.publisher, request.app.state.hub
    rejected = _by_label(metrics.LINES_REJECTED, "reason")
    accepted = _by_label(metrics.LINES_ACCEPTED, "environment")
    return {
        "version": __version__,
        "startedAt": iso_time(int(_STARTED) * NANOS_PER_SECOND),
        "uptimeSeconds": int(time.time() - _STARTED),
        "linesAccepted": sum(accepted.values()),
        "acceptedByEnvironment": accepted,
        "bodyBytes": sum(_by_label(metrics.BODY_BYTES, "format").values()),
        "linesRejected": sum(rejected.values()),
        "rejectedByReason": rejected,
        "linesPerSecond": metrics.ACCEPTED_PER_SECOND.series(),
        "landingMs": _quantiles(metrics.LAND_SECONDS, 1000),
        "commitMs": _quantiles(metrics.COMMIT_SECONDS, 1000),
        "commitRows": _quantiles(metrics.COMMIT_ROWS, 1),
        "landingBuckets": _buckets(metrics.LAND_SECONDS, 1000),
        "commitRowsBuckets": _buckets(metrics.COMMIT_ROWS, 1),
        "commitsRetried": int(metrics.LAND_RETRIES._value.get()),
        "batchesReplayed": int(metrics.REPLAYS._value.get()),
        "pendingBytes": int(metrics.PENDING_BYTES._value.get()),
        "spooledLines": int(metrics.SPOOLED_LINES._value.get()),
        "pushClients": None if hub is None else hub.connections,
        "framesSent": publisher.frames_sent,
        "framesFailed": publisher.frames_failed,
        "lastPushError": publisher.last_error,
    }


def _by_label(counter: Counter, label: str) -> dict[str, int]:
    """The counter's totals by one of its labels, most first."""
    totals: dict[str, int] = {}
    for metric in counter.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                value = sample.labels[label]
                totals[value] = totals.get(value, 0) + int(sample.value)
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _buckets(histogram: Histogram, scale: float) -> list[tuple[float | None, int]]:
    """(upper bound, count in this bucket alone), lowest first; the last bound is None."""
    found: list[tuple[float | None, int]] = []
    below = 0
    for metric in histogram.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                upper = float(sample.labels["le"])
                in_bucket = int(sample.value) - below
                below = int(sample.value)
                found.append((None if isinf(upper) else round(upper * scale, 3), in_bucket))
    return found


def _quantiles(histogram: Any, scale: float) -> dict[str, float | int | None]:
    p50, p95 = metrics.quantile(histogram, 0.5), metrics.quantile(histogram, 0.95)
    return {
        "p50": None if p50 is None else round(p50 * scale, 3),
        "p95": None if p95 is None else round(p95 * scale, 3),
        "count": metrics.sample_count(histogram),
    }
