"""A place in the order of traces as URL-safe text, for pages that follow each other."""

import base64
from typing import get_args

import msgspec

from logstream.errors import FilterError
from logstream.query.cursor import MAX_ID, MAX_MOMENT
from logstream.trace_port import TraceSort

MAX_CHARACTERS = 4_000


class TracePlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a trace stands in the order `sort`: by `value`, then start, id and environment.

    `value` is what is sorted by, 0 where that is the start (ns, whole microseconds).
    """

    sort: str
    value: int
    start_unix_nano: int
    trace_id: str
    environment: str


def write_place(place: TracePlace) -> str:
    """The place as text; it names no filter."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def read_place(text: str, sort: TraceSort) -> TracePlace:
    """The inverse of `write_place`; raises FilterError, also for another order's."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(decoded, type=TracePlace)
        is_ours = (
            place.sort in get_args(TraceSort)
            and abs(place.value) <= MAX_ID
            and abs(place.start_unix_nano) <= MAX_MOMENT
            and "\x00" not in place.trace_id + place.environment
        )
        # Neither may hold what UTF-8 cannot.
        (place.trace_id + place.environment).encode()
    except (ValueError, msgspec.MsgspecError):
        is_ours = False
    if not is_ours:
        raise FilterError(
            "cursor",
            f"cursor '{text}' is none of ours",
            "give the cursor of the page before, or none for the first page",
        )
    if place.sort != sort:
        raise FilterError(
            "cursor",
            f"cursor '{text}' is of the order '{place.sort}', not '{sort}'",
            "keep the order from page to page, or begin again without a cursor",
        )
    return place
