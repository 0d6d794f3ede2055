"""What may come next in a search, for the box in which it is typed."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS
from logstream.errors import FilterError
from logstream.filter import FIELDS, LogFilter
from logstream.ports import FACETS, LogReader
from logstream.text_query import MAX_CHARACTERS, TextQuery
from logstream.text_query.completion import complete, typing_at

MOST_VALUES = 200
# The newest lines know the names that matter, and an answer is wanted while somebody types.
LINES_LOOKED_AT = 2_000

router = APIRouter(tags=["logs"])


@router.get(
    "/logs/complete",
    openapi_extra={"parameters": [one for one in FILTER_PARAMETERS if one["name"] != "q"]},
    summary="What may come next in a search",
)
def completion(
    request: Request,
    q: Annotated[str, Query(max_length=MAX_CHARACTERS)] = "",
    caret: Annotated[int | None, Query(ge=0, le=MAX_CHARACTERS)] = None,
) -> JsonReply:
    """`{"suggestions": [{"text", "start", "end", "kind", "label", "detail"}]}`, best first.

    `text` goes in place of the characters of `q` from `start` to `end`. Keys are the line's
    fields and the attributes that the newest matching lines have; values come with the number
    of lines. `q` need not be complete; `caret` is where it is typed, usually at its end.
    """
    caret = len(q) if caret is None else min(caret, len(q))
    log_filter = _others(request, q, caret)
    reader: LogReader = request.app.state.reader
    now = time.time_ns()
    own = caller_of(request).environment

    def values(key: str) -> list[tuple[str, int]]:
        if key in FACETS:
            found = reader.facet(log_filter, key, limit=MOST_VALUES, now_unix_nano=now)
            return [one for one in found if key != "env" or own is None or one[0] == own]
        facts = _fields(reader, log_filter, now)
        return next((list(one.values) for one in facts.fields if one.name == key), [])

    typing = typing_at(q, caret)
    names: dict[str, str] = {}
    if not typing.key:
        facts = _fields(reader, log_filter, now)
        names = {one.name: f"{one.lines / facts.looked:.0%} of lines" for one in facts.fields}
    suggestions = complete(q, caret, names, values)
    return JsonReply(
        {
            "suggestions": [
                {
                    "text": one.text,
                    "start": one.start,
                    "end": one.end,
                    "kind": one.kind,
                    "label": one.label,
                    "detail": one.detail,
                }
                for one in suggestions
            ]
        }
    )


def _fields(reader: LogReader, log_filter: LogFilter, now: int) -> Any:
    return reader.fields(
        log_filter, values=MOST_VALUES, now_unix_nano=now, most_lines=LINES_LOOKED_AT
    )


def _others(request: Request, q: str, caret: int) -> LogFilter:
    """The filter of the URL, with what of the search stands beside the term at the caret."""
    parameters = request.query_params
    given = {name: parameters.getlist(name) for name in FIELDS if name in parameters}
    typing = typing_at(q, caret)
    beside = f"{q[: typing.start]}{q[typing.end :]}".strip().strip("-").strip()
    try:
        TextQuery.parse(beside)
    except FilterError:
        beside = ""
    log_filter = LogFilter.from_url({**given, "q": beside})
    return caller_of(request).narrowed(log_filter)
