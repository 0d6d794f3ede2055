"""What the traces meant look like together: points over time, counts by duration."""

import math
import zlib
from collections import Counter
from typing import Any

import sqlalchemy as sa

from logstream.durations import FIRST_STEP, LAST_STEP, low_edge_nano, step_of
from logstream.filter import LogFilter
from logstream.model import to_unix_nano
from logstream.query.trace_conditions import TraceConditions, errors, trace_conditions
from logstream.query.trace_list import BUDGET_SECONDS
from logstream.query.trace_walk import Budget, walk
from logstream.tables import trace_summaries
from logstream.trace_port import TracePoint, TraceShape

_columns = trace_summaries.c
_SHARES = (0.5, 0.95, 0.99)
_EDGES: sa.ColumnElement[Any] = sa.literal_column(
    f"ARRAY[{', '.join(f'{low_edge_nano(step)!r}' for step in range(LAST_STEP + 1))}]::float8[]"
)
# Of an order that has nothing to do with the traces: the first of it are an even sample.
_MIXED = sa.func.hashtextextended(_columns.trace_id, 0)


def trace_shape(
    connection: sa.Connection,
    log_filter: LogFilter,
    *,
    points: int,
    now_unix_nano: int,
    budget_seconds: float = BUDGET_SECONDS,
) -> TraceShape:
    """See TraceReader.trace_shape."""
    conditions = trace_conditions(log_filter, now_unix_nano)
    if conditions.needs_spans:
        return _walked(connection, conditions, points, budget_seconds)
    return _counted(connection, conditions, points)


def _counted(connection: sa.Connection, conditions: TraceConditions, points: int) -> TraceShape:
    step = sa.func.width_bucket(sa.cast(_columns.duration_ns, sa.Double), _EDGES) + FIRST_STEP
    by_step = (
        sa.select(
            step.label("step"),
            sa.func.count().label("seen"),
            sa.func.count().filter(errors > 0).label("failed"),
        )
        .where(*conditions.of_summary)
        .group_by(sa.literal_column("1"))
    )
    rows = connection.execute(by_step).all()
    steps = {row.step: row.seen for row in rows}
    percentiles = (
        sa.func.percentile_disc(sa.cast(list(_SHARES), sa.ARRAY(sa.Double)))
        .within_group(_columns.duration_ns)
        .label("percentiles")
    )
    exact = connection.scalar(sa.select(percentiles).where(*conditions.of_summary))
    sample = (
        sa.select(trace_summaries)
        .where(*conditions.of_summary)
        .order_by(_MIXED, _columns.environment)
        .limit(points)
    )
    found = [_to_point(row) for row in connection.execute(sample)]
    p50, p95, p99 = exact or (None, None, None)
    return TraceShape(
        points=sorted(found, key=lambda point: point.start_unix_nano),
        total=sum(steps.values()),
        error_total=sum(row.failed for row in rows),
        steps=steps,
        p50_nano=p50,
        p95_nano=p95,
        p99_nano=p99,
    )


def _walked(
    connection: sa.Connection, conditions: TraceConditions, points: int, budget_seconds: float
) -> TraceShape:
    budget = Budget(budget_seconds)
    rows = walk(connection, conditions, [_columns.start.desc()], budget)
    found = [_to_point(row) for row in rows]
    durations = sorted(point.duration_nano for point in found)
    p50, p95, p99 = (_percentile(durations, share) for share in _SHARES)
    sample = sorted(found, key=lambda point: zlib.crc32(point.trace_id.encode()))[:points]
    return TraceShape(
        points=sorted(sample, key=lambda point: point.start_unix_nano),
        total=len(found),
        error_total=sum(point.has_error for point in found),
        steps=Counter(map(step_of, durations)),
        p50_nano=p50,
        p95_nano=p95,
        p99_nano=p99,
        is_complete=budget.reached is None,
    )


def _percentile(ordered: list[int], share: float) -> float | None:
    """The first that `share` of them do not exceed, as percentile_disc has it."""
    if not ordered:
        return None
    return ordered[math.ceil(share * len(ordered)) - 1]


def _to_point(row: sa.Row[Any]) -> TracePoint:
    return TracePoint(
        trace_id=row.trace_id,
        start_unix_nano=to_unix_nano(row.start),
        duration_nano=row.duration_ns,
        has_error=row.error_count + row.error_line_count > 0,
        root_service=row.root_service,
        root_name=row.root_name,
    )
