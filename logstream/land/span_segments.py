"""Closing and sealing segments of spans: as those of lines, with less to do.

An open segment has all that look-up by trace id needs; sealing adds an index for questions
about one operation, and freezes the rows.
"""

import logging

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land.close_segments import close_full_and_old
from logstream.land.receipts import RANGE_OF_RECEIPTS
from logstream.land.seal import Pause, byte_count, taking_care
from logstream.land.segment_faults import told_and_passed_over
from logstream.land.segments import SPANS

log = logging.getLogger(__name__)

_UNDESCRIBED = """
SELECT first_id, name FROM span_segments WHERE state = 'closed' AND environments IS NULL
ORDER BY first_id DESC
"""
_DESCRIBE = """
WITH found AS MATERIALIZED (
    SELECT environment, count(*) AS spans, min(start) AS first, max(start) AS last,
           min(observed_timestamp) AS first_received, max(observed_timestamp) AS last_received
    FROM {leaf} GROUP BY environment
)
UPDATE span_segments SET
    row_count = (SELECT coalesce(sum(spans), 0) FROM found),
    first_start = (SELECT min(first) FROM found),
    last_start = (SELECT max(last) FROM found),
    received = (SELECT {received} FROM found),
    environments = (SELECT coalesce(json_object_agg(environment, spans), '{{}}') FROM found)
WHERE first_id = %s AND state = 'closed' AND environments IS NULL
"""
_RECEIVED = sql.SQL(
    RANGE_OF_RECEIPTS.format(first="min(first_received)", last="max(last_received)")
)
_NEWEST_CLOSED = """
SELECT first_id, name, row_count FROM span_segments
WHERE state = 'closed' AND environments IS NOT NULL ORDER BY first_id DESC
"""


def close_due(connection: psycopg.Connection, seal_after_seconds: float) -> int:
    """Close every segment of spans that is full or old and say what is in it; how many."""
    closed = close_full_and_old(connection, SPANS, seal_after_seconds)
    describe_closed(connection)
    return closed


def describe_closed(connection: psycopg.Connection) -> None:
    """Count what closed segments hold where nobody has yet."""
    for first_id, name in connection.execute(_UNDESCRIBED).fetchall():
        with told_and_passed_over(connection, f"counting what {name} holds"):
            connection.execute(
                sql.SQL(_DESCRIBE).format(leaf=sql.Identifier(name), received=_RECEIVED),
                [first_id],
            )


def seal_next(connection: psycopg.Connection, pause: Pause) -> bool:
    """Seal the newest closed segment; False when none is left that could be sealed now."""
    for first_id, name, row_count in connection.execute(_NEWEST_CLOSED).fetchall():
        with (
            told_and_passed_over(connection, f"sealing {name}"),
            taking_care(connection, first_id, SPANS) as is_ours,
        ):
            if is_ours and _seal(connection, first_id, name, row_count, pause):
                return True
    return False


def _seal(
    connection: psycopg.Connection, first_id: int, name: str, row_count: int, pause: Pause
) -> bool:
    """False when a lock could not be had; what was done stays done."""
    leaf = sql.Identifier(name)
    try:
        if row_count:
            pause()
            connection.execute(sql.SQL("VACUUM (FREEZE) {}").format(leaf))
            pause()
            _index_operations(connection, name)
            pause()
            connection.execute(sql.SQL("ANALYZE {}").format(leaf))
    except pg_errors.LockNotAvailable:
        log.info("segment %s is in use; its sealing goes on later", name)
        return False
    is_sealed = connection.execute(
        "UPDATE span_segments SET state = 'sealed', sealed_at = now(), byte_count = %s"
        " WHERE first_id = %s AND state = 'closed'",
        [byte_count(connection, name), first_id],
    ).rowcount
    log.info("sealed %s: %s spans", name, f"{row_count:,}")
    return bool(is_sealed)


def _index_operations(connection: psycopg.Connection, name: str) -> None:
    try:
        connection.execute(
            sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (service_name, name, start)").format(
                sql.Identifier(f"{name}_operation"), sql.Identifier(name)
            )
        )
    except pg_errors.ProgramLimitExceeded as error:
        log.warning("%s gets no index of operations: %s", name, error.diag.message_primary)
