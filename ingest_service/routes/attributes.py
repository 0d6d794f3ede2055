"""Which attributes lines have, and what distinguishes two times, for programs."""

import math
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, asked_filter
from logstream.filter import LogFilter
from logstream.ports import Difference, LogReader
from logstream.query.narrowing import narrowed
from logstream.query.periods import of_time, period_before

MAX_VALUES = 200
MAX_DIFFERENCES = 200
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}

router = APIRouter(tags=["logs"])


@router.get("/logs/fields", openapi_extra=_DOCUMENTED, summary="Attributes and their values")
def fields(request: Request, values: Annotated[int, Query(ge=0, le=MAX_VALUES)] = 10) -> JsonReply:
    """`{"fields", "looked", "total"}`: every attribute of the newest 20,000 matching lines.

    Each `{"name", "lines", "distinct", "values": [{"value", "count"}], "kind"}`, the most
    widespread first. All numbers are of the `looked` newest of the `total` matching lines, and
    exact for all of them when the two are equal.
    """
    found = _reader(request).fields(
        asked_filter(request), values=values, now_unix_nano=time.time_ns()
    )
    return JsonReply(
        {
            "fields": [
                {
                    "name": one.name,
                    "lines": one.lines,
                    "distinct": one.distinct,
                    "values": [{"value": value, "count": count} for value, count in one.values],
                    "kind": one.kind,
                }
                for one in found.fields
            ],
            "looked": found.looked,
            "total": found.total,
        }
    )


@router.get("/logs/differences", openapi_extra=_DOCUMENTED, summary="What a time has more of")
def differences(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_DIFFERENCES)] = 20,
    baseline_from: Annotated[str, Query(alias="baselineFrom", max_length=100)] = "",
    baseline_to: Annotated[str, Query(alias="baselineTo", max_length=100)] = "",
) -> JsonReply:
    """Values and patterns that are more, or less, frequent than in the baseline.

    The baseline: the same filter from `baselineFrom` to `baselineTo`, or else in the equally
    long time before. Each difference has its `share` of the lines of either side, `lift` (share
    by baseline share; null when the baseline has none), `pValue` (corrected for the number of
    values compared) and `filter`, the URL parameters that show its lines. Most telling first.
    """
    log_filter, now = asked_filter(request), time.time_ns()
    if baseline_from or baseline_to:
        times = LogFilter.from_url({"from": baseline_from, "to": baseline_to})
        baseline = of_time(log_filter, times.start, times.end)
    else:
        baseline = period_before(log_filter, now)
    found = _reader(request).differences(log_filter, baseline, limit=limit, now_unix_nano=now)
    return JsonReply(
        {
            "differences": [_difference(one, log_filter) for one in found.differences],
            "total": found.total,
            "baselineTotal": found.baseline_total,
            "looked": found.looked,
            "baselineLooked": found.baseline_looked,
            "baseline": baseline.to_url(),
        }
    )


def _difference(one: Difference, log_filter: LogFilter) -> dict[str, Any]:
    shows = narrowed(log_filter, one.field, one.value)
    return {
        "field": one.field,
        "value": one.value,
        "label": one.label,
        "count": one.count,
        "share": one.share,
        "baselineCount": one.baseline_count,
        "baselineShare": one.baseline_share,
        "lift": None if math.isinf(one.lift) else one.lift,
        "pValue": one.p_value,
        "filter": None if shows is None else shows.to_url(),
    }


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader
