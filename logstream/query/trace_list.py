"""Which traces are meant, a page of them in the order asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import to_datetime, to_unix_nano
from logstream.query.conditions import Condition
from logstream.query.trace_conditions import errors, trace_conditions
from logstream.query.trace_cursor import TracePlace, read_place, write_place
from logstream.query.trace_walk import Budget, walk
from logstream.tables import trace_summaries
from logstream.trace_port import TracePage, TraceSort, TraceSummary

# Questions that must read spans end after about so long.
BUDGET_SECONDS = 2.0
_columns = trace_summaries.c
_VALUES: dict[str, sa.ColumnElement[Any]] = {
    "longest": _columns.duration_ns,
    "errors": errors,
    "spans": _columns.span_count,
}


def traces(
    connection: sa.Connection,
    log_filter: LogFilter,
    *,
    sort: TraceSort = "newest",
    limit: int,
    now_unix_nano: int,
    cursor: str | None = None,
    budget_seconds: float = BUDGET_SECONDS,
) -> TracePage:
    """See TraceReader.traces."""
    conditions = trace_conditions(log_filter, now_unix_nano)
    if cursor:
        conditions.of_summary.append(_behind(read_place(cursor, sort)))
    order = [column.desc() for column in _order(sort)]
    if not conditions.needs_spans:
        statement = sa.select(trace_summaries).where(*conditions.of_summary).order_by(*order)
        rows = connection.execute(statement.limit(limit + 1)).all()
        has_more = len(rows) > limit
        return _page(rows[:limit], sort, rows[limit - 1] if has_more else None)
    found: list[sa.Row[Any]] = []
    budget = Budget(budget_seconds)
    for row in walk(connection, conditions, order, budget):
        if len(found) == limit:
            return _page(found, sort, found[-1])
        found.append(row)
    is_full = len(found) == limit
    return _page(found, sort, budget.reached, is_complete=is_full or budget.reached is None)


def to_summary(row: sa.Row[Any]) -> TraceSummary:
    """A row of `trace_summaries` as the value that lists show."""
    return TraceSummary(
        trace_id=row.trace_id,
        environment=row.environment,
        root_service=row.root_service,
        root_name=row.root_name,
        start_unix_nano=to_unix_nano(row.start),
        duration_nano=row.duration_ns,
        span_count=row.span_count,
        error_count=row.error_count,
        line_count=row.line_count,
        error_line_count=row.error_line_count,
        services=row.services,
    )


def _page(
    rows: Sequence[sa.Row[Any]], sort: TraceSort, last: sa.Row[Any] | None, is_complete: bool = True
) -> TracePage:
    cursor = None if last is None else write_place(_place(last, sort))
    return TracePage([to_summary(row) for row in rows], cursor, is_complete)


def _order(sort: str) -> Iterator[sa.ColumnElement[Any]]:
    if sort in _VALUES:
        yield _VALUES[sort]
    yield from (_columns.start, _columns.trace_id, _columns.environment)


def _place(row: sa.Row[Any], sort: TraceSort) -> TracePlace:
    match sort:
        case "longest":
            value = row.duration_ns
        case "errors":
            value = row.error_count + row.error_line_count
        case "spans":
            value = row.span_count
        case _:
            value = 0
    return TracePlace(sort, value, to_unix_nano(row.start), row.trace_id, row.environment)


def _behind(place: TracePlace) -> Condition:
    start = sa.literal(to_datetime(place.start_unix_nano), sa.DateTime(timezone=True))
    values: list[Any] = [start, place.trace_id, place.environment]
    if place.sort in _VALUES:
        values.insert(0, sa.cast(sa.literal(place.value), sa.BigInteger))
    behind: Condition = sa.tuple_(*_order(place.sort)) < sa.tuple_(*values)
    # The same said so that the index on `start` is used.
    return behind if place.sort in _VALUES else sa.and_(_columns.start <= start, behind)
