"""Taking rows out of a segment's own table: page by page, by writing it anew, or all of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land.segments import SegmentedTable

# About 5,000 rows a transaction.
PAGES_AT_ONCE = 256
# Dropping excludes readers and landing for an instant; they never wait longer than this.
_DROP_WAIT = "200ms"
_DROP_TRIES = 5


class Segment(Protocol):
    """A segment as its catalogue lists it."""

    @property
    def first_id(self) -> int: ...
    @property
    def end_id(self) -> int: ...
    @property
    def name(self) -> str: ...


def page_ranges(connection: psycopg.Connection, name: str) -> Iterator[dict[str, str]]:
    """Where pieces of the table begin and end: `ctid >= %(first)s AND ctid < %(end)s`."""
    row = connection.execute(
        "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::bigint",
        [sql.Identifier(name).as_string(connection)],
    ).fetchone()
    for page in range(0, int(row[0]) if row else 0, PAGES_AT_ONCE):
        yield {"first": f"({page},0)", "end": f"({page + PAGES_AT_ONCE},0)"}


def fill_anew(
    connection: psycopg.Connection,
    table: SegmentedTable,
    segment: Segment,
    is_due: sql.Composable,
    values: Mapping[str, Any],
) -> int:
    """Copy what is not due into a table beside the segment's; how many rows.

    A transaction of its own: the pages then are on disk before `put_in_place` locks anybody
    out. What an interruption leaves is dropped at the next attempt.
    """
    fresh = _fresh(segment)
    with connection.transaction():
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(fresh))
        # The indexes and the check are there before the table is attached, which then is quick.
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING INDEXES,"
                " CONSTRAINT ids CHECK (id >= {} AND id < {}))"
            ).format(fresh, sql.Identifier(table.name), segment.first_id, segment.end_id)
        )
        return connection.execute(
            sql.SQL("INSERT INTO {} SELECT * FROM {} WHERE NOT {}").format(
                fresh, sql.Identifier(segment.name), is_due
            ),
            values,
        ).rowcount


def put_in_place(connection: psycopg.Connection, table: SegmentedTable, segment: Segment) -> None:
    """Let the table that `fill_anew` made be the segment's; inside a transaction."""
    leaf = sql.Identifier(segment.name)
    drop(connection, segment.name)
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(_fresh(segment), leaf))
    connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            sql.Identifier(table.name), leaf, segment.first_id, segment.end_id
        )
    )
    connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT ids").format(leaf))


def drop(connection: psycopg.Connection, name: str) -> None:
    """Drop the table; inside a transaction. LockNotAvailable when it is in use just now."""
    connection.execute(f"SET LOCAL lock_timeout = '{_DROP_WAIT}'")
    for attempt in range(_DROP_TRIES):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            return
        except pg_errors.LockNotAvailable:
            if attempt == _DROP_TRIES - 1:
                raise


def _fresh(segment: Segment) -> sql.Identifier:
    return sql.Identifier(f"{segment.name}_kept")
