"""Closing: from here on nothing lands in a segment, and what it holds is known.

A landing process may still hold ids of a segment that is full or passed over. The fence
(`writer_lock`) makes it see `closed` and give them up, so ids have holes there.
"""

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land.id_blocks import IDS_PER_BLOCK
from logstream.land.receipts import RANGE_OF_RECEIPTS
from logstream.land.segment_faults import told_and_passed_over
from logstream.land.segments import IDS_PER_SEGMENT, LOGS, SegmentedTable

# By age alone a segment closes only when it holds about this many lines, or a day's: many
# small segments cost every question more than a scan of one that is still open.
LEAST_IDS_BY_AGE = 100_000
AGES_FOR_FEWER = 24
MAX_HOUR_RANGES = 500
# Whoever lands waits behind the closer, so the closer rather tries again later.
FENCE_WAIT = "1s"

_FULL = """
SELECT first_id FROM {catalogue}, {blocks}
WHERE state = 'open' AND is_called AND end_id <= last_value * %s ORDER BY first_id
"""
# A segment is filled from the moment on when the one before it was closed.
_OLD = """
SELECT end_id, name FROM {catalogue} s, {blocks}
WHERE state = 'open' AND is_called
  AND last_value * %(block)s >= first_id AND last_value * %(block)s < end_id
  AND coalesce((SELECT closed_at FROM {catalogue} p WHERE p.end_id = s.first_id), created_at)
      < now() - make_interval(secs => %(seconds)s * CASE
          WHEN (last_value + 1) * %(block)s - first_id >= %(least)s THEN 1 ELSE %(ages)s END)
"""
# Never setval: between reading and setting, a landing process may have gone further.
_MOVE_ON = """
SELECT nextval({name}::regclass) FROM generate_series(
    (SELECT last_value + 1 FROM {blocks}), %s)
"""
# The clock, not now(): lines landed while we waited for the lock.
_CLOSE = """
UPDATE {catalogue} SET state = 'closed', closed_at = clock_timestamp()
WHERE first_id = %s AND state = 'open'
"""
_DESCRIBE = """
WITH found AS MATERIALIZED (
    SELECT date_bin('1 hour', timestamp, '0001-01-01 00:00:00+00') AS hour, environment,
           severity_number, count(*) AS lines, min(timestamp) AS first, max(timestamp) AS last,
           min(observed_timestamp) AS first_received, max(observed_timestamp) AS last_received
    FROM {leaf} GROUP BY 1, 2, 3
), contents AS (
    INSERT INTO segment_contents (first_id, environment, severity_number, line_count)
    SELECT %(first_id)s, environment, severity_number, sum(lines) FROM found GROUP BY 2, 3
), gaps AS (
    SELECT hour, hour - lag(hour) OVER (ORDER BY hour) AS gap
    FROM (SELECT DISTINCT hour FROM found) h
), starts AS (
    SELECT hour, coalesce(gap > '1 hour', true)
        AND row_number() OVER (ORDER BY gap DESC NULLS FIRST) <= %(most)s AS is_start
    FROM gaps
), islands AS (
    SELECT hour, count(*) FILTER (WHERE is_start) OVER (ORDER BY hour) AS island FROM starts
), ranges AS (
    SELECT tstzrange(min(hour), max(hour) + interval '1 hour') AS hours
    FROM islands GROUP BY island
)
UPDATE segments SET
    row_count = (SELECT coalesce(sum(lines), 0) FROM found),
    first_timestamp = (SELECT min(first) FROM found),
    last_timestamp = (SELECT max(last) FROM found),
    hours = (SELECT coalesce(range_agg(hours), '{{}}') FROM ranges),
    received = (SELECT {received} FROM found)
WHERE first_id = %(first_id)s AND state = 'closed' AND hours IS NULL
"""
_RECEIVED = sql.SQL(
    RANGE_OF_RECEIPTS.format(first="min(first_received)", last="max(last_received)")
)


def close_due(connection: psycopg.Connection, seal_after_seconds: float) -> int:
    """Close every segment of lines that is full or old and say what is in it; how many."""
    closed = close_full_and_old(connection, LOGS, seal_after_seconds)
    describe_closed(connection)
    return closed


def close_full_and_old(
    connection: psycopg.Connection, table: SegmentedTable, seal_after_seconds: float
) -> int:
    """Close every segment that is full or old; how many were closed."""
    for end_id, name in connection.execute(
        _of(_OLD, table),
        {
            "block": IDS_PER_BLOCK,
            "seconds": seal_after_seconds,
            "least": LEAST_IDS_BY_AGE,
            "ages": AGES_FOR_FEWER,
        },
    ).fetchall():
        if _has_rows(connection, name):
            connection.execute(_of(_MOVE_ON, table), [end_id // IDS_PER_BLOCK])
    return sum(
        close(connection, first_id, table)
        for (first_id,) in connection.execute(_of(_FULL, table), [IDS_PER_BLOCK]).fetchall()
    )


def close(connection: psycopg.Connection, first_id: int, table: SegmentedTable = LOGS) -> bool:
    """Let nothing land in a segment any more; False when landing is too busy to wait for."""
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{FENCE_WAIT}'")
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)",
                [table.writer_lock, first_id // IDS_PER_SEGMENT],
            )
            return connection.execute(_of(_CLOSE, table), [first_id]).rowcount == 1
    except pg_errors.LockNotAvailable:
        return False


def describe_closed(connection: psycopg.Connection) -> int:
    """Count what closed segments hold where nobody has yet; how many were described."""
    found = connection.execute(
        "SELECT first_id, name FROM segments WHERE state = 'closed' AND hours IS NULL"
        " ORDER BY first_id DESC"
    ).fetchall()
    for first_id, name in found:
        with (
            told_and_passed_over(connection, f"counting what {name} holds"),
            connection.transaction(),
        ):
            # Two at once would both insert the contents.
            row = connection.execute(
                "SELECT 1 FROM segments WHERE first_id = %s AND hours IS NULL FOR UPDATE",
                [first_id],
            ).fetchone()
            if row is not None:
                connection.execute(
                    sql.SQL(_DESCRIBE).format(leaf=sql.Identifier(name), received=_RECEIVED),
                    {"first_id": first_id, "most": MAX_HOUR_RANGES},
                )
    return len(found)


def _has_rows(connection: psycopg.Connection, name: str) -> bool:
    statement = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name))
    row = connection.execute(statement).fetchone()
    return bool(row and row[0])


def _of(statement: str, table: SegmentedTable) -> sql.Composed:
    return sql.SQL(statement).format(
        catalogue=sql.Identifier(table.catalogue),
        blocks=sql.Identifier(table.blocks),
        name=sql.Literal(table.blocks),
    )
