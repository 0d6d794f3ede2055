"""When the lines of a segment were received: for segments made before this was asked.

A new segment has its index of receipt from the start and is described when it is closed
(`close_segments`). What is older gets both here, the newest segment first, without anybody
having to wait: the index is built beside landing and reading.
"""

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land.seal import taking_care
from logstream.land.segment_faults import told_and_passed_over

# First and last receipt, both inclusive; a range without ends would mean any time.
RANGE_OF_RECEIPTS = (
    "CASE WHEN {first} IS NULL THEN 'empty' ELSE tstzrange({first}, {last}, '[]') END"
)
_PARENT = "logs_observed_brin"
_WAITING = """
SELECT first_id, name, is_indexed FROM segments, LATERAL (
    SELECT EXISTS (
        SELECT FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
        WHERE i.indrelid = to_regclass(quote_ident(name)) AND h.inhparent = %(parent)s::regclass
    ) AS is_indexed
) looked
WHERE state <> 'dropped' AND (NOT is_indexed OR (received IS NULL AND hours IS NOT NULL))
ORDER BY first_id DESC
"""
_DESCRIBE = """
UPDATE segments SET received = (
    SELECT {range} FROM (
        SELECT min(observed_timestamp) AS first, max(observed_timestamp) AS last FROM {leaf}
    ) found
) WHERE first_id = %s AND received IS NULL AND hours IS NOT NULL
"""


def describe_next(connection: psycopg.Connection) -> bool:
    """Give the newest segment that lacks it what it lacks; False when none does.

    The connection is in autocommit, as building beside landing needs.
    """
    for first_id, name, is_indexed in connection.execute(_WAITING, {"parent": _PARENT}).fetchall():
        with (
            told_and_passed_over(connection, f"indexing the receipts of {name}"),
            taking_care(connection, first_id) as is_ours,
        ):
            if not is_ours:
                continue
            try:
                if not is_indexed:
                    _index(connection, name)
                connection.execute(
                    sql.SQL(_DESCRIBE).format(
                        leaf=sql.Identifier(name),
                        range=sql.SQL(RANGE_OF_RECEIPTS.format(first="first", last="last")),
                    ),
                    [first_id],
                )
            except pg_errors.LockNotAvailable:
                continue
            return True
    return False


def _index(connection: psycopg.Connection, name: str) -> None:
    index = f"{name}_observed_brin"
    row = connection.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))", [index]
    ).fetchone()
    if row is not None and not row[0]:
        # What an interrupted building leaves.
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(index)))
    connection.execute(
        sql.SQL(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} USING brin (observed_timestamp)"
            " WITH (pages_per_range = 32, autosummarize = on)"
        ).format(sql.Identifier(index), sql.Identifier(name))
    )
    connection.execute(
        sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(
            sql.Identifier(_PARENT), sql.Identifier(index)
        )
    )
