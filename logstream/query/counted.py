"""How many lines a question means: from the counts, and from rows where they do not know.

The counts do not know when a line was received. As of a moment they are taken for the minutes
before it, less the lines of those minutes that came later; what lies beyond is counted row by
row: the minute under way, and lines whose clock was ahead. Both are few.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, to_datetime, to_unix_nano
from logstream.query.as_of import BY_PAGES, before_and_beyond, split
from logstream.query.catalogue import Segment, id_condition, of_receipt, of_window
from logstream.query.conditions import Condition, minute_of, time_conditions
from logstream.query.counts import (
    DAY,
    HOUR,
    LABELS,
    MINUTE,
    Window,
    counts_by,
    counts_by_minute_in,
    whole_units,
)
from logstream.query.hours import MAX_STREAMS, hours_of
from logstream.query.scope import Scope
from logstream.tables import STREAM, logs


def counted(
    connection: sa.Connection,
    scope: Scope,
    segments: list[Segment],
    *,
    bucket_seconds: int | None = None,
    edges: Sequence[int] = (),
    by_skeleton: bool = False,
) -> sa.Subquery:
    """Matching lines as (bucket, environment, service_name, severity_number, count).

    With `by_skeleton` there is a `skeleton_id` too.

    `bucket` is the line's minute, hour or day: whichever is longest and divides
    `bucket_seconds` (None: any will do). With `edges` (Unix seconds, all over the scope's time)
    it lies between two of them, where not every hour need be cut.

    Rows are read only for text and trace conditions and for what of the window is no whole
    minute, and only those of the segments in question; and as of a moment, for what was
    received out of its time.
    """
    labels = (*LABELS, "skeleton_id") if by_skeleton else LABELS
    at = scope.log_filter.at_unix_nano
    if at is not None:
        connection.execute(BY_PAGES)
    if scope.log_filter.needs_rows:
        held = of_receipt(segments, None, at)
        rows = [
            part
            for window in split((scope.start, scope.end), at)
            for part in _from_rows(connection, scope, window, held, labels)
        ]
        return sa.union_all(*rows).subquery()
    longest, split_hours = _longest(bucket_seconds, edges)
    parts: list[sa.Select[Any]] = []
    counted_to = None if at is None else at // NANOS_PER_MINUTE * NANOS_PER_MINUTE
    windows, beyond = before_and_beyond((scope.start, scope.end), counted_to)
    if at is not None:
        for window in windows:
            parts += _came_later(scope, window, at, segments, labels)
    for seconds in (DAY, HOUR, MINUTE):
        if seconds > longest:
            continue
        outer: list[Window] = []
        for start, end in windows:
            first, last, rest = whole_units(start, end, seconds)
            outer += rest
            if first is None or last is None or first < last:
                inside = [
                    hour
                    for hour in split_hours
                    if seconds == HOUR
                    and (first is None or first <= hour)
                    and (last is None or hour < last)
                ]
                parts += _from_counts(scope, seconds, first, last, labels, inside)
        windows = outer
    held = of_receipt(segments, None, at)
    for window in (*windows, *beyond):
        parts += _from_rows(connection, scope, window, held, labels)
    return sa.union_all(*parts).subquery()


def _longest(bucket_seconds: int | None, edges: Sequence[int]) -> tuple[int, list[datetime]]:
    """The longest unit to count by, and the hours that are to be counted by the minute."""
    common = math.gcd(*edges) if edges else bucket_seconds
    longest = max(
        seconds for seconds in (MINUTE, HOUR, DAY) if common is None or common % seconds == 0
    )
    if longest > MINUTE or min((b - a for a, b in pairwise(edges)), default=0) <= HOUR:
        return longest, []
    # Where a zone is half an hour off, only the hours around its midnights need minutes.
    hours = dict.fromkeys(edge // HOUR * HOUR for edge in edges if edge % HOUR)
    return HOUR, [to_datetime(hour * NANOS_PER_SECOND) for hour in hours]


def count_of(connection: sa.Connection, scope: Scope, segments: list[Segment]) -> int:
    """How many lines match."""
    lines = counted(connection, scope, segments)
    return int(connection.scalar(sa.select(sa.func.sum(lines.c.count))) or 0)


def _from_counts(
    scope: Scope,
    seconds: int,
    first: datetime | None,
    last: datetime | None,
    labels: tuple[str, ...],
    split_hours: Sequence[datetime],
) -> list[sa.Select[Any]]:
    names = ("bucket", *labels, "count")
    parts = counts_by(scope, seconds, first, last, split_hours)
    if split_hours:
        parts.append(counts_by_minute_in(scope, split_hours))
    return [
        part.with_only_columns(*(part.selected_columns[name] for name in names)) for part in parts
    ]


def _came_later(
    scope: Scope, window: Window, at: int, segments: list[Segment], labels: tuple[str, ...]
) -> list[sa.Select[Any]]:
    """What the counts hold of a window's whole minutes and was received at `at` or later."""
    first, last, _ = whole_units(*window, MINUTE)
    minutes = (
        None if first is None else to_unix_nano(first),
        None if last is None else to_unix_nano(last),
    )
    if None not in minutes and first == last:
        return []
    late = of_receipt(of_window(segments, *minutes), at, None)
    conditions = [id_condition(late), *time_conditions(logs.c.observed_timestamp, at, None)]
    return [_counting(scope.whenever_received(), minutes, conditions, labels, of_each=-1)]


def _from_rows(
    connection: sa.Connection,
    scope: Scope,
    window: Window,
    segments: list[Segment],
    labels: tuple[str, ...],
) -> list[sa.Select[Any]]:
    """Parts whose union counts the rows of a window; sealed segments by stream where it helps."""
    segments = of_window(segments, *window)
    streams: frozenset[int] | None = None
    if scope.skeleton_ids is not None:
        # Words: the counts know in which hours and streams they can be.
        hours = hours_of(connection, scope.within(*window))
        segments = [one for one in segments if any(one.may_hold(h.start, h.end) for h in hours)]
        if all(hour.streams is not None for hour in hours):
            streams = frozenset().union(*(hour.streams or () for hour in hours))
    if streams is None or len(streams) > MAX_STREAMS:
        return [_counting(scope, window, [id_condition(segments)], labels)]
    is_of_streams = sa.literal_column(STREAM, sa.BigInteger) == sa.func.any(
        sa.literal(sorted(streams), ARRAY(sa.BigInteger))
    )
    sealed = [segment for segment in segments if segment.is_sealed]
    unsealed = [segment for segment in segments if not segment.is_sealed]
    return [
        _counting(scope, window, [id_condition(sealed), is_of_streams], labels),
        _counting(scope, window, [id_condition(unsealed)], labels),
    ]


def _counting(
    scope: Scope,
    window: Window,
    conditions: list[Condition],
    labels: tuple[str, ...],
    of_each: int = 1,
) -> sa.Select[Any]:
    minute = minute_of(logs.c.timestamp).label("bucket")
    columns = (minute, *(logs.c[name] for name in labels))
    return (
        sa.select(*columns, (sa.func.count() * of_each).label("count"))
        .where(*conditions, *scope.line_conditions(), *time_conditions(logs.c.timestamp, *window))
        .group_by(*columns)
    )
