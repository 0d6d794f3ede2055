"""Every line of a question in its order, as statements that follow each other.

The search's own ways (logstream/query/search.py) without its pages: slices of time where the
counts name the hours, and a look-up first where an index may know that there are few.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.filter import LogFilter
from logstream.query.as_of import before_and_beyond, held_at
from logstream.query.catalogue import Segment, id_condition, of_window
from logstream.query.conditions import Condition, time_conditions
from logstream.query.counts import Window
from logstream.query.hours import end_of_lines, hours_with_lines
from logstream.query.lines import Order
from logstream.query.scope import Scope, resolve
from logstream.query.search import beyond, search
from logstream.query.slices import slices
from logstream.query.text_lookup import indexed_attributes, names_trace, text_tokens
from logstream.tables import STREAM, logs

# Of one statement. Sorted in memory (see PREPARE), so it stays within it.
FIRST_LINES, MOST_LINES = 5_000, 50_000
# What an index finds at most; where there are more, reading by time finds them as fast.
MOST_LOOKED_UP = 5_000

Conditions = tuple[Condition, ...]


def every_line(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    now_unix_nano: int,
    is_newest_first: bool,
) -> Iterator[Conditions]:
    """Conditions on `logs`, one after the other: together they give every line once.

    Ask for the lines of one, in the order wanted, before taking the next. All in one snapshot.
    """
    order = Order(is_newest_first=is_newest_first)
    if is_newest_first and _can_look_up(log_filter):
        page = search(
            connection,
            segments,
            log_filter,
            limit=MOST_LOOKED_UP,
            now_unix_nano=now_unix_nano,
            order=order,
            budget_seconds=None,
        )
        if page.lines:
            ids = sa.literal([line.id for line in page.lines], ARRAY(sa.BigInteger))
            yield (logs.c.id == sa.func.any(ids),)
        if page.before is None:
            return
        order = Order(page.before)
    scope = beyond(resolve(connection, log_filter, now_unix_nano), order)
    at = log_filter.at_unix_nano
    if at is not None:
        segments = held_at(connection, segments, at)
        now_unix_nano = min(now_unix_nano, at)
    before, ahead = before_and_beyond((scope.start, scope.end), at)
    meant = (*scope.line_conditions(), *order.conditions())
    by_slices = partial(_by_slices, connection, now=now_unix_nano)
    steps: list[tuple[Window, Callable[..., Iterator[Conditions]]]] = [
        *((window, _ahead) for window in ahead),
        *((window, by_slices) for window in before),
    ]
    for window, step in steps if is_newest_first else reversed(steps):
        for piece in step(scope.within(*window), segments, is_newest_first=is_newest_first):
            yield (*meant, *piece)


def _can_look_up(log_filter: LogFilter) -> bool:
    text = log_filter.text
    return bool(
        log_filter.trace_id or names_trace(text) or text_tokens(text) or indexed_attributes(text)
    )


def _ahead(scope: Scope, segments: list[Segment], *, is_newest_first: bool) -> Iterator[Conditions]:
    """Lines whose clock was ahead of their receipt: few, and no count tells them from others."""
    held = of_window(segments, scope.start, scope.end)
    if held:
        time = time_conditions(logs.c.timestamp, scope.start, scope.end)
        yield (id_condition(held), *time)


def _by_slices(
    connection: sa.Connection,
    scope: Scope,
    segments: list[Segment],
    *,
    now: int,
    is_newest_first: bool,
) -> Iterator[Conditions]:
    hours = hours_with_lines(connection, scope, now, is_newest_first=is_newest_first)
    for piece in slices(
        hours,
        scope,
        segments,
        first_look=FIRST_LINES,
        most=MOST_LINES,
        end_of_lines=partial(end_of_lines, connection, scope),
        is_newest_first=is_newest_first,
    ):
        if not piece.segments:
            continue
        conditions: list[Any] = [
            id_condition(piece.segments),
            *time_conditions(logs.c.timestamp, piece.start, piece.end),
        ]
        # The stream index, which only sealed segments have, spares reading the others' lines.
        if piece.streams is not None and all(one.is_sealed for one in piece.segments):
            streams = sa.literal(sorted(piece.streams), ARRAY(sa.BigInteger))
            stream = sa.literal_column(STREAM, sa.BigInteger)
            conditions.append(stream == sa.func.any(streams))
        yield tuple(conditions)
