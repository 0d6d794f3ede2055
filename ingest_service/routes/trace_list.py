"""Which traces there are, and what they look like together."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, MAX_LIMIT, asked_filter
from logstream.model import iso_time
from logstream.query.trace_cursor import MAX_CHARACTERS
from logstream.trace_port import TracePoint, TraceReader, TraceSort, TraceSummary

MAX_POINTS = 2_000
_OWN_WORDS = {
    "service": "Services that take part. Comma list; `-name` excludes.",
    "severity": "`error`, `fatal` or both: traces with an error; any other choice narrows nothing.",
    "q": "`duration>500`, `spans>100`, `errors>0`, `status:error`, `root:NAME` of the trace;"
    ' `operation:NAME`, `latency>1s`, `kind:server`, `key:value`, words and "phrases" of one of'
    " its spans; `-`, `OR` and brackets. All of it: docs/traces.md.",
    "from": "ISO 8601, inclusive: of the trace's start.",
    "to": "ISO 8601, exclusive: of the trace's start.",
}
_DOCUMENTED = {
    "parameters": [
        {**one, "description": _OWN_WORDS.get(one["name"], one["description"])}
        for one in FILTER_PARAMETERS
        if one["name"] != "at"
    ]
}

router = APIRouter(tags=["traces"])


@router.get("/traces", openapi_extra=_DOCUMENTED, summary="Traces, page by page")
def traces(
    request: Request,
    sort: Annotated[TraceSort, Query()] = "newest",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str, Query(max_length=MAX_CHARACTERS)] = "",
) -> JsonReply:
    """`{"traces", "cursor", "complete"}` in the order of `sort`, ties newest first.

    `errors` sorts by failed spans and lines of ERROR or worse together. `derived` is true of a
    trace that only log lines tell of. `cursor`: give it back, with the same filter and `sort`,
    for the next page; null exactly when there are no more.
    `complete` is false when the time for one question was over before the page was full: terms
    about spans are looked for trace by trace, and `cursor` goes on there.
    """
    page = _reader(request).traces(
        asked_filter(request),
        sort=sort,
        limit=limit,
        now_unix_nano=time.time_ns(),
        cursor=cursor or None,
    )
    return JsonReply(
        {
            "traces": [_trace(one) for one in page.traces],
            "cursor": page.cursor,
            "complete": page.is_complete,
        }
    )


@router.get("/traces/shape", openapi_extra=_DOCUMENTED, summary="What traces look like together")
def shape(
    request: Request, points: Annotated[int, Query(ge=0, le=MAX_POINTS)] = MAX_POINTS
) -> JsonReply:
    """Counts and percentiles of all traces meant, and an even sample of them as points.

    `steps` counts them by duration: step n holds durations from 2^(n/4) µs on, 19 % apart,
    -1 those below a microsecond. `complete` is false when the time was over before everything
    was looked at: then all of it is of the newest traces.
    """
    found = _reader(request).trace_shape(
        asked_filter(request), points=points, now_unix_nano=time.time_ns()
    )
    return JsonReply(
        {
            "points": [_point(one) for one in found.points],
            "total": found.total,
            "errorTotal": found.error_total,
            "steps": dict(sorted(found.steps.items())),
            "p50Nano": found.p50_nano,
            "p95Nano": found.p95_nano,
            "p99Nano": found.p99_nano,
            "complete": found.is_complete,
        }
    )


def _reader(request: Request) -> TraceReader:
    reader: TraceReader = request.app.state.traces
    return reader


def _trace(trace: TraceSummary) -> dict[str, Any]:
    return {
        "traceId": trace.trace_id,
        "environment": trace.environment,
        "rootService": trace.root_service,
        "rootName": trace.root_name,
        "start": iso_time(trace.start_unix_nano),
        "durationMs": trace.duration_nano / 1_000_000,
        "spanCount": trace.span_count,
        "errorCount": trace.error_count,
        "lineCount": trace.line_count,
        "errorLineCount": trace.error_line_count,
        "services": trace.services,
        "derived": trace.is_derived,
    }


def _point(point: TracePoint) -> dict[str, Any]:
    return {
        "traceId": point.trace_id,
        "startUnixNano": str(point.start_unix_nano),
        "durationNano": point.duration_nano,
        "hasError": point.has_error,
        "rootService": point.root_service,
        "rootName": point.root_name,
    }
