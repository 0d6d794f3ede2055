"""Proof that every count is what the rows say, at every level."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

MAX_DIFFERENCES_TOLD = 20
# What is not folded yet is in no hour and no day.
_LEVELS = (
    (
        "minutes",
        sql.SQL(
            "SELECT date_trunc('minute', timestamp, 'UTC') AS bucket,"
            " environment, service_name, severity_number, skeleton_id, 1 AS count FROM logs"
        ),
        sql.SQL("SELECT * FROM log_counts"),
    ),
    (
        "hours",
        sql.SQL(
            "SELECT date_trunc('hour', bucket, 'UTC') AS bucket,"
            " environment, service_name, severity_number, skeleton_id, count"
            " FROM log_counts WHERE is_folded"
        ),
        sql.SQL("SELECT * FROM log_counts_hourly"),
    ),
    (
        "days",
        sql.SQL(
            "SELECT date_trunc('day', bucket, 'UTC') AS bucket,"
            " environment, service_name, severity_number, skeleton_id, count"
            " FROM log_counts_hourly"
        ),
        sql.SQL("SELECT * FROM log_counts_daily"),
    ),
)
_COMPARISON = sql.SQL("""
WITH compared AS (
    SELECT bucket, environment, service_name, severity_number, skeleton_id,
           coalesce(expected, 0) AS expected, coalesce(counted, 0) AS counted
    FROM (
        SELECT bucket, environment, service_name, severity_number, skeleton_id,
               sum(count) AS expected
        FROM ({expected}) AS lower_level GROUP BY 1, 2, 3, 4, 5
    ) AS e FULL JOIN (
        SELECT bucket, environment, service_name, severity_number, skeleton_id,
               sum(count) AS counted
        FROM ({counted}) AS this_level GROUP BY 1, 2, 3, 4, 5
    ) AS c USING (bucket, environment, service_name, severity_number, skeleton_id)
), totals AS (
    SELECT coalesce(sum(expected), 0) AS expected, coalesce(sum(counted), 0) AS counted,
           count(*) FILTER (WHERE expected <> counted) AS differing
    FROM compared
)
SELECT totals.*, compared.*
FROM totals LEFT JOIN compared ON compared.expected <> compared.counted
ORDER BY bucket DESC LIMIT {most}
""")


@dataclass(frozen=True)
class CountCheck:
    """One level beside what it sums up: both totals, and in which groups they differ."""

    level: str
    expected: int
    counted: int
    differing: int
    examples: list[str]


def check_counts(connection: psycopg.Connection) -> Iterator[CountCheck]:
    """Compare minutes with rows, hours with minutes, days with hours, all in one snapshot.

    Reads every row of `logs`: about a second for a million.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        yield from compare_levels(connection)


def compare_levels(connection: psycopg.Connection) -> Iterator[CountCheck]:
    """The same in the snapshot that the connection is in."""
    for level, expected, counted in _LEVELS:
        yield _compare(connection, level, expected, counted)


def _compare(
    connection: psycopg.Connection, level: str, expected: sql.SQL, counted: sql.SQL
) -> CountCheck:
    rows = connection.execute(
        _COMPARISON.format(
            expected=expected, counted=counted, most=sql.Literal(MAX_DIFFERENCES_TOLD)
        )
    ).fetchall()
    total, sums, differing = (int(value) for value in rows[0][:3])
    examples = [
        f"{bucket:%Y-%m-%d %H:%M} {environment}/{service} severity {severity} skeleton {skeleton}:"
        f" {lines} expected, {count} counted"
        for bucket, environment, service, severity, skeleton, lines, count in (
            row[3:] for row in rows
        )
        if bucket is not None
    ]
    return CountCheck(level, total, sums, differing, examples)
