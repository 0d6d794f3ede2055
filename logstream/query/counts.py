"""How many lines: from the counts by day, hour and minute, and from rows where they do not know.

An hour is its row of `log_counts_hourly` and the deltas in it that are not folded yet; a day
likewise. One statement reads both, so folding can neither hide nor double a line.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from logstream.model import NANOS_PER_SECOND, to_datetime
from logstream.query.catalogue import Segment, id_condition, of_window
from logstream.query.conditions import row_conditions, time_conditions
from logstream.query.scope import Scope
from logstream.tables import log_counts, log_counts_daily, log_counts_hourly, logs

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_LABELS = ("environment", "service_name", "severity_number")
Window = tuple[int | None, int | None]


def counted(
    scope: Scope, segments: Iterable[Segment], *, bucket_seconds: int | None = None
) -> sa.Subquery:
    """Matching lines as (bucket, environment, service_name, severity_number, count).

    `bucket` is the line's minute, hour or day: whichever is longest and divides
    `bucket_seconds` (None: any will do). Rows are read only for text and trace conditions and
    for what of the window is no whole minute, and only those of the segments in question.
    """
    if scope.log_filter.needs_rows:
        return _from_rows(scope, (scope.start, scope.end), segments).subquery()
    longest = max(
        seconds
        for seconds in (MINUTE, HOUR, DAY)
        if bucket_seconds is None or bucket_seconds % seconds == 0
    )
    parts: list[sa.Select[Any]] = []
    windows: list[Window] = [(scope.start, scope.end)]
    for seconds in (DAY, HOUR, MINUTE):
        if seconds > longest:
            continue
        edges: list[Window] = []
        for start, end in windows:
            first, last, rest = whole_units(start, end, seconds)
            edges += rest
            if first is None or last is None or first < last:
                parts += _from_counts(scope, seconds, first, last)
        windows = edges
    parts += [_from_rows(scope, window, segments) for window in windows]
    return sa.union_all(*parts).subquery()


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
    columns = [minutes[name] for name in (*_LABELS, "skeleton_id", "count")]
    conditions = [*scope.counted_conditions(log_counts), *_buckets(minutes.bucket, first, last)]
    if seconds == MINUTE:
        return [sa.select(minutes.bucket, *columns).where(*conditions)]
    table, unit = (log_counts_hourly, "hour") if seconds == HOUR else (log_counts_daily, "day")
    summed = sa.select(
        table.c.bucket, *(table.c[name] for name in (*_LABELS, "skeleton_id", "count"))
    ).where(*scope.counted_conditions(table), *_buckets(table.c.bucket, first, last))
    bucket = sa.func.date_trunc(unit, minutes.bucket).label("bucket")
    unfolded = sa.select(bucket, *columns).where(*conditions, sa.not_(minutes.is_folded))
    return [summed, unfolded]


def _from_counts(
    scope: Scope, seconds: int, first: datetime | None, last: datetime | None
) -> list[sa.Select[Any]]:
    names = ("bucket", *_LABELS, "count")
    return [
        part.with_only_columns(*(part.selected_columns[name] for name in names))
        for part in counts_by(scope, seconds, first, last)
    ]


def _from_rows(scope: Scope, window: Window, segments: Iterable[Segment]) -> sa.Select[Any]:
    minute = sa.func.date_trunc("minute", logs.c.timestamp).label("bucket")
    columns = (minute, *(logs.c[name] for name in _LABELS))
    return (
        sa.select(*columns, sa.func.count().label("count"))
        .where(
            id_condition(of_window(segments, *window)),
            *scope.counted_conditions(logs),
            *row_conditions(scope.log_filter),
            *time_conditions(logs.c.timestamp, *window),
        )
        .group_by(*columns)
    )


def _buckets(
    column: sa.Column[Any], first: datetime | None, last: datetime | None
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if first is not None:
        conditions.append(column >= first)
    if last is not None:
        conditions.append(column < last)
    return conditions
