"""History to play: the lines of an interval of receipt, in the order in which they came."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, asked_filter
from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_DAY, iso_time, to_unix_nano
from logstream.ports import LogReader

MAX_LIMIT = 5_000
MAX_SLOTS = 200
_NOT_TAKEN = ("range", "at")
_INTERVAL = {
    "from": "ISO 8601: received at this moment or later.",
    "to": "ISO 8601: received before this moment; at most a day after `from`.",
}
_PARAMETERS: list[dict[str, Any]] = [
    {
        **parameter,
        "required": parameter["name"] in _INTERVAL,
        "description": _INTERVAL.get(parameter["name"], parameter["description"]),
    }
    for parameter in FILTER_PARAMETERS
    if parameter["name"] not in _NOT_TAKEN
]

router = APIRouter(tags=["logs"])


@router.get(
    "/logs/received",
    openapi_extra={"parameters": _PARAMETERS},
    summary="Lines by when they were received",
)
def received(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 500,
    slots: Annotated[int, Query(ge=1, le=MAX_SLOTS)] = 1,
) -> JsonReply:
    """`{"from", "to", "total", "counts", "lines", "isSample", "next"}`, in the order of receipt.

    `from` and `to` are times of receipt, not the lines' own. `counts` are of all lines, by
    `slot` (from 0; equal parts of the interval), environment, source, severity and `minute` (of
    the lines' own time, Unix seconds); `lines` are an even sample when there are more than
    `limit`. `next` is when the first matching line after the interval was received, null when
    there is none; of a rare one it may be an earlier moment up to which there was none: ask
    again from there.
    """
    start, end, asked = _interval(request)
    reader: LogReader = request.app.state.reader
    found = reader.received(asked, start, end, limit=limit, slots=slots)
    return JsonReply(
        {
            "from": iso_time(start),
            "to": iso_time(end),
            "total": found.total,
            "counts": [
                {
                    "slot": one.slot,
                    "environment": one.environment,
                    "source": one.service_name,
                    "severity": one.severity,
                    "minute": one.minute_unix_seconds,
                    "count": one.count,
                }
                for one in found.counts
            ],
            "lines": [line.to_api() for line in found.lines],
            "isSample": found.is_sample,
            "next": None if found.next_unix_nano is None else iso_time(found.next_unix_nano),
        }
    )


def _interval(request: Request) -> tuple[int, int, LogFilter]:
    for name in _NOT_TAKEN:
        if request.query_params.get(name):
            raise FilterError(
                name,
                f"{name}={request.query_params[name]} has no meaning for /logs/received",
                "give the interval of receipt as from and to",
            )
    asked = asked_filter(request)
    if asked.start is None or asked.end is None:
        name = "from" if asked.start is None else "to"
        raise FilterError(
            name, f"{name} is missing", f"add {name} in ISO 8601: {name}=2026-01-31T14:05:00Z"
        )
    start, end = to_unix_nano(asked.start), to_unix_nano(asked.end)
    if end - start > NANOS_PER_DAY:
        raise FilterError(
            "to",
            f"from {iso_time(start)} to {iso_time(end)} is more than a day",
            "ask for a day at most, and then for the next one",
        )
    return start, end, asked.without("range")
