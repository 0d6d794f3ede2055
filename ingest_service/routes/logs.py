"""The questions about log lines, for programs; the pages ask the same ones."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ingest_service.replies import JsonReply, lines_source
from logstream.errors import FilterError, NotFound
from logstream.filter import FIELDS, LogFilter
from logstream.ports import LogReader
from logstream.query.trends import bucket_for, span_seconds

MAX_LIMIT = 1_000
MAX_ID = 2**63 - 1
MAX_ID_RANGE = 1_000_000
_CHOICE = "Comma list; `-name` excludes."

FILTER_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {"type": "string"},
        "description": text,
    }
    for name, text in (
        ("env", f"Environments. {_CHOICE}"),
        ("service", f"Services. {_CHOICE}"),
        ("severity", f"trace, debug, info, warn, error, fatal. {_CHOICE}"),
        ("trace", "Trace id."),
        (
            "q",
            'Words, "phrases" and `key:value` that must all be true of the line; `-` in front'
            " of one: must not. Numbers and ids stand whole; `*` at an end of a word lifts that.",
        ),
        ("range", "Relative time: 15m, 1h, 24h, 7d."),
        ("from", "ISO 8601, inclusive."),
        ("to", "ISO 8601, exclusive."),
    )
]
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}

router = APIRouter(tags=["logs"])


def asked_filter(request: Request) -> LogFilter:
    """The LogFilter in the URL; raises FilterError."""
    parameters = request.query_params
    return LogFilter.from_url(
        {name: parameters.getlist(name) for name in FIELDS if name in parameters}
    )


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader


@router.get("/logs/recent", openapi_extra=_DOCUMENTED, summary="The newest lines")
def recent(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    from_id: Annotated[int | None, Query(alias="fromId", ge=0, le=MAX_ID)] = None,
    to_id: Annotated[int | None, Query(alias="toId", ge=0, le=MAX_ID)] = None,
) -> JsonReply:
    """Newest first. With `fromId` and `toId` only lines of that id range, newest id first.

    While the database is away: the last lines that this service accepted, with the header
    `X-LogStream-Source: memory`; `id` is null for a line that waits in the spool.
    """
    log_filter, now = asked_filter(request), time.time_ns()
    if from_id is None and to_id is None:
        lines = _reader(request).recent(log_filter, limit=limit, now_unix_nano=now)
    elif from_id is None or to_id is None or not 0 <= to_id - from_id < MAX_ID_RANGE:
        raise FilterError(
            "fromId",
            f"fromId={from_id} and toId={to_id} are not a range of at most {MAX_ID_RANGE} ids",
            "give both, the smaller first",
        )
    else:
        lines = _reader(request).lines_by_id_range(
            log_filter, from_id, to_id, limit=limit, now_unix_nano=now
        )
    return JsonReply([line.to_api() for line in lines], headers=lines_source(lines))


@router.get("/logs/severity-breakdown", openapi_extra=_DOCUMENTED, summary="Lines by severity")
def severity_breakdown(request: Request) -> JsonReply:
    """All six severities, gravest first, zeros included; from memory as `/logs/recent`."""
    breakdown = _reader(request).severity_breakdown(
        asked_filter(request), now_unix_nano=time.time_ns()
    )
    return JsonReply(
        [{"severity": word, "count": count} for word, count in breakdown],
        headers=lines_source(breakdown),
    )


@router.get("/logs/trend", openapi_extra=_DOCUMENTED, summary="Lines over time")
def trend(
    request: Request, bucket: Annotated[int | None, Query(ge=60, le=31 * 86_400)] = None
) -> JsonReply:
    """Buckets of whole minutes aligned to UTC, oldest first; the last 15 minutes by default."""
    log_filter, now = asked_filter(request), time.time_ns()
    if bucket is None:
        bucket = bucket_for(span_seconds(log_filter, now))
    if bucket % 60:
        raise FilterError("bucket", f"bucket={bucket} is not whole minutes", "use 60, 300 or 3600")
    buckets = _reader(request).trend(log_filter, bucket_seconds=bucket, now_unix_nano=now)
    return JsonReply(
        {
            "bucketSeconds": bucket,
            "buckets": [
                {
                    "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(b.start_unix_seconds)),
                    "total": b.total,
                    "error": b.error,
                    "warn": b.warn,
                }
                for b in buckets
            ],
        }
    )


@router.get("/logs/facets", openapi_extra=_DOCUMENTED, summary="Values and how often they occur")
def facets(request: Request, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100) -> JsonReply:
    """For each field its values, most frequent first; a facet never narrows itself."""
    log_filter, now = asked_filter(request), time.time_ns()
    return JsonReply(
        {
            field: [
                {"value": value, "count": count}
                for value, count in _reader(request).facet(
                    log_filter, field, limit=limit, now_unix_nano=now
                )
            ]
            for field in ("severity", "service", "env")
        }
    )


@router.get("/logs/{line_id}", summary="One line, whole")
def line(request: Request, line_id: int) -> JsonReply:
    """404 when no such line exists (any more)."""
    if not 0 < line_id <= MAX_ID:
        raise NotFound(f"line {line_id} never existed", "check the number")
    found = _reader(request).line(line_id)
    if found is None:
        raise NotFound(*_reader(request).why_missing(line_id))
    return JsonReply(found.to_api())
