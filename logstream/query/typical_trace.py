"""The trace of the middle: of all traces with one root, that whose duration is the median."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND
from logstream.query.conditions import choice_conditions, time_conditions
from logstream.query.whole_time import whole_time
from logstream.tables import trace_summaries

# The newest of more traces: sorting them all would take seconds.
MOST_TRACES = 50_000


def typical_trace(
    connection: sa.Connection,
    log_filter: LogFilter,
    service: str,
    operation: str,
    *,
    now_unix_nano: int,
) -> str | None:
    """See TraceReader.typical_trace. Of an even number, the shorter of the two in the middle."""
    time = whole_time(log_filter, now_unix_nano)
    columns = trace_summaries.c
    newest = (
        sa.select(columns.trace_id, columns.duration_ns, columns.start)
        .where(
            columns.root_service == service,
            columns.root_name == operation,
            *time_conditions(
                columns.start, time.start * NANOS_PER_SECOND, time.end * NANOS_PER_SECOND
            ),
            *choice_conditions(columns.environment, log_filter.environment),
        )
        .order_by(columns.start.desc())
        .limit(MOST_TRACES)
        .subquery()
    )
    order = (newest.c.duration_ns, newest.c.start, newest.c.trace_id)
    ranked = sa.select(
        newest.c.trace_id,
        sa.func.row_number().over(order_by=order).label("place"),
        sa.func.count().over().label("traces"),
    ).subquery()
    middle = ranked.c.place == (ranked.c.traces + 1) // 2
    return connection.scalar(sa.select(ranked.c.trace_id).where(middle))
