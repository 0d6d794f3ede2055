"""Rows straight from COPY: one connection, block by block, never more than a block in memory."""

import select
from collections.abc import Iterator, Sequence
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import pq

from logstream.query.conditions import Condition
from logstream.query.lines import Order
from logstream.tables import logs, skeletons

BLOCK_BYTES = 256 * 1024
# JSON text holds none of these characters, so nothing in it is quoted or doubled.
AS_IT_IS = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')"
AS_CSV = "(FORMAT csv)"
# The rows of a statement are sorted in memory; a client that reads slowly is not a slow question.
PREPARE = sa.text(
    "SELECT set_config('statement_timeout', '0', true), set_config('work_mem', '64MB', true)"
)

Block = list[bytes]


def rows_of(
    connection: sa.Connection,
    columns: Sequence[str],
    conditions: Sequence[Condition],
    *,
    is_newest_first: bool,
    limit: int | None,
    form: str,
) -> Iterator[Block]:
    """The lines of the conditions, one bytes each as COPY writes it, some hundred together."""
    question: Any = (
        sa.select(*(sa.literal_column(one) for one in columns))
        .select_from(logs.outerjoin(skeletons, skeletons.c.skeleton_id == logs.c.skeleton_id))
        .where(*conditions)
        .order_by(*Order(is_newest_first=is_newest_first).columns(logs))
        .limit(limit)
    )
    raw = driver_connection(connection)
    yield from _copied(raw, f"COPY ({written(connection, question)}) TO STDOUT {form}")


def driver_connection(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The connection to PostgreSQL itself."""
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


def written(connection: sa.Connection, question: sa.Select[Any]) -> str:
    """A statement as text with its values in it, quoted by libpq: COPY takes no parameters."""
    compiled = question.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    cursor = psycopg.ClientCursor(driver_connection(connection))
    return cursor.mogrify(str(compiled), cast("dict[str, Any]", compiled.params))


def _copied(raw: psycopg.Connection[Any], statement: str) -> Iterator[Block]:
    """What psycopg's own `copy` gives, without its steps for every row."""
    pgconn = raw.pgconn
    # The simple protocol: nothing is prepared, nothing to be bound.
    pgconn.send_query(statement.encode())
    _await(pgconn)
    result = pgconn.get_result()
    if result is None or result.status != pq.ExecStatus.COPY_OUT:
        _finish(pgconn, result)
        return
    block: Block = []
    size = 0
    while True:
        length, data = pgconn.get_copy_data(1)
        if length > 0:
            block.append(bytes(data))
            size += length
            if size >= BLOCK_BYTES:
                yield block
                block, size = [], 0
        elif length == 0:
            _wait(pgconn)
            pgconn.consume_input()
        else:
            break
    _finish(pgconn, None)
    if block:
        yield block


def _await(pgconn: pq.abc.PGconn) -> None:
    while pgconn.is_busy():
        _wait(pgconn)
        pgconn.consume_input()


def _wait(pgconn: pq.abc.PGconn) -> None:
    # select() knows no descriptor beyond 1,023, and a busy service has them.
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN)
    ready.poll()


def _finish(pgconn: pq.abc.PGconn, result: pq.abc.PGresult | None) -> None:
    """Take what is left of the answer; raises the database's error."""
    failed = result if result is not None and result.status == pq.ExecStatus.FATAL_ERROR else None
    while True:
        _await(pgconn)
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failed = result
    if failed is not None:
        raise psycopg.errors.error_from_result(failed)
