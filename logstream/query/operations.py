"""Operations of a service: how often, with what errors, how long; and how long usually."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from logstream.durations import low_edge_nano, percentile_nano
from logstream.filter import Choice, LogFilter
from logstream.query.conditions import Condition, choice_conditions
from logstream.query.service_sums import LINE_KIND
from logstream.query.whole_time import WholeTime, counted_rows, last_day, whole_time
from logstream.tables import operation_counts, operation_counts_hourly
from logstream.trace_port import OperationFacts


def operations(
    connection: sa.Connection,
    log_filter: LogFilter,
    service: str,
    *,
    limit: int,
    now_unix_nano: int,
) -> Sequence[OperationFacts]:
    """See TraceReader.operations.

    Of a service without spans the lines with a duration are one operation, of kind `line`; where
    there are spans, those lines tell of the same requests.
    """
    rows = _rows(whole_time(log_filter, now_unix_nano), service, log_filter.environment)
    key = (rows.c.operation, rows.c.kind, rows.c.is_error, rows.c.duration_step)
    steps: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    errors: Counter[tuple[str, str]] = Counter()
    for row in connection.execute(sa.select(*key, _total(rows)).group_by(*key)):
        steps[row.operation, row.kind][row.duration_step] += row.total
        if row.is_error:
            errors[row.operation, row.kind] += row.total
    has_spans = any(kind != LINE_KIND and counted.total() for (_, kind), counted in steps.items())
    found = [
        OperationFacts(
            operation=name,
            kind=kind,
            calls=counted.total(),
            errors=errors[name, kind],
            p50_nano=percentile_nano(counted, 0.5),
            p95_nano=percentile_nano(counted, 0.95),
            p99_nano=percentile_nano(counted, 0.99),
            total_nano=_total_nano(counted),
        )
        for (name, kind), counted in steps.items()
        if counted.total() and not (has_spans and kind == LINE_KIND)
    ]
    found.sort(key=lambda one: (-one.total_nano, one.operation, one.kind))
    return found[:limit]


def durations(
    connection: sa.Connection,
    service: str,
    operation: str,
    kind: str,
    *,
    environment: Choice,
    now_unix_nano: int,
) -> Mapping[int, int]:
    """See TraceReader.durations."""
    rows = _rows(last_day(now_unix_nano), service, environment, operation, kind)
    step = rows.c.duration_step
    counted = connection.execute(sa.select(step, _total(rows)).group_by(step).order_by(step))
    return {row.duration_step: row.total for row in counted if row.total > 0}


def count_requests(
    connection: sa.Connection,
    log_filter: LogFilter,
    time: WholeTime,
    service: str,
    operation: str,
    *,
    by_minute: bool = False,
) -> dict[str, Counter[int]]:
    """How many spans of an operation were counted in a time: by kind, and when (Unix seconds).

    When is an hour, or a minute at the edges of the time; with `by_minute` always a minute.
    """
    rows = _rows(time, service, log_filter.environment, operation, by_minute=by_minute)
    key = (rows.c.kind, rows.c.bucket)
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for row in connection.execute(sa.select(*key, _total(rows)).group_by(*key)):
        if row.kind != LINE_KIND and row.total > 0:
            found[row.kind][int(row.bucket.timestamp())] += row.total
    return found


def _rows(
    time: WholeTime,
    service: str,
    environment: Choice,
    operation: str | None = None,
    kind: str | None = None,
    *,
    by_minute: bool = False,
) -> sa.Subquery:
    def conditions(table: sa.Table) -> list[Condition]:
        found = [
            table.c.service_name == service,
            *choice_conditions(table.c.environment, environment),
        ]
        if operation is not None:
            found.append(table.c.operation == operation)
        if kind is not None:
            found.append(table.c.kind == kind)
        return found

    names = ("operation", "kind", "is_error", "duration_step")
    return sa.union_all(
        *counted_rows(
            operation_counts, operation_counts_hourly, names, conditions, time, by_minute=by_minute
        )
    ).subquery()


def _total(rows: sa.Subquery) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(rows.c["count"]), sa.BigInteger).label("total")


def _total_nano(steps: Mapping[int, int]) -> float:
    """All durations together, each taken as the middle of its step."""
    return sum(
        count * (low_edge_nano(step) + low_edge_nano(step + 1)) / 2 for step, count in steps.items()
    )
