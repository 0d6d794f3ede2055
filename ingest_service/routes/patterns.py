"""Patterns of the lines meant, for programs; the Explore page asks the same."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, asked_filter
from logstream.errors import NotFound
from logstream.model import NANOS_PER_SECOND, iso_time, to_unix_nano
from logstream.ports import LogReader
from logstream.query.cursor import MAX_ID

MAX_PATTERNS = 1_000
MAX_BUCKETS = 200
MAX_VALUES = 100
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}

router = APIRouter(tags=["logs"])


@router.get(
    "/logs/patterns", openapi_extra=_DOCUMENTED, summary="Patterns and how often they occur"
)
def patterns(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_PATTERNS)] = 50,
    buckets: Annotated[int, Query(ge=1, le=MAX_BUCKETS)] = 30,
) -> JsonReply:
    """The most frequent patterns, exactly counted, each with its trend.

    `{"patterns": [{"id", "template", "example", "count", "share", "severity", "severities",
    "services", "firstSeen", "lastSeen", "isNew", "trend"}], "patternCount", "total",
    "bucketSeconds", "firstBucket"}`. `share` is of all lines meant; `severity` the gravest.
    `firstSeen` (of all time) and `lastSeen` (of the time meant) are minutes. `isNew`: not seen
    before the time meant. `trend` counts by pieces of `bucketSeconds` from `firstBucket` on.
    """
    reader: LogReader = request.app.state.reader
    found = reader.patterns(
        asked_filter(request), limit=limit, buckets=buckets, now_unix_nano=time.time_ns()
    )
    return JsonReply(
        {
            "patterns": [
                {
                    "id": one.id,
                    "template": one.template,
                    "example": one.example,
                    "count": one.count,
                    "share": one.count / found.total,
                    "severity": one.severity,
                    "severities": one.severities,
                    "services": one.services,
                    "firstSeen": iso_time(to_unix_nano(one.first_seen)),
                    "lastSeen": iso_time(to_unix_nano(one.last_seen)),
                    "isNew": one.is_new,
                    "trend": one.trend,
                }
                for one in found.patterns
            ],
            "patternCount": found.pattern_count,
            "total": found.total,
            "bucketSeconds": found.bucket_seconds,
            "firstBucket": iso_time(found.first_bucket_unix_seconds * NANOS_PER_SECOND),
        }
    )


@router.get(
    "/logs/patterns/{pattern_id}/values",
    openapi_extra=_DOCUMENTED,
    summary="What stands at the places of a pattern",
)
def values(
    request: Request,
    pattern_id: int,
    limit: Annotated[int, Query(ge=1, le=MAX_VALUES)] = 10,
) -> JsonReply:
    """`{"places": [{"kind", "values": [{"value", "count"}], "distinct"}], "looked", "total"}`.

    The places of the template from left to right, over the `looked` newest of the `total` lines
    of the pattern that the filter means. 404 when there is no such pattern.
    """
    reader: LogReader = request.app.state.reader
    found = None
    if 0 < pattern_id <= MAX_ID:
        found = reader.pattern_values(
            asked_filter(request), pattern_id, values=limit, now_unix_nano=time.time_ns()
        )
    if found is None:
        raise NotFound(f"pattern {pattern_id} does not exist", "take an id of /logs/patterns")
    return JsonReply(
        {
            "places": [
                {
                    "kind": place.kind,
                    "values": [{"value": value, "count": count} for value, count in place.values],
                    "distinct": place.distinct,
                }
                for place in found.places
            ],
            "looked": found.looked,
            "total": found.total,
        }
    )
