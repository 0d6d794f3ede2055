"""How many lines, over time and by field, for programs; the pages ask the same ones."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, MAX_LIMIT, asked_filter
from logstream.errors import FilterError
from logstream.filter import Choice
from logstream.ports import FACETS, LogReader, SeverityBucket
from logstream.query.trends import bucket_for, span_seconds

MAX_FIELDS = 30
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}

router = APIRouter(tags=["logs"])


@router.get("/logs/trend", openapi_extra=_DOCUMENTED, summary="Lines over time")
def trend(
    request: Request,
    bucket: Annotated[int | None, Query(ge=60, le=31 * 86_400)] = None,
    by: Annotated[Literal["severity"] | None, Query()] = None,
    compare: Annotated[Literal["previous"] | None, Query()] = None,
    tz: Annotated[str, Query(max_length=100)] = "UTC",
) -> JsonReply:
    """Buckets of whole minutes, oldest first; the last 15 minutes by default.

    `by=severity` adds `severities`, the count of each of the six words. `compare=previous` adds
    `previous`: how many lines there were in the bucket as far before as the time asked about is
    long. `tz`, an IANA name, cuts the days as that zone's clock does, so that the day of a clock
    change has 23 or 25 hours; weeks begin on Mondays.
    """
    log_filter, now = asked_filter(request), time.time_ns()
    if bucket is None:
        bucket = bucket_for(span_seconds(log_filter, now))
    if bucket % 60:
        raise FilterError("bucket", f"bucket={bucket} is not whole minutes", "use 60, 300 or 3600")
    if by is None and compare is None and tz in ("", "UTC"):
        buckets = [
            {
                "start": _moment(one.start_unix_seconds),
                "total": one.total,
                "error": one.error,
                "warn": one.warn,
            }
            for one in _reader(request).trend(log_filter, bucket_seconds=bucket, now_unix_nano=now)
        ]
    else:
        buckets = [
            _bucket(one, by is not None)
            for one in _reader(request).trend_by_severity(
                log_filter,
                bucket_seconds=bucket,
                now_unix_nano=now,
                zone=tz,
                with_previous=compare is not None,
            )
        ]
    return JsonReply({"bucketSeconds": bucket, "buckets": buckets})


@router.get("/logs/facets", openapi_extra=_DOCUMENTED, summary="Values and how often they occur")
def facets(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    fields: Annotated[str, Query(max_length=2_000)] = ",".join(FACETS),
) -> JsonReply:
    """For each field its values, most frequent first; a facet never narrows itself.

    `fields`, a comma list: `severity`, `service`, `env`, `pattern` (ids, see `/logs/patterns`),
    all of them counted exactly, and `attribute:NAME`, whose values are counted among the newest
    20,000 matching lines.
    """
    wanted = Choice.from_url(fields).only
    if not 1 <= len(wanted) <= MAX_FIELDS:
        raise FilterError(
            "fields",
            f"fields='{fields[:100]}' names {len(wanted)} fields",
            f"name at least one and at most {MAX_FIELDS}",
        )
    found = _reader(request).facets(
        asked_filter(request), limit=limit, now_unix_nano=time.time_ns(), fields=wanted
    )
    own = caller_of(request).environment
    if own is not None and "env" in found:
        # A facet does not narrow itself, so this one holds the others' names.
        found = {**found, "env": [one for one in found["env"] if one[0] == own]}
    return JsonReply(
        {
            field: [{"value": value, "count": count} for value, count in counts]
            for field, counts in found.items()
        }
    )


def _bucket(bucket: SeverityBucket, with_severities: bool) -> dict[str, Any]:
    counts = bucket.counts
    return {
        "start": _moment(bucket.start_unix_seconds),
        "end": _moment(bucket.end_unix_seconds),
        "total": bucket.total,
        "error": counts["error"] + counts["fatal"],
        "warn": counts["warn"],
        **({"severities": counts} if with_severities else {}),
        **({} if bucket.previous is None else {"previous": bucket.previous}),
    }


def _moment(unix_seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_seconds))


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader
