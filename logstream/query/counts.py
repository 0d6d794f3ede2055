"""The counts by day, hour and minute.

An hour is its row of `log_counts_hourly` and the deltas in it that are not folded yet; a day
likewise. One statement reads both, so folding can neither hide nor double a line.
"""

from datetime import datetime
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
    scope: Scope, seconds: int, first: datetime | None, last: datetime | None
) -> list[sa.Select[Any]]:
    """Parts whose union counts the scope's lines by unit of time, skeletons included.

    Each gives (bucket, environment, service_name, severity_number, skeleton_id, count);
    for hours and days the second part is what is not folded yet.
    """
    minutes = log_counts.c
    columns = [minutes[name] for name in (*LABELS, "skeleton_id", "count")]
    conditions = [*scope.counted_conditions(log_counts), *_buckets(minutes.bucket, first, last)]
    if seconds == MINUTE:
        return [sa.select(minutes.bucket, *columns).where(*conditions)]
    table, unit = (log_counts_hourly, "hour") if seconds == HOUR else (log_counts_daily, "day")
    summed = sa.select(
        table.c.bucket, *(table.c[name] for name in (*LABELS, "skeleton_id", "count"))
    ).where(*scope.counted_conditions(table), *_buckets(table.c.bucket, first, last))
    bucket = sa.func.date_trunc(unit, minutes.bucket).label("bucket")
    unfolded = sa.select(bucket, *columns).where(*conditions, sa.not_(minutes.is_folded))
    return [summed, unfolded]


def _buckets(
    column: sa.Column[Any], first: datetime | None, last: datetime | None
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if first is not None:
        conditions.append(column >= first)
    if last is not None:
        conditions.append(column < last)
    return conditions
