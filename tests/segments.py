"""Segments with chosen lines, written as landing writes them but without landing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from logstream.land.segments import IDS_PER_SEGMENT

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def make_segment(
    connection: psycopg.Connection,
    number: int,
    lines: Iterable[dict[str, object]] = (),
    *,
    state: str = "open",
    closed_days_ago: float | None = None,
) -> int:
    """A segment with the given lines (see `insert_lines`); its first id."""
    first_id, name = number * IDS_PER_SEGMENT, name_of(number)
    connection.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF logs FOR VALUES FROM ({}) TO ({})").format(
            sql.Identifier(name), sql.Literal(first_id), sql.Literal(first_id + IDS_PER_SEGMENT)
        )
    )
    connection.execute(
        "INSERT INTO segments (first_id, end_id, name, state, closed_at) VALUES (%s, %s, %s, %s,"
        " now() - make_interval(secs => %s))",
        [
            first_id,
            first_id + IDS_PER_SEGMENT,
            name,
            state,
            None if closed_days_ago is None else closed_days_ago * 86_400,
        ],
    )
    insert_lines(connection, first_id + 1, lines)
    return first_id


def insert_lines(
    connection: psycopg.Connection, first_id: int, lines: Iterable[dict[str, object]]
) -> None:
    """Lines with consecutive ids, and their counts; `id` in a line places it elsewhere."""
    rows = [
        {
            "id": line_id,
            "timestamp": NOON + timedelta(seconds=line_id % 1000),
            "environment": "production",
            "service_name": "payment-gateway",
            "severity_number": 9,
            "skeleton_id": 17,
            "trace_id": None,
            "body": f"Payment authorised for order {line_id}",
            "attributes": '{"user.id": "u-17"}',
            **line,
        }
        for line_id, line in enumerate(lines, first_id)
    ]
    if not rows:
        return
    columns = list(rows[0])
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            sql.SQL("INSERT INTO logs ({}, observed_timestamp) VALUES ({}, now())").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Placeholder, columns)),
            ),
            rows,
        )
        cursor.executemany(
            "INSERT INTO log_counts"
            " (bucket, environment, service_name, severity_number, skeleton_id, count)"
            " VALUES (date_trunc('minute', %(timestamp)s), %(environment)s, %(service_name)s,"
            " %(severity_number)s, %(skeleton_id)s, 1)",
            rows,
        )


def hand_out_blocks(connection: psycopg.Connection, before_id: int) -> None:
    """As if landing had taken every block of ids before `before_id`, and the one with it."""
    connection.execute("SELECT setval('log_id_blocks', %s)", [before_id // 10_000])


def name_of(number: int) -> str:
    """The name of the segment with this number."""
    return f"logs_{number:06d}"


def state_of(connection: psycopg.Connection, first_id: int) -> str:
    """The state the catalogue tells."""
    row = connection.execute(
        "SELECT state FROM segments WHERE first_id = %s", [first_id]
    ).fetchone()
    assert row is not None
    return str(row[0])


COUNTS_BUT_NOT_ROWS = """
SELECT * FROM (
    SELECT coalesce(c.n, 0) - coalesce(l.n, 0) AS difference FROM (
        SELECT bucket, environment, service_name, severity_number, skeleton_id, sum(count) AS n
        FROM log_counts GROUP BY 1, 2, 3, 4, 5
    ) c FULL JOIN (
        SELECT date_trunc('minute', timestamp, 'UTC') AS bucket, environment, service_name,
               severity_number, skeleton_id, count(*) AS n
        FROM logs GROUP BY 1, 2, 3, 4, 5
    ) l USING (bucket, environment, service_name, severity_number, skeleton_id)
) d WHERE difference <> 0
"""


def counts_equal_rows(connection: psycopg.Connection) -> bool:
    """True when `log_counts` says exactly what `logs` holds."""
    return connection.execute(COUNTS_BUT_NOT_ROWS).fetchone() is None
