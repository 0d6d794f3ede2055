"""Is it well: liveness, readiness, metrics, and the numbers of the System page."""

import time
from math import inf, isinf
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from starlette.datastructures import State
from starlette.responses import PlainTextResponse, Response

from ingest_service.protocols import ROUTES
from ingest_service.replies import JsonReply, error_body
from logstream import __version__, metrics
from logstream.errors import LogStreamError
from logstream.land.spool import SpoolReport
from logstream.land.watch import Away
from logstream.model import NANOS_PER_SECOND, iso_time
from logstream.ports import LogReader
from logstream.totals import Report, Totals, report
from logstream.trace_port import TraceReader

router = APIRouter(tags=["status"])
_STARTED = time.time()
# The catalogue is asked for /metrics at most this often.
SEGMENT_SECONDS = 5.0
KEYS_SECONDS = 3.0


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
    facts = database_facts(state, _totals(state))
    away: Away | None = state.store.away
    if not reason and away is None:
        return JsonReply({"status": "ready", **facts})
    if away is not None:
        reason = away.reason
    body = error_body("not_ready", reason, hint or "lines are kept in the spool meanwhile")
    return JsonReply({**body, **facts}, status_code=503, headers={"Retry-After": "2"})


def database_facts(state: State, totals: Totals) -> dict[str, Any]:
    """How the database is, as this service sees it, and what waits for it in the spool."""
    away: Away | None = state.store.away
    oldest_seconds = totals.amount(metrics.SPOOL_OLDEST_SECONDS)
    lines = totals.value(metrics.SPOOL_LINES)
    return {
        "database": {
            "state": "up" if away is None else "away",
            "since": None if away is None else iso_time(_nanos(away.since_unix)),
            "reason": None if away is None else away.reason,
        },
        "spool": {
            "bytes": totals.value(metrics.SPOOL_BYTES),
            "lines": lines,
            "maxBytes": totals.value(metrics.SPOOL_MAX_BYTES),
            "oldestAt": iso_time(_nanos(time.time() - oldest_seconds)) if lines else None,
            "isNearlyFull": bool(totals.value(metrics.SPOOL_NEARLY_FULL)),
            "foldersTakenOver": totals.value(metrics.SPOOL_FOLDERS_TAKEN_OVER),
            "damagedFiles": totals.value(metrics.SPOOL_DAMAGED_FILES),
        },
    }


def _nanos(unix_seconds: float) -> int:
    return int(unix_seconds * 1000) * 1_000_000


@router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
def prometheus(request: Request) -> Response:
    """Text exposition format; the numbers of all ingest processes together."""
    state = request.app.state
    if time.monotonic() - getattr(state, "segments_read_at", -inf) > SEGMENT_SECONDS:
        state.segments_read_at = time.monotonic()
        refresh_segment_gauges(state.reader)
    return Response(generate_latest(_totals(state)), media_type=CONTENT_TYPE_LATEST)


@router.get("/system", summary="The numbers of the System page")
def system(request: Request) -> JsonReply:
    """`service`: its processes since their start. `store`: the database, or its error."""
    state = request.app.state
    reader: LogReader = state.reader
    traces: TraceReader = state.traces
    try:
        store: dict[str, Any] = {**reader.system(), "traces": traces.system()}
    except LogStreamError as error:
        store = error_body(error.code, error.message, error.hint)
    totals = _totals(state)
    service = {
        **_service_facts(state, totals),
        **database_facts(state, totals),
        "apiKeys": _api_keys(state),
    }
    return JsonReply({"service": service, "store": store})


def _api_keys(state: State) -> list[dict[str, Any]]:
    if time.monotonic() - getattr(state, "keys_read_at", -inf) > KEYS_SECONDS:
        state.keys_read_at = time.monotonic()
        state.shown_keys = state.store.shown_keys() if state.store.away is None else []
    keys: list[dict[str, Any]] = state.shown_keys
    return keys


def own_report(state: State) -> Report:
    """This process's numbers, what spool, hub and publisher count included."""
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
        metrics.PUSH_SLOW_CLIENTS.set(state.hub.slow_viewers)
        metrics.PUSH_CLIENTS_CLOSED.set(state.hub.slow_viewers_dropped)
        metrics.PUSH_MESSAGES_DROPPED.set(state.hub.messages_dropped)
    publisher = state.publisher
    return report(publisher.last_error, publisher.last_error_at, publisher.problem)


def _totals(state: State) -> Totals:
    further = [] if state.workers is None else state.workers.reports()
    return Totals([own_report(state), *further])


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


def _service_facts(state: State, totals: Totals) -> dict[str, Any]:
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
        "formats": _formats(totals),
        "knownFormats": list(dict.fromkeys(route.protocol.name for route in ROUTES)),
        "linesPerSecond": totals.lines_per_second,
        "landingMs": _quantiles(totals, metrics.LAND_SECONDS, 1000),
        "commitMs": _quantiles(totals, metrics.COMMIT_SECONDS, 1000),
        "commitRows": _quantiles(totals, metrics.COMMIT_ROWS, 1),
        "landingBuckets": _buckets(totals, metrics.LAND_SECONDS, 1000),
        "commitRowsBuckets": _buckets(totals, metrics.COMMIT_ROWS, 1),
        "commitsRetried": totals.value(metrics.LAND_RETRIES),
        "batchesReplayed": totals.value(metrics.REPLAYS),
        "pendingBytes": totals.value(metrics.PENDING_BYTES),
        "spooledLines": totals.value(metrics.SPOOLED_LINES),
        "pushClients": None if state.hub is None else state.hub.connections,
        "framesSent": totals.value(metrics.FRAMES_SENT),
        "framesFailed": totals.value(metrics.FRAMES_FAILED),
        "lastPushError": totals.last_push_error,
        "push": push_facts(state, totals),
    }


def push_facts(state: State, totals: Totals) -> dict[str, Any]:
    """How viewers are told; what only the built-in hub knows is null on Azure."""
    failed_at = totals.last_push_error_at
    own = state.hub is not None
    return {
        "kind": "built-in" if own else "azure",
        "address": state.push.address,
        "problem": totals.push_problem,
        "viewers": totals.value(metrics.PUSH_CLIENTS) if own else None,
        "slowViewers": totals.value(metrics.PUSH_SLOW_CLIENTS) if own else None,
        "viewersClosed": totals.value(metrics.PUSH_CLIENTS_CLOSED) if own else None,
        "messagesDropped": totals.value(metrics.PUSH_MESSAGES_DROPPED) if own else None,
        "framesSent": totals.value(metrics.FRAMES_SENT),
        "framesFailed": totals.value(metrics.FRAMES_FAILED),
        "linesSkipped": state.publisher.lines_skipped,
        "lastError": totals.last_push_error,
        "lastErrorAt": None if failed_at is None else iso_time(_nanos(failed_at)),
    }


def _formats(totals: Totals) -> dict[str, dict[str, int]]:
    """What each wire format brought since start, the one with most lines first."""
    counters = {
        "accepted": metrics.LINES_ACCEPTED,
        "spans": metrics.SPANS_ACCEPTED,
        "rejected": metrics.LINES_REJECTED,
        "bytes": metrics.BODY_BYTES,
        "requests": metrics.REQUESTS,
    }
    by_name = {name: totals.by_label(counter, "format") for name, counter in counters.items()}
    formats = dict.fromkeys(format for counts in by_name.values() for format in counts)
    return {
        format: {name: counts.get(format, 0) for name, counts in by_name.items()}
        for format in formats
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
