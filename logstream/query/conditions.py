"""The SQL face of LogFilter."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, to_datetime
from logstream.query.text_conditions import in_severity_group, text_labels, text_rows
from logstream.tables import log_counts, logs

Condition = sa.ColumnElement[bool]


def label_conditions(log_filter: LogFilter, table: sa.Table) -> list[Condition]:
    """Environment, service and severity: what both `logs` and `log_counts` know."""
    conditions = [
        *_choice(table.c.environment, log_filter.environment),
        *_choice(table.c.service_name, log_filter.service),
    ]
    number = table.c.severity_number
    if log_filter.severity.only:
        conditions.append(
            sa.or_(*(in_severity_group(number, word) for word in log_filter.severity.only))
        )
    conditions += [
        sa.not_(in_severity_group(number, word)) for word in log_filter.severity.excluded
    ]
    return [*conditions, *text_labels(log_filter.text, table)]


def row_conditions(log_filter: LogFilter) -> list[Condition]:
    """Trace and text: what only the rows of `logs` know."""
    conditions: list[Condition] = []
    if log_filter.trace_id:
        conditions.append(logs.c.trace_id == log_filter.trace_id)
    return [*conditions, *text_rows(log_filter.text)]


def time_conditions(column: sa.Column[Any], start: int | None, end: int | None) -> list[Condition]:
    """start <= column < end, in nanoseconds; None where open.

    Bounds are rounded up to the microsecond: a line's own nanoseconds lie beside the column.
    """
    conditions: list[Condition] = []
    if start is not None:
        conditions.append(column >= _ceil_to_micros(start))
    if end is not None:
        conditions.append(column < _ceil_to_micros(end))
    return conditions


def minute_window(
    start: int | None, end: int | None
) -> tuple[datetime | None, datetime | None, list[tuple[int, int]]]:
    """A window split into whole minutes, for the rollup, and ragged edges, for the rows.

    Gives (first minute, end minute, edges in nanoseconds).
    """
    minute = 60 * NANOS_PER_SECOND
    first = None if start is None else -(-start // minute) * minute
    last = None if end is None else end // minute * minute
    if start is not None and end is not None and first is not None and last is not None:
        if first >= last:
            return to_datetime(first), to_datetime(first), [(start, end)]
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


def counted(log_filter: LogFilter, now_unix_nano: int) -> sa.Subquery:
    """Matching lines as (bucket, environment, service_name, severity_number, count).

    `bucket` is the line's minute. From the rollup when it knows the answer; the rows are
    read only for text and trace conditions and for a window's ragged edges.
    """
    start, end = log_filter.window_unix_nano(now_unix_nano)
    if log_filter.needs_rows:
        return _from_rows(log_filter, start, end).subquery()
    first, last, edges = minute_window(start, end)
    rollup = sa.select(
        log_counts.c.bucket,
        log_counts.c.environment,
        log_counts.c.service_name,
        log_counts.c.severity_number,
        log_counts.c.count,
    ).where(*label_conditions(log_filter, log_counts))
    if first is not None:
        rollup = rollup.where(log_counts.c.bucket >= first)
    if last is not None:
        rollup = rollup.where(log_counts.c.bucket < last)
    parts = [rollup, *(_from_rows(log_filter, low, high) for low, high in edges)]
    return sa.union_all(*parts).subquery() if len(parts) > 1 else rollup.subquery()


def _from_rows(log_filter: LogFilter, start: int | None, end: int | None) -> sa.Select[Any]:
    minute = sa.func.date_trunc("minute", logs.c.timestamp).label("bucket")
    columns = (minute, logs.c.environment, logs.c.service_name, logs.c.severity_number)
    return (
        sa.select(*columns, sa.func.count().label("count"))
        .where(
            *label_conditions(log_filter, logs),
            *row_conditions(log_filter),
            *time_conditions(logs.c.timestamp, start, end),
        )
        .group_by(*columns)
    )


def _choice(column: sa.Column[Any], choice: Choice) -> list[Condition]:
    conditions: list[Condition] = []
    if choice.only:
        conditions.append(column.in_(choice.only))
    if choice.excluded:
        conditions.append(column.not_in(choice.excluded))
    return conditions


def _ceil_to_micros(unix_nano: int) -> datetime:
    return to_datetime(-(-unix_nano // 1_000) * 1_000)
