"""Which lines are newest, what a line says, what stands around it, what a gap holds."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from logstream.errors import QueryTimeout
from logstream.filter import LogFilter
from logstream.model import LogLine
from logstream.ports import LineContext
from logstream.query.catalogue import Segment
from logstream.query.conditions import time_conditions
from logstream.query.lines import Key, Order, key_of, to_line
from logstream.query.scope import Scope
from logstream.query.search import search
from logstream.query.surroundings import around
from logstream.tables import logs

# A search that must read lines to know whether they match ends after about this long.
RECENT_SECONDS = 8.0


def recent(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    limit: int,
    now_unix_nano: int,
    before: Key | None = None,
) -> list[LogLine]:
    """See LogReader.recent."""
    page = search(
        connection,
        segments,
        log_filter,
        limit=limit,
        now_unix_nano=now_unix_nano,
        order=Order(before),
        budget_seconds=RECENT_SECONDS,
    )
    if not page.is_complete:
        raise QueryTimeout(
            f"{RECENT_SECONDS:g} s were not enough to read every line that may match; "
            f"{len(page.lines)} were found",
            "narrow the time range, or ask /logs/search, which says how far it came and goes on",
        )
    return list(page.lines)


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
            *Scope(log_filter, start, end).line_conditions(),
            *time_conditions(logs.c.timestamp, start, end),
        )
        .order_by(logs.c.id.desc())
        .limit(limit)
    )
    return [to_line(row) for row in connection.execute(statement)]


def line(connection: sa.Connection, line_id: int) -> LogLine | None:
    """See LogReader.line."""
    row = connection.execute(sa.select(logs).where(logs.c.id == line_id)).first()
    return None if row is None else to_line(row)


def context(
    connection: sa.Connection,
    segments: list[Segment],
    line_id: int,
    *,
    before: int,
    after: int,
    within: LogFilter | None,
    at: datetime | None = None,
) -> LineContext | None:
    """See LogReader.context."""
    middle = line(connection, line_id)
    if middle is None:
        return None
    if within is None:
        within = around(middle, "service")
    meant = within if at is None else replace(within, at=at)

    def neighbours(count: int, is_newest_first: bool) -> list[LogLine]:
        page = search(
            connection,
            segments,
            meant,
            limit=count,
            now_unix_nano=middle.timestamp_unix_nano,
            order=Order(key_of(middle), is_newest_first),
            budget_seconds=None,
        )
        return list(page.lines)

    older = neighbours(before, True) if before else []
    newer = neighbours(after, False) if after else []
    return LineContext(older, middle, newer[::-1])
