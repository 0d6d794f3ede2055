"""In which hours the lines of a question lie: newest or oldest first, without reading lines.

The search for lines goes by these hours, so that a service whose last line was weeks ago
costs as little as one that speaks now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, to_datetime, to_unix_nano
from logstream.query.counts import DAY, HOUR, counts_by
from logstream.query.scope import Scope
from logstream.tables import STREAM, log_counts

# With more streams than this, reading by time finds the lines as fast.
MAX_STREAMS = 300
_FIRST_HOURS = 2
# Days counted after the rest of the present one, then all there are.
_DAYS = (4, 60)
_HOURS_PER_DAY = 24
_NANOS_PER_HOUR = HOUR * NANOS_PER_SECOND
# Years 1 to 9999 in hours since the epoch: what can be stored lies between.
_FIRST, _LAST = -17_259_888, 70_389_528


@dataclass(frozen=True)
class Hour:
    """One that holds lines: how many, and of which streams (None: too many, or all)."""

    start: int
    lines: int
    streams: frozenset[int] | None

    @property
    def end(self) -> int:
        """Exclusive, in nanoseconds like `start`."""
        return self.start + _NANOS_PER_HOUR


@dataclass(frozen=True)
class _Unit:
    start: int
    lines: int
    streams: frozenset[int] | None
    skeleton_ids: tuple[int, ...] | None


def hours_with_lines(
    connection: sa.Connection, scope: Scope, now_unix_nano: int, *, is_newest_first: bool = True
) -> Iterator[Hour]:
    """Every hour of the scope that holds lines of it, by what the counts know; asked as needed.

    An hour at the edge of the scope's time is counted whole.
    """
    first, last = _ends(scope)
    now = now_unix_nano // _NANOS_PER_HOUR
    for seconds, start, end in _windows(first, last, now, is_newest_first):
        units = _units(connection, scope, seconds, start, end, is_newest_first)
        if seconds == HOUR:
            yield from (Hour(unit.start, unit.lines, unit.streams) for unit in units)
            continue
        # Days first: an hour is only looked at when its day holds lines.
        for day in units:
            low = max(start, day.start // _NANOS_PER_HOUR)
            high = min(end, day.start // _NANOS_PER_HOUR + _HOURS_PER_DAY)
            of_day = scope.of_skeletons(day.skeleton_ids)
            for unit in _units(connection, of_day, HOUR, low, high, is_newest_first):
                yield Hour(unit.start, unit.lines, unit.streams)


def hours_of(connection: sa.Connection, scope: Scope) -> list[Hour]:
    """All of them at once, newest first: for few skeletons, or a short time."""
    first, last = _ends(scope)
    return [
        Hour(unit.start, unit.lines, unit.streams)
        for unit in _units(connection, scope, HOUR, first, last, True)
    ]


def end_of_lines(connection: sa.Connection, scope: Scope, hour: Hour) -> int:
    """Where the last minute of an hour ends that holds lines of the scope, in nanoseconds."""
    minutes = log_counts.c
    newest = connection.scalar(
        sa.select(sa.func.max(minutes.bucket)).where(
            minutes.bucket >= to_datetime(hour.start),
            minutes.bucket < to_datetime(hour.end),
            *scope.counted_conditions(log_counts),
        )
    )
    return hour.end if newest is None else to_unix_nano(newest) + NANOS_PER_MINUTE


def _ends(scope: Scope) -> tuple[int, int]:
    return (
        _FIRST if scope.start is None else scope.start // _NANOS_PER_HOUR,
        _LAST if scope.end is None else -(-scope.end // _NANOS_PER_HOUR),
    )


def _windows(
    first: int, last: int, now: int, is_newest_first: bool
) -> Iterator[tuple[int, int, int]]:
    """(HOUR or DAY, first hour, end hour) of what to count next.

    A few hours, then the rest of their day, then some days, then all the others.
    """
    sign = -1 if is_newest_first else 1
    at, goal = (last, first) if is_newest_first else (first, last)
    near = min(now + 1, last) if is_newest_first else max(now, first)
    few = near + sign * _FIRST_HOURS
    whole_day = few // _HOURS_PER_DAY if is_newest_first else -(-few // _HOURS_PER_DAY)
    steps = [(HOUR, few), (HOUR, whole_day * _HOURS_PER_DAY)]
    for days in _DAYS:
        steps.append((DAY, steps[-1][1] + sign * days * _HOURS_PER_DAY))
    for seconds, aim in (*steps, (DAY, goal)):
        to = max(aim, goal) if is_newest_first else min(aim, goal)
        if to != at:
            yield (seconds, to, at) if is_newest_first else (seconds, at, to)
        at = to


def _units(
    connection: sa.Connection,
    scope: Scope,
    seconds: int,
    first: int,
    end: int,
    is_newest_first: bool,
) -> Iterator[_Unit]:
    """The hours or days of first <= hour < end that hold lines; days at the edges whole."""
    hours = seconds // HOUR
    low = to_datetime(first // hours * hours * _NANOS_PER_HOUR)
    high = to_datetime(-(-end // hours) * hours * _NANOS_PER_HOUR)
    counts = sa.union_all(*counts_by(scope, seconds, low, high)).subquery()
    columns = counts.c
    lines: sa.ColumnElement[Any] = sa.func.sum(columns.count)
    if not scope.has_labels:
        statement = sa.select(columns.bucket, lines.label("lines")).group_by(columns.bucket)
        order = columns.bucket
    else:
        stream = sa.literal_column(STREAM, sa.BigInteger)
        streams = (
            sa.select(
                columns.bucket,
                stream.label("stream"),
                columns.skeleton_id,
                lines.label("lines"),
            )
            .group_by(columns.bucket, stream, columns.skeleton_id)
            .having(lines > 0)
            .subquery()
        )
        few = sa.func.count() <= MAX_STREAMS
        statement = sa.select(
            streams.c.bucket,
            sa.func.sum(streams.c.lines).label("lines"),
            sa.case((few, _distinct(streams.c.stream))).label("streams"),
            sa.case((few, _distinct(streams.c.skeleton_id))).label("skeletons"),
        ).group_by(streams.c.bucket)
        order = streams.c.bucket
    statement = statement.order_by(order.desc() if is_newest_first else order)
    for row in connection.execute(statement).all():
        if row.lines > 0:
            found = row._mapping
            streams_found, skeletons = found.get("streams"), found.get("skeletons")
            yield _Unit(
                to_unix_nano(row.bucket),
                int(row.lines),
                None if streams_found is None else frozenset(streams_found),
                None if skeletons is None else tuple(skeletons),
            )


def _distinct(column: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    return sa.func.array_agg(sa.distinct(column), type_=ARRAY(sa.BigInteger))
