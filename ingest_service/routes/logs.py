"""The questions about log lines, for programs; the pages ask the same ones."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply, lines_source
from ingest_service.routes.views import find_view
from logstream.errors import FilterError, NotFound
from logstream.filter import FIELDS, LogFilter
from logstream.model import iso_time
from logstream.ports import LogReader
from logstream.query.cursor import MAX_ID, read_cursor, write_cursor
from logstream.query.surroundings import around
from logstream.saved_view import merged

MAX_LIMIT = 1_000
MAX_ID_RANGE = 1_000_000
MAX_NEIGHBOURS = 500
_CHOICE = "Comma list; `-name` excludes."
_AT = (
    "ISO 8601: as it looked at that moment. Only lines received before it; `range` counts back"
    " from it."
)

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
            'Words, "phrases", `key:value`, `key>=number` and `/regex/` that must all be true'
            " of the line; `-` in front of one: must not; `OR` and brackets. Numbers and ids"
            " stand whole; `*` at an end of a word lifts that. All of it: docs/search.md.",
        ),
        ("range", "Relative time: 15m, 1h, 24h, 7d."),
        ("from", "ISO 8601, inclusive."),
        ("to", "ISO 8601, exclusive."),
        ("at", _AT),
        ("view", "Id of a saved view: its filters hold where the URL does not say otherwise."),
    )
]
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}

router = APIRouter(tags=["logs"])


def asked_filter(request: Request) -> LogFilter:
    """The LogFilter in the URL, or of the view it names, within the caller's environment.

    Raises FilterError; Forbidden when it names an environment that the key may not read;
    NotFound when there is no such view.
    """
    asked = request.query_params
    parameters = {name: ",".join(asked.getlist(name)) for name in FIELDS if name in asked}
    if asked.get("view"):
        view = find_view(_reader(request), asked["view"], caller_of(request))
        parameters = merged(view.state, parameters)
    return caller_of(request).narrowed(LogFilter.from_url(parameters))


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


@router.get("/logs/search", openapi_extra=_DOCUMENTED, summary="Matching lines, page by page")
def search(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> JsonReply:
    """Newest first: `{"logs", "cursor", "searchedTo", "complete"}`.

    `cursor`: give it back, with the same filter, for the next page; null exactly when no older
    line matches. Pages give every line once, also while new ones land.
    `complete` is false when the time for one question was over before the page was full: older
    lines than `searchedTo` were not looked at yet, and `cursor` goes on there. Labels, words,
    whole ids, trace ids and `key:value` are found by indexes; pieces of ids are not.
    """
    page = _reader(request).search(
        asked_filter(request),
        limit=limit,
        now_unix_nano=time.time_ns(),
        before=read_cursor(cursor) if cursor else None,
    )
    searched_to = page.searched_to_unix_nano
    return JsonReply(
        {
            "logs": [line.to_api() for line in page.lines],
            "cursor": None if page.before is None else write_cursor(page.before),
            "searchedTo": None if searched_to is None else iso_time(searched_to),
            "complete": page.is_complete,
        }
    )


@router.get("/logs/{line_id}", summary="One line, whole")
def line(request: Request, line_id: int) -> JsonReply:
    """404 when no such line exists (any more)."""
    if not 0 < line_id <= MAX_ID:
        raise _never(line_id)
    found = _reader(request).line(line_id)
    if found is None or not caller_of(request).may_read(found.environment):
        raise _missing(request, line_id)
    return JsonReply(found.to_api())


@router.get(
    "/logs/{line_id}/context", openapi_extra=_DOCUMENTED, summary="A line between its neighbours"
)
def context(
    request: Request,
    line_id: int,
    before: Annotated[int, Query(ge=0, le=MAX_NEIGHBOURS)] = 10,
    after: Annotated[int, Query(ge=0, le=MAX_NEIGHBOURS)] = 10,
    scope: Annotated[Literal["service", "trace", "host", "all"], Query()] = "service",
    at: Annotated[str, Query(max_length=100, description=_AT)] = "",
) -> JsonReply:
    """`{"before", "line", "after"}`, newest first in each: the lines around one in time.

    Those of its environment and of its service, its `trace` or its `host` (400 when the line
    names none), or with `scope=all` of every service that the filter means: `scope=all&env=prod`
    is the whole environment. But for `all` the filter does not count.
    404 when the line does not exist (any more). With `at` only neighbours that were received
    before it.
    """
    if not 0 < line_id <= MAX_ID:
        raise _never(line_id)
    moment = LogFilter.from_url({"at": at}).at
    reader = _reader(request)
    if scope == "all":
        within = asked_filter(request)
    else:
        middle = reader.line(line_id)
        if middle is None or not caller_of(request).may_read(middle.environment):
            raise _missing(request, line_id)
        within = around(middle, scope)
    found = reader.context(line_id, before=before, after=after, within=within, at=moment)
    if found is None or not caller_of(request).may_read(found.line.environment):
        raise _missing(request, line_id)
    return JsonReply(
        {
            "before": [one.to_api() for one in found.before],
            "line": found.line.to_api(),
            "after": [one.to_api() for one in found.after],
        }
    )


def _missing(request: Request, line_id: int) -> NotFound:
    own = caller_of(request).environment
    if own is not None:
        # The same for a line of another environment and for none at all.
        return NotFound(f"environment '{own}' holds no line {line_id}", "check the number")
    return NotFound(*_reader(request).why_missing(line_id))


def _never(line_id: int) -> NotFound:
    return NotFound(f"line {line_id} never existed", "check the number")
