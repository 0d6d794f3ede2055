"""Which lines are newest, what a line says, what a gap holds.

An open segment has no B-tree by time, so the newest lines are found by first asking the
rollup how far back the wanted number of lines reaches, then reading just that far.
"""

from typing import Any

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, LogLine, to_datetime, to_unix_nano
from logstream.query.conditions import (
    Condition,
    label_conditions,
    row_conditions,
    time_conditions,
)
from logstream.tables import log_counts, logs

# Lines looked at before the next, wider step back; only conditions that the rollup
# does not know (text, trace) ever need the second step.
_FIRST_LOOK = 20_000
_LOOK_GROWTH = 8
# Rows of the rollup read for one step, whatever it holds.
_COUNT_ROWS = 50_000


def recent(
    connection: sa.Connection,
    log_filter: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
    before: tuple[int, int] | None = None,
) -> list[LogLine]:
    """See LogReader.recent."""
    start, end = log_filter.window_unix_nano(now_unix_nano)
    conditions = [*label_conditions(log_filter, logs), *row_conditions(log_filter)]
    if before is not None:
        conditions.append(_older_than(*before))
        upper = before[0] + 1_000
        end = upper if end is None else min(end, upper)
    found: list[LogLine] = []
    look = limit if not log_filter.needs_rows else max(limit, _FIRST_LOOK)
    while len(found) < limit:
        reached = _time_of_nth_newest(connection, log_filter, start, end, look)
        found += _select(
            connection,
            [*conditions, *time_conditions(logs.c.timestamp, reached or start, end)],
            limit - len(found),
        )
        if reached is None:
            break
        end, look = reached, look * _LOOK_GROWTH
    return found


def lines_by_id_range(
    connection: sa.Connection,
    log_filter: LogFilter,
    first_id: int,
    last_id: int,
    *,
    limit: int,
    now_unix_nano: int,
) -> list[LogLine]:
    """See LogReader.lines_by_id_range."""
    start, end = log_filter.window_unix_nano(now_unix_nano)
    statement = (
        sa.select(logs)
        .where(
            logs.c.id.between(first_id, last_id),
            *label_conditions(log_filter, logs),
            *row_conditions(log_filter),
            *time_conditions(logs.c.timestamp, start, end),
        )
        .order_by(logs.c.id.desc())
        .limit(limit)
    )
    return [_line(row) for row in connection.execute(statement)]


def line(connection: sa.Connection, line_id: int) -> LogLine | None:
    """See LogReader.line."""
    row = connection.execute(sa.select(logs).where(logs.c.id == line_id)).first()
    return None if row is None else _line(row)


def _select(connection: sa.Connection, conditions: list[Condition], limit: int) -> list[LogLine]:
    statement = (
        sa.select(logs)
        .where(*conditions)
        .order_by(logs.c.timestamp.desc(), logs.c.timestamp_nanos.desc(), logs.c.id.desc())
        .limit(limit)
    )
    return [_line(row) for row in connection.execute(statement)]


def _time_of_nth_newest(
    connection: sa.Connection,
    log_filter: LogFilter,
    start: int | None,
    end: int | None,
    n: int,
) -> int | None:
    """Start of the minute in which the n-th newest counted line lies; None if there are fewer."""
    counts = log_counts.c
    # Every row counts at least one line, so n rows are always enough.
    row_limit = min(n, _COUNT_ROWS)
    conditions = label_conditions(log_filter, log_counts)
    if start is not None:
        conditions.append(counts.bucket > to_datetime(start - NANOS_PER_MINUTE))
    if end is not None:
        # The minute that holds `end` may lie partly outside: not counted, so read in full.
        conditions.append(counts.bucket <= to_datetime(end - NANOS_PER_MINUTE))
    newest = (
        sa.select(counts.bucket, counts.count)
        .where(*conditions)
        .order_by(counts.bucket.desc())
        .limit(row_limit)
        .subquery()
    )
    running = sa.select(
        newest.c.bucket,
        sa.func.sum(newest.c.count).over(order_by=newest.c.bucket.desc()).label("lines"),
    ).subquery()
    bucket, oldest, rows = connection.execute(
        sa.select(
            sa.func.max(running.c.bucket).filter(running.c.lines >= n),
            sa.func.min(running.c.bucket),
            sa.func.count(),
        )
    ).one()
    if bucket is None and rows == row_limit:
        bucket = oldest
    reached = None if bucket is None else to_unix_nano(bucket)
    return None if reached is None or (start is not None and reached <= start) else reached


def _older_than(timestamp_unix_nano: int, line_id: int) -> Condition:
    micros, nanos = divmod(timestamp_unix_nano, 1_000)
    moment = sa.literal(to_datetime(micros * 1_000), sa.DateTime(timezone=True))
    return sa.tuple_(logs.c.timestamp, logs.c.timestamp_nanos, logs.c.id) < sa.tuple_(
        moment, sa.literal(nanos, sa.SmallInteger), sa.literal(line_id, sa.BigInteger)
    )


def _line(row: sa.Row[Any]) -> LogLine:
    return LogLine(
        id=row.id,
        timestamp_unix_nano=to_unix_nano(row.timestamp) + row.timestamp_nanos,
        observed_unix_nano=to_unix_nano(row.observed_timestamp),
        environment=row.environment,
        service_name=row.service_name,
        severity_number=row.severity_number,
        body=row.body,
        severity_text=row.severity_text,
        trace_id=row.trace_id,
        span_id=row.span_id,
        duration_ms=row.duration_ms,
        attributes=row.attributes,
        skeleton_id=row.skeleton_id,
    )
