"""Finding lines: slices of time where the counts show the way, indexes of segments elsewhere.

Every step narrows what is read; the conditions on the rows decide what is found, so all ways
give the same lines.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from logstream.filter import LogFilter
from logstream.ports import SearchPage
from logstream.query.as_of import BY_INDEX, before_and_beyond, held_at
from logstream.query.catalogue import LAST_NANO, Segment, newest_first, of_window
from logstream.query.conditions import Condition
from logstream.query.hours import end_of_lines, hours_with_lines
from logstream.query.lines import (
    WHOLE_LINES,
    Key,
    Order,
    Reading,
    key_of,
    read_few_lines,
    read_lines,
    read_lines_of_trace,
)
from logstream.query.scope import Scope, resolve
from logstream.query.slices import slices
from logstream.query.text_lookup import indexed_attributes, names_trace, text_tokens
from logstream.query.token_lookup import read_by_tokens

# Lines looked at first when only their text tells whether they match.
FIRST_LOOK = 5_000
# Of one statement, so that it ends well within the time limit.
MOST_LINES = 200_000
# A statement is given at least this, so that every page comes further.
_LEAST_MILLISECONDS = 250
_FIRST_SEGMENTS, _MOST_SEGMENTS = 4, 32


@dataclass
class _Search:
    """One page being filled: what is meant, and how far the search has come."""

    connection: sa.Connection
    scope: Scope
    segments: list[Segment]
    order: Order
    limit: int
    now_unix_nano: int
    deadline: float | None
    reading: Reading
    found: list[Any] = field(default_factory=list)
    # Everything on this side of it was searched; None: nothing yet.
    reached: int | None = None
    is_exhausted: bool = False

    @property
    def is_full(self) -> bool:
        return self.reading.is_full or len(self.found) >= self.limit

    @property
    def settled(self) -> list[Any]:
        """The lines found before which no other can come any more; the rest is found again."""
        if self.is_exhausted or self.reached is None or not self.order.is_newest_first:
            return self.found
        end = len(self.found)
        while end and self.found[end - 1].timestamp_unix_nano < self.reached:
            end -= 1
        return self.found[:end]

    @property
    def has_come_far(self) -> bool:
        """True when the next page would begin further on than this one."""
        end = LAST_NANO if self.scope.end is None else self.scope.end
        return self.reached is not None and self.reached < end

    @property
    def is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline


def search(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
    order: Order,
    budget_seconds: float | None,
    skeleton_ids: Sequence[int] | None = None,
) -> SearchPage:
    """See LogReader.search; in any order, and if given only lines of these skeletons."""
    scope = resolve(connection, log_filter, now_unix_nano, skeleton_ids)
    # One more than the page, to know whether there is another page.
    asked = _searched(connection, segments, scope, limit + 1, now_unix_nano, order, budget_seconds)
    return _page(asked, limit)


def newest(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    reading: Reading,
    *,
    limit: int,
    now_unix_nano: int,
    budget_seconds: float,
) -> tuple[list[Any], bool]:
    """What the reading gives of the newest `limit` lines, and whether these are all there are."""
    scope = resolve(connection, log_filter, now_unix_nano)
    asked = _searched(
        connection, segments, scope, limit + 1, now_unix_nano, Order(), budget_seconds, reading
    )
    lines = asked.settled
    return lines[:limit], asked.is_exhausted and len(lines) <= limit and not reading.is_full


def _searched(
    connection: sa.Connection,
    segments: list[Segment],
    scope: Scope,
    limit: int,
    now_unix_nano: int,
    order: Order,
    budget_seconds: float | None,
    reading: Reading = WHOLE_LINES,
) -> _Search:
    log_filter = scope.log_filter
    at = log_filter.at_unix_nano
    if at is not None:
        segments = held_at(connection, segments, at)
        now_unix_nano = min(now_unix_nano, at)
    deadline = None
    if budget_seconds is not None and log_filter.needs_rows:
        deadline = time.monotonic() + budget_seconds
        milliseconds = max(_LEAST_MILLISECONDS, int(budget_seconds * 1000))
        connection.execute(_TIMEOUT, {"milliseconds": milliseconds})
    asked = _Search(
        connection,
        beyond(scope, order),
        segments,
        order,
        limit,
        now_unix_nano,
        deadline,
        reading,
    )
    try:
        _run(asked)
    except exc.DBAPIError as error:
        is_out_of_time = isinstance(error.orig, psycopg.errors.QueryCanceled)
        if deadline is None or not is_out_of_time or not asked.has_come_far:
            raise
        connection.rollback()
    return asked


# A statement never gets more than the whole budget, nor more than the connection allows.
_TIMEOUT = sa.text(
    "SELECT set_config('statement_timeout', CASE WHEN setting::int > 0"
    " THEN least(setting::int, :milliseconds) ELSE :milliseconds END::text, true)"
    " FROM pg_settings WHERE name = 'statement_timeout'"
)


def _run(asked: _Search) -> None:
    log_filter, scope = asked.scope.log_filter, asked.scope
    conditions = scope.line_conditions()
    is_of_trace = bool(log_filter.trace_id) or names_trace(log_filter.text)
    if is_of_trace:
        read = _reader(asked, read_lines_of_trace, conditions)
        (_by_segments if asked.order.is_newest_first else _of_all_segments)(asked, read)
        return
    if log_filter.at is None:
        _by_counts(asked, conditions)
        return
    before, ahead = before_and_beyond((scope.start, scope.end), log_filter.at_unix_nano)
    # Lines whose clock was ahead of their receipt are few, and no count tells them from others.
    steps = [
        *((window, _by_receipt) for window in ahead),
        *((window, _by_counts) for window in before),
    ]
    for window, step in steps if asked.order.is_newest_first else reversed(steps):
        asked.is_exhausted = False
        asked.scope = scope.within(*window)
        step(asked, conditions)
        if not asked.is_exhausted or asked.is_full:
            return
        if asked.order.is_newest_first:
            asked.reached = window[0]


def _reader(
    asked: _Search, read: Callable[..., list[Any]], *meant: Any
) -> Callable[..., list[Any]]:
    return partial(read, asked.connection, *meant, reading=asked.reading)


def _by_receipt(asked: _Search, conditions: list[Condition]) -> None:
    """Lines of a time after their receipt; read whole in segments that go on after `at`."""
    at = asked.scope.log_filter.at_unix_nano

    few, many = _reader(asked, read_few_lines, conditions), _reader(asked, read_lines, conditions)

    def read(segments: list[Segment], order: Order, **window: Any) -> list[Any]:
        goes_on = [one for one in segments if one.may_hold_received(at, None)]
        ended = [one for one in segments if not one.may_hold_received(at, None)]
        return [
            *few(goes_on, order, **window),
            *many(ended, order, **window),
        ]

    if asked.order.is_newest_first:
        _by_segments(asked, read)
        return
    start, end = asked.scope.start, asked.scope.end
    lines = read(
        of_window(asked.segments, start, end), asked.order, start=start, end=end, limit=asked.limit
    )
    asked.found = asked.order.sorted([*asked.found, *lines])[: asked.limit]
    asked.is_exhausted = True


def _by_counts(asked: _Search, conditions: list[Condition]) -> None:
    """By the hours that the counts name, and by the indexes of what the text holds."""
    log_filter = asked.scope.log_filter
    tokens = text_tokens(log_filter.text)
    attributes = indexed_attributes(log_filter.text)
    if not asked.order.is_newest_first:
        # Neighbours are near, but of a rare value the next one may be far away.
        _by_slices(asked, conditions, MOST_LINES if attributes else None)
        if attributes and not asked.is_exhausted and not asked.is_full:
            _of_all_segments(asked, _reader(asked, read_lines, [*conditions, *attributes]))
        return
    can_look_up = bool(tokens or attributes)
    _by_slices(asked, conditions, FIRST_LOOK if can_look_up else None)
    if not can_look_up or asked.is_exhausted or asked.is_full or asked.is_late:
        return
    if tokens:
        _by_segments(asked, _reader(asked, read_by_tokens, conditions, tokens))
    else:
        _by_segments(asked, _reader(asked, read_lines, [*conditions, *attributes]))


def _by_slices(asked: _Search, conditions: list[Condition], total: int | None) -> None:
    """Slice by slice until the page is full, time is over, or nothing (of `total`) is left."""
    is_counted = not asked.scope.log_filter.needs_rows or asked.scope.skeleton_ids is not None
    is_newest_first = asked.order.is_newest_first
    hours = hours_with_lines(
        asked.connection, asked.scope, asked.now_unix_nano, is_newest_first=is_newest_first
    )
    looked = 0
    for piece in slices(
        hours,
        asked.scope,
        asked.segments,
        first_look=asked.limit if is_counted and total is None else FIRST_LOOK,
        most=MOST_LINES,
        end_of_lines=partial(end_of_lines, asked.connection, asked.scope),
        is_newest_first=is_newest_first,
    ):
        asked.found += read_lines(
            asked.connection,
            conditions,
            list(piece.segments),
            asked.order,
            start=piece.start,
            end=piece.end,
            limit=asked.limit - len(asked.found),
            streams=piece.streams,
            reading=asked.reading,
        )
        asked.reached = piece.start if is_newest_first else piece.end
        looked += piece.lines
        if asked.is_full or asked.is_late or (total is not None and looked >= total):
            return
    asked.is_exhausted = True


def _by_segments(asked: _Search, read: Callable[..., list[Any]]) -> None:
    """Segments by the time of their newest line, until none left can improve the page."""
    # A bloom filter looks more expensive to the planner than it is.
    asked.connection.execute(BY_INDEX)
    end = asked.scope.end if asked.reached is None else asked.reached
    waiting = newest_first(asked.segments, asked.scope.start, end)
    size, has_read = _FIRST_SEGMENTS, False
    while waiting:
        newest = asked.reached = waiting[0][0]
        if asked.is_full and (
            asked.reading.is_full or asked.found[-1].timestamp_unix_nano >= newest
        ):
            return
        # Segments of one hour reach equally far: a page comes further than the one before.
        if asked.is_late and asked.has_come_far and has_read:
            return
        batch = [segment for _, segment in waiting[:size]]
        del waiting[:size]
        lines = read(batch, asked.order, start=asked.scope.start, end=end, limit=asked.limit)
        asked.found = asked.order.sorted([*asked.found, *lines])[: asked.limit]
        size, has_read = min(size * 2, _MOST_SEGMENTS), True
    asked.is_exhausted = True


def _of_all_segments(asked: _Search, read: Callable[..., list[Any]]) -> None:
    """The few lines that indexes know, oldest first, from where the search has come to."""
    asked.connection.execute(BY_INDEX)
    start = asked.scope.start if asked.reached is None else asked.reached
    end = asked.scope.end
    waiting = of_window(asked.segments, start, end)
    for at in range(0, len(waiting), _MOST_SEGMENTS):
        batch = waiting[at : at + _MOST_SEGMENTS]
        lines = read(batch, asked.order, start=start, end=end, limit=asked.limit)
        asked.found = asked.order.sorted([*asked.found, *lines])[: asked.limit]
    asked.is_exhausted = True


def beyond(scope: Scope, order: Order) -> Scope:
    """The scope's time cut at the key that the page lies beyond."""
    if order.beyond is None:
        return scope
    moment = order.beyond[0]
    if order.is_newest_first:
        # Id 0 is nobody's: everything of that moment is done.
        end = moment if order.beyond[1] == 0 else moment // 1_000 * 1_000 + 1_000
        return scope.within(scope.start, end if scope.end is None else min(end, scope.end))
    start = moment // 1_000 * 1_000
    return scope.within(start if scope.start is None else max(start, scope.start), scope.end)


def _page(asked: _Search, limit: int) -> SearchPage:
    settled = asked.settled
    if len(settled) > limit:
        last: Key = key_of(settled[limit - 1])
        return SearchPage(settled[:limit], last, last[0], is_complete=True)
    if asked.is_exhausted or asked.reached is None:
        return SearchPage(settled, None, asked.scope.start, is_complete=True)
    is_complete = len(settled) == limit
    return SearchPage(settled, (asked.reached, 0), asked.reached, is_complete)
