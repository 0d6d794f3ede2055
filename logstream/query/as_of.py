"""The store as it looked at a moment: which segments and which times have a part in it."""

import sqlalchemy as sa

from logstream.query.catalogue import Segment, of_receipt
from logstream.query.conditions import time_conditions
from logstream.query.counts import Window
from logstream.tables import logs

# For the rest of a question: an index of pages looks more expensive to the planner than it is.
BY_INDEX = sa.text("SELECT set_config('enable_seqscan', 'off', true)")

# For counting: beside an index of pages, walking the index of times costs far more than it says.
BY_PAGES = sa.text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)"
)


def held_at(connection: sa.Connection, segments: list[Segment], at: int) -> list[Segment]:
    """The segments that hold lines which were received before the moment.

    Of the open ones only their index can tell, which knows at once: of what was received long
    ago they hold at most what waited in a spool.
    """
    connection.execute(BY_INDEX)
    return [
        segment
        for segment in of_receipt(segments, None, at)
        if segment.hours is not None or _holds_before(connection, segment, at)
    ]


def split(window: Window, at: int | None) -> list[Window]:
    """A window cut at a moment, so that either side is read in its own way."""
    before, beyond = before_and_beyond(window, at)
    return [*before, *beyond]


def before_and_beyond(window: Window, at: int | None) -> tuple[list[Window], list[Window]]:
    """What of a window lies before a moment, and what lies from it on; without one, all before."""
    if at is None:
        return [window], []
    start, end = window
    before: list[Window] = []
    beyond: list[Window] = []
    if start is None or start < at:
        before.append((start, at if end is None else min(end, at)))
    if end is None or end > at:
        beyond.append((at if start is None else max(start, at), end))
    return before, beyond


def _holds_before(connection: sa.Connection, segment: Segment, at: int) -> bool:
    lines = sa.select(logs.c.id).where(
        logs.c.id >= segment.first_id,
        logs.c.id < segment.end_id,
        *time_conditions(logs.c.observed_timestamp, None, at),
    )
    return bool(connection.scalar(sa.select(sa.exists(lines))))
