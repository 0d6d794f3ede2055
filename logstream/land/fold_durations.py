"""Folding of `operation_counts` and `call_counts`: deltas become minutes and hours.

As `upkeep.fold_counts` does with lines: one statement, so one snapshot for every reader. A
difference may be negative (a call was counted before its trace was whole); what adds up to
nothing goes away. Minutes are kept for a few days, hours stay.
"""

import psycopg
from psycopg import sql

# Each with what it distinguishes besides minute, environment, error and duration.
COUNTED = {
    "operation_counts": ("service_name", "operation", "kind"),
    "call_counts": ("source", "target", "kind"),
}
FOLD_MINUTES = 200
MINUTES_KEPT_DAYS = 3
DELETE_ROWS = 20_000

_FOLD = """
WITH minutes AS (
    SELECT DISTINCT bucket FROM {table} WHERE NOT is_folded ORDER BY bucket DESC LIMIT %s
), gone AS (
    DELETE FROM {table} AS counted USING minutes WHERE counted.bucket = minutes.bucket
    RETURNING counted.*
), folded AS (
    INSERT INTO {table} (bucket, {keys}, count, is_folded)
    SELECT bucket, {keys}, sum(count), true FROM gone GROUP BY bucket, {keys}
    HAVING sum(count) <> 0
    RETURNING 1
), hours AS (
    INSERT INTO {hourly} AS summed (bucket, {keys}, count)
    SELECT date_trunc('hour', bucket, 'UTC') AS hour, {keys}, sum(count)
    FROM gone WHERE NOT is_folded GROUP BY hour, {keys}
    ON CONFLICT (bucket, {keys}) DO UPDATE SET count = summed.count + excluded.count
)
SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM folded),
       ARRAY(SELECT DISTINCT date_trunc('hour', bucket, 'UTC') FROM gone WHERE count < 0)
"""
# Nothing may be left of an hour to which nothing was added; found by its key.
_REMOVE_NOTHING = "DELETE FROM {hourly} WHERE bucket = ANY(%s) AND count = 0"
_FORGET = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table}
    WHERE is_folded AND bucket < now() - make_interval(days => %s) LIMIT %s))
"""


def fold(connection: psycopg.Connection, table: str, minutes: int = FOLD_MINUTES) -> int:
    """Sum up the newest minutes of one of COUNTED that have deltas; the rows saved."""
    with connection.transaction():
        saved, hours = next(connection.execute(_of(_FOLD, table), [minutes]))
        if hours:
            connection.execute(_of(_REMOVE_NOTHING, table), [hours])
    return int(saved)


def forget_minutes(connection: psycopg.Connection, table: str) -> int:
    """Delete minutes older than MINUTES_KEPT_DAYS, which are in their hours; how many rows."""
    return connection.execute(_of(_FORGET, table), [MINUTES_KEPT_DAYS, DELETE_ROWS]).rowcount


def _of(statement: str, table: str) -> sql.Composed:
    keys = ("environment", *COUNTED[table], "is_error", "duration_step")
    return sql.SQL(statement).format(
        table=sql.Identifier(table),
        hourly=sql.Identifier(f"{table}_hourly"),
        keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
    )
