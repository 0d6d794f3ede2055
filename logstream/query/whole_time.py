"""The time of a filter as counts can tell it: whole minutes, and whole hours long ago.

Spans and calls are counted by the minute and the hour, and minutes are given up after three
days. A minute (or, at an edge longer ago, an hour) belongs to a time when it begins in it, so
times that follow one another count everything once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from logstream.filter import NANOS_AHEAD, LogFilter
from logstream.model import NANOS_PER_SECOND, to_unix_nano
from logstream.query.conditions import Condition, time_conditions
from logstream.query.counts import DAY, HOUR, MINUTE, whole_units
from logstream.query.trends import bounded

# Where an edge is older, the hours say it: a day before it, minutes must still be there.
_MINUTES_REACH_BACK = 46 * HOUR


@dataclass(frozen=True)
class WholeTime:
    """start <= time < end, in Unix seconds; `until` is where it ends for the eye: now, mostly."""

    start: int
    end: int
    until: int

    @property
    def day_before(self) -> "WholeTime":
        """As long a time, 24 hours earlier."""
        until = self.until - DAY
        return WholeTime(self.start - DAY, until, until)


def whole_time(log_filter: LogFilter, now_unix_nano: int) -> WholeTime:
    """The time of the filter; without one, the last 15 minutes. `at` does not count."""
    log_filter, start, until = bounded(log_filter.without("at"), now_unix_nano)
    _, end = log_filter.window_unix_nano(now_unix_nano)
    if end is None:
        # A sender's clock may be ahead.
        end = max(until, now_unix_nano + NANOS_AHEAD)
    since = minutes_since(now_unix_nano)
    first, last, shown = (_next_whole(edge, since) for edge in (start, end, until))
    return WholeTime(first, max(first, last), max(first + MINUTE, shown))


def minutes_since(now_unix_nano: int) -> int:
    """From when on counts by the minute are asked for, in Unix seconds."""
    return now_unix_nano // NANOS_PER_SECOND - _MINUTES_REACH_BACK


def last_day(now_unix_nano: int) -> WholeTime:
    """The last 24 hours, from a whole minute on."""
    return whole_time(LogFilter(range_text="24h"), now_unix_nano)


def counted_rows(
    minutes: sa.Table,
    hours: sa.Table,
    names: Sequence[str],
    conditions: Callable[[sa.Table], list[Condition]],
    time: WholeTime,
    *,
    by_minute: bool = False,
) -> list[sa.Select[Any]]:
    """Parts whose union holds all counts of a time: `bucket`, `names` and `count`.

    One statement must read them all, so that folding can neither hide nor double anything.
    With `by_minute` no bucket is an hour.
    """
    start, end = time.start * NANOS_PER_SECOND, time.end * NANOS_PER_SECOND
    parts: list[sa.Select[Any]] = []

    def add(table: sa.Table, low: int | None, high: int | None, *more: Condition) -> None:
        columns = (table.c[name] for name in ("bucket", *names, "count"))
        within = time_conditions(table.c.bucket, low, high)
        parts.append(sa.select(*columns).where(*within, *conditions(table), *more))

    if by_minute:
        add(minutes, start, end)
        return parts
    first, last, edges = whole_units(start, end, HOUR)
    for low, high in edges:
        add(minutes, low, high)
    if first is not None and last is not None and (first < last or not edges):
        whole = to_unix_nano(first), to_unix_nano(last)
        add(hours, *whole)
        add(minutes, *whole, sa.not_(minutes.c.is_folded))
    return parts


def _next_whole(unix_nano: int, minutes_since: int) -> int:
    """The whole minute, or long ago the whole hour, at or after a moment."""
    seconds = -(-unix_nano // NANOS_PER_SECOND)
    unit = MINUTE if seconds >= minutes_since else HOUR
    return -(-seconds // unit) * unit
