"""The SQL face of LogFilter."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from logstream.filter import Choice, LogFilter
from logstream.model import to_datetime
from logstream.query.text_conditions import in_severity_group, text_labels, text_rows
from logstream.tables import logs

Condition = sa.ColumnElement[bool]


def label_conditions(log_filter: LogFilter, table: sa.FromClause) -> list[Condition]:
    """Environment, service, severity and pattern: what both `logs` and the counts know."""
    return [*chosen_conditions(log_filter, table), *text_labels(log_filter.text, table)]


def chosen_conditions(log_filter: LogFilter, table: sa.FromClause) -> list[Condition]:
    """Environment, service and severity as they are chosen beside `q`."""
    conditions = [
        *choice_conditions(table.c.environment, log_filter.environment),
        *choice_conditions(table.c.service_name, log_filter.service),
    ]
    number = table.c.severity_number
    if log_filter.severity.only:
        conditions.append(
            sa.or_(*(in_severity_group(number, word) for word in log_filter.severity.only))
        )
    conditions += [
        sa.not_(in_severity_group(number, word)) for word in log_filter.severity.excluded
    ]
    return conditions


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


def minute_of(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The beginning of a moment's minute; date_trunc, which asks for the zone, takes far longer."""
    return sa.literal_column(
        f"date_bin('1 minute', {column}, '0001-01-01 00:00:00+00')", sa.DateTime(timezone=True)
    )


def choice_conditions(column: sa.ColumnElement[Any], choice: Choice) -> list[Condition]:
    """The values that the choice allows."""
    conditions: list[Condition] = []
    if choice.only:
        conditions.append(column.in_(choice.only))
    if choice.excluded:
        conditions.append(column.not_in(choice.excluded))
    return conditions


def _ceil_to_micros(unix_nano: int) -> datetime:
    return to_datetime(-(-unix_nano // 1_000) * 1_000)
