"""How long the calls of one service took over time."""

from collections import Counter, defaultdict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.durations import percentile_nano
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, to_datetime
from logstream.query.conditions import Condition, choice_conditions
from logstream.query.counts import HOUR
from logstream.query.service_sums import ENTRY_KINDS, LINE_KIND
from logstream.query.whole_time import counted_rows, whole_time
from logstream.tables import operation_counts, operation_counts_hourly
from logstream.trace_port import DurationTrend, Services


def duration_trend(
    connection: sa.Connection,
    log_filter: LogFilter,
    service: str,
    like: Services,
    *,
    now_unix_nano: int,
) -> DurationTrend:
    """See TraceReader.duration_trend. Its calls are those that ServiceFacts means."""

    def conditions(table: sa.Table) -> list[Condition]:
        return [
            table.c.service_name == service,
            *choice_conditions(table.c.environment, log_filter.environment),
        ]

    rows = sa.union_all(
        *counted_rows(
            operation_counts,
            operation_counts_hourly,
            ("kind", "duration_step"),
            conditions,
            whole_time(log_filter, now_unix_nano),
            by_minute=like.bucket_seconds < HOUR,
        )
    ).subquery()
    starts = [to_datetime(start * NANOS_PER_SECOND) for start in like.starts_unix_seconds]
    moments = sa.literal(starts, ARRAY(sa.DateTime(timezone=True)))
    key = (
        sa.case((rows.c.kind.in_(ENTRY_KINDS), 0), (rows.c.kind == LINE_KIND, 2), else_=1),
        sa.func.width_bucket(rows.c.bucket, moments),
        rows.c.duration_step,
    )
    counts: dict[int, dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for what, piece, step, total in connection.execute(
        sa.select(*key, sa.func.sum(rows.c["count"])).group_by(*key)
    ):
        counts[what][piece - 1][step] += int(total)
    # What it answers, or all it does, or what its lines say.
    told = counts[min(counts)] if counts else {}
    pieces = [told.get(piece, Counter()) for piece in range(len(starts))]
    p50, p95, p99 = (
        [percentile_nano(piece, share) for piece in pieces] for share in (0.5, 0.95, 0.99)
    )
    return DurationTrend(p50, p95, p99)
