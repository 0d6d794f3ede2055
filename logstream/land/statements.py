"""Several statements in one message to PostgreSQL, COPY included: one implicit transaction.

A simple query of several statements is a transaction of its own: the server commits it
after the last one, or undoes all of it. That saves the round trips of BEGIN, of every
statement and of COMMIT, which would cost a small group commit more than its rows.
See https://www.postgresql.org/docs/current/protocol-flow.html, "Simple Query".
"""

from collections.abc import Callable, Sequence

from psycopg import AsyncConnection, errors, generators, waiting
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

# Given to libpq at once; while the server is busy with one, the next is made.
_CHUNK_BYTES = 256 * 1024
_ABANDONED = b"abandoned by the client"


class Abandoned(Exception):
    """The transaction was undone because `goes_on` said so."""


async def run(
    connection: AsyncConnection,
    query: bytes,
    copies: Sequence[bytes],
    *,
    goes_on: Callable[[Sequence[PGresult]], bool] = lambda _results: True,
) -> None:
    """Run the statements; each COPY FROM STDIN among them takes the next of `copies`.

    `goes_on` is asked with the results so far before a COPY is fed. Raises the database's
    error, or Abandoned; either way nothing of it happened. When cancelled, the connection
    is of no more use.
    """
    await waiting.wait_async(
        _run(connection.pgconn, query, copies, goes_on), connection.pgconn.socket, interval=60.0
    )


def _run(
    pgconn: PGconn,
    query: bytes,
    copies: Sequence[bytes],
    goes_on: Callable[[Sequence[PGresult]], bool],
) -> PQGen[None]:
    pgconn.send_query(query)
    yield from generators.send(pgconn)
    results: list[PGresult] = []
    failed: PGresult | None = None
    is_abandoned = False
    remaining = iter(copies)
    while (result := (yield from generators.fetch(pgconn))) is not None:
        if result.status == ExecStatus.COPY_IN:
            is_abandoned = not goes_on(results)
            if is_abandoned:
                yield from _feed(pgconn, b"", _ABANDONED)
            else:
                yield from _feed(pgconn, next(remaining), None)
        elif result.status == ExecStatus.FATAL_ERROR:
            failed = result
        else:
            results.append(result)
    if is_abandoned:
        raise Abandoned
    if failed is not None:
        raise errors.error_from_result(failed)


def _feed(pgconn: PGconn, data: bytes, error: bytes | None) -> PQGen[None]:
    """Give a COPY its data and its end, flushed only between chunks and at the end."""
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK_BYTES):
        if start:
            yield from generators.send(pgconn)
        while pgconn.put_copy_data(view[start : start + _CHUNK_BYTES]) == 0:
            yield from generators.send(pgconn)
    while pgconn.put_copy_end(error) == 0:
        yield from generators.send(pgconn)
    yield from generators.send(pgconn)
