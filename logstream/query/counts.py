"""The counts by day, hour and minute.

An hour is its row of `log_counts_hourly` and the deltas in it that are not folded yet; a day
likewise. One statement reads both, so folding can neither hide nor double a line.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from logstream.model import NANOS_PER_SECOND, to_datetime
from logstream.query.scope import Scope
from logstream.tables import log_counts, log_counts_daily, log_counts_hourly

MINUTE, HOUR, DAY = 60, 3_600, 86_400
LABELS = ("environment", "service_name", "severity_number")
Window = tuple[int | None, int | None]


def whole_units(
    start: int | None, end: int | None, seconds: int
) -> tuple[datetime | None, datetime | None, list[Window]]:
    """A window cut into whole units of time and the edges that are none.

    Gives (begin of the first unit, end of the last, edges in nanoseconds).
    """
    unit = seconds * NANOS_PER_SECOND
    first = None if start is None else -(-start // unit) * unit
    last = None if end is None else end // unit * unit
    if start is not None and end is not None and first is not None and last is not None:
        if first >= last:
            nothing = to_datetime(first)
            return nothing, nothing, [(start, end)] if start < end else []
        edges = [(start, first), (last, end)]
    elif start is not None and first is not None:
        edges = [(start, first)]
    elif end is not None and last is not None:
        edges = [(last, end)]
    else:
        edges = []
    return (
        None if first is None else to_datetime(first),
        None if last is None else to_datetime(last),
        [(low, high) for low, high in edges if low < high],
    )


def counts_by(
    scope: Scope,
    seconds: int,
    first: datetime | None,
    last: datetime | None,
    left_out: Sequence[datetime] = (),
) -> list[sa.Select[Any]]:
    """Parts whose union counts the scope's lines by unit of time, skeletons included.

    Each gives (bucket, environment, service_name, severity_number, skeleton_id, count);
    for hours and days the second part is what is not folded yet. Units that begin when one of
    `left_out` does are not counted.
    """
    minutes = log_counts.c
    columns = [minutes[name] for name in (*LABELS, "skeleton_id", "count")]
    conditions = [*scope.counted_conditions(log_counts), *_buckets(minutes.bucket, first, last)]
    if seconds == MINUTE:
        return [sa.select(minutes.bucket, *columns).where(*conditions)]
    table, unit = (log_counts_hourly, "hour") if seconds == HOUR else (log_counts_daily, "day")
    bucket = sa.func.date_trunc(unit, minutes.bucket)
    summed = sa.select(
        table.c.bucket, *(table.c[name] for name in (*LABELS, "skeleton_id", "count"))
    ).where(
        *scope.counted_conditions(table),
        *_buckets(table.c.bucket, first, last),
    )
    unfolded = sa.select(bucket.label("bucket"), *columns).where(
        *conditions, sa.not_(minutes.is_folded)
    )
    if left_out:
        summed = summed.where(table.c.bucket.not_in(left_out))
        unfolded = unfolded.where(bucket.not_in(left_out))
    return [summed, unfolded]


def counts_by_minute_in(scope: Scope, hours: Sequence[datetime]) -> sa.Select[Any]:
    """The same by the minute, in these hours only."""
    minutes = log_counts.c
    within = sa.or_(
        *(
            sa.and_(minutes.bucket >= hour, minutes.bucket < hour + timedelta(hours=1))
            for hour in hours
        )
    )
    columns = [minutes[name] for name in (*LABELS, "skeleton_id", "count")]
    return sa.select(minutes.bucket, *columns).where(*scope.counted_conditions(log_counts), within)


def _buckets(
    column: sa.Column[Any], first: datetime | None, last: datetime | None
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if first is not None:
        conditions.append(column >= first)
    if last is not None:
        conditions.append(column < last)
    return conditions
