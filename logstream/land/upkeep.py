"""What a database of logs needs beside landing: folding counts, forgetting, summaries.

Every function does one bounded piece of work on its own connection (autocommit) and says
how much it did, so the worker can repeat it until nothing is left.
"""

import psycopg
from psycopg import sql

# Minutes folded in one transaction.
FOLD_MINUTES = 200
DELETE_ROWS = 20_000
# The newest refused records are kept.
MAX_REJECTS = 100_000
MAX_REJECT_TABLE_BYTES = 256 * 1024 * 1024

# The newest minutes with delta rows are summed up; only the deltas go into the longer buckets,
# which hold what was folded before. One statement, so one snapshot for every reader.
_FOLD = """
WITH minutes AS (
    SELECT DISTINCT bucket FROM log_counts WHERE NOT is_folded ORDER BY bucket DESC LIMIT %s
), gone AS (
    DELETE FROM log_counts USING minutes WHERE log_counts.bucket = minutes.bucket
    RETURNING log_counts.*
), folded AS (
    INSERT INTO log_counts
        (bucket, environment, service_name, severity_number, skeleton_id, count, is_folded)
    SELECT bucket, environment, service_name, severity_number, skeleton_id, sum(count), true
    FROM gone GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0
    RETURNING 1
), hours AS (
    INSERT INTO log_counts_hourly AS summed
        (bucket, environment, service_name, severity_number, skeleton_id, count)
    SELECT date_trunc('hour', bucket, 'UTC'),
        environment, service_name, severity_number, skeleton_id, sum(count)
    FROM gone WHERE NOT is_folded GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (bucket, environment, service_name, severity_number, skeleton_id)
        DO UPDATE SET count = summed.count + excluded.count
), days AS (
    INSERT INTO log_counts_daily AS summed
        (bucket, environment, service_name, severity_number, skeleton_id, count)
    SELECT date_trunc('day', bucket, 'UTC'),
        environment, service_name, severity_number, skeleton_id, sum(count)
    FROM gone WHERE NOT is_folded GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (bucket, environment, service_name, severity_number, skeleton_id)
        DO UPDATE SET count = summed.count + excluded.count
)
SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM folded),
       coalesce((SELECT bool_or(count < 0) FROM gone), false)
"""
_OPEN_BRIN_INDEXES = """
SELECT i.indexrelid::regclass::text
FROM (
    (SELECT name FROM segments WHERE state = 'open' ORDER BY first_id DESC LIMIT 3)
    UNION ALL
    (SELECT name FROM span_segments WHERE state = 'open' ORDER BY first_id DESC LIMIT 3)
) s
JOIN pg_index i ON i.indrelid = to_regclass(quote_ident(s.name))
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'
"""


def fold_counts(connection: psycopg.Connection, minutes: int = FOLD_MINUTES) -> int:
    """Sum up the delta rows of the newest unfolded minutes; the rows saved.

    Readers see a minute either unfolded or folded, with the same sums, and so its hour and day.
    """
    with connection.transaction():
        row = connection.execute(_FOLD, [minutes]).fetchone()
        saved, has_removals = row or (0, False)
        if has_removals:
            connection.execute("DELETE FROM log_counts_hourly WHERE count = 0")
            connection.execute("DELETE FROM log_counts_daily WHERE count = 0")
    return int(saved)


def forget_batches(connection: psycopg.Connection, keyed_days: int) -> int:
    """Delete batch ids that no retry can name any more; how many.

    A sender's key is needed for `keyed_days`; a group's own row for a day, because a group
    that went into the spool with an unknown outcome may be looked up when it is replayed.
    """
    return connection.execute(
        "DELETE FROM batches WHERE batch_id IN (SELECT batch_id FROM batches"
        " WHERE landed_at < now() - make_interval(days => %s)"
        " OR (NOT is_keyed AND landed_at < now() - interval '1 day') LIMIT %s)",
        [keyed_days, DELETE_ROWS],
    ).rowcount


def forget_rejects(connection: psycopg.Connection, days: int) -> int:
    """Delete refused records older than `days`; how many."""
    return connection.execute(
        "DELETE FROM rejects WHERE id IN (SELECT id FROM rejects"
        " WHERE rejected_at < now() - make_interval(days => %s) LIMIT %s)",
        [days, DELETE_ROWS],
    ).rowcount


def trim_rejects(
    connection: psycopg.Connection,
    max_rows: int = MAX_REJECTS,
    max_bytes: int = MAX_REJECT_TABLE_BYTES,
) -> int:
    """Delete the oldest refused records beyond so many, and so many bytes; how many."""
    return connection.execute(
        "DELETE FROM rejects WHERE id <= (SELECT max(id) FROM ("
        "SELECT id, row_number() OVER newest AS place,"
        " sum(octet_length(raw) + octet_length(error)) OVER newest AS bytes"
        " FROM rejects WINDOW newest AS (ORDER BY id DESC)) counted"
        " WHERE place > %s OR bytes > %s)",
        [max_rows, max_bytes],
    ).rowcount


def summarize_segments(connection: psycopg.Connection) -> int:
    """Let the BRIN indexes of the open segments know their newest pages; ranges added."""
    added = 0
    for (name,) in connection.execute(_OPEN_BRIN_INDEXES).fetchall():
        row = connection.execute(
            sql.SQL("SELECT brin_summarize_new_values({})").format(sql.Literal(name))
        ).fetchone()
        added += int(row[0]) if row else 0
    return added
