"""The token filter of a segment: which blocks of ids can hold an id or a number.

2^18 positions × 256 blocks, one bit each; the bit of block b at position p is bit b % 8
(lowest first) of byte b // 8 of the position's 32. Stored as 1,024 rows of 256 positions.
"""

from collections.abc import Callable, Iterator

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.tokens import (
    BYTES_PER_POSITION,
    IDS_PER_BLOCK,
    POSITIONS,
    POSITIONS_PER_CHUNK,
    set_bits,
    tokens_in,
)

CHUNKS = POSITIONS // POSITIONS_PER_CHUNK
BYTES_PER_CHUNK = POSITIONS_PER_CHUNK * BYTES_PER_POSITION
# Messages that together are longer than this are read in several parts.
MAX_TEXT_BYTES = 16 * 1024 * 1024

_SIZE = "SELECT pg_table_size(%s::regclass), count(*) FROM {leaf}"
_TEXT = """
SELECT count(*), CASE WHEN count(*) = 1 OR sum(octet_length(body)) <= %(most)s
                 THEN convert_to(string_agg(body, E'\\n'), 'UTF8') END
FROM {leaf} WHERE id >= %(first)s AND id < %(end)s
"""


def is_built(connection: psycopg.Connection, first_id: int) -> bool:
    """True when the segment's filter is there; it is written whole or not at all."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM token_filters WHERE first_id = %s)", [first_id]
    ).fetchone()
    return bool(row and row[0])


def build(
    connection: psycopg.Connection, first_id: int, name: str, between_blocks: Callable[[], None]
) -> None:
    """Read every message of the closed segment and store its filter.

    `between_blocks` is called often and ends the work by raising.
    """
    step = _ids_per_text(connection, name)
    bits = bytearray(POSITIONS * BYTES_PER_POSITION)
    for place in range(BYTES_PER_POSITION):
        plane = bytearray(POSITIONS)
        for bit in range(8):
            start = first_id + (place * 8 + bit) * IDS_PER_BLOCK
            for first in range(start, start + IDS_PER_BLOCK, step):
                between_blocks()
                for text in _texts(connection, name, first, first + step):
                    set_bits(plane, tokens_in(text), 1 << bit)
        bits[place::BYTES_PER_POSITION] = plane
    with connection.transaction():
        connection.execute("DELETE FROM token_filters WHERE first_id = %s", [first_id])
        with connection.cursor().copy(
            "COPY token_filters (first_id, chunk, bits) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["int8", "int2", "bytea"])
            for chunk in range(CHUNKS):
                start = chunk * BYTES_PER_CHUNK
                copy.write_row((first_id, chunk, bits[start : start + BYTES_PER_CHUNK]))


def _ids_per_text(connection: psycopg.Connection, name: str) -> int:
    """A power of two: fewer where lines are long, as the server puts a text together too."""
    table = sql.Identifier(name)
    row = connection.execute(
        sql.SQL(_SIZE).format(leaf=table), [table.as_string(connection)]
    ).fetchone()
    table_bytes, lines = row or (0, 0)
    if not lines or table_bytes <= MAX_TEXT_BYTES:
        return IDS_PER_BLOCK
    fitting = MAX_TEXT_BYTES * int(lines) // int(table_bytes)
    return min(IDS_PER_BLOCK, 1 << max(0, fitting.bit_length() - 1))


def _texts(connection: psycopg.Connection, name: str, first: int, end: int) -> Iterator[bytes]:
    """The messages of a range of ids, many in one text, a line break between any two."""
    statement = sql.SQL(_TEXT).format(leaf=sql.Identifier(name))
    try:
        with connection.cursor(binary=True) as cursor:
            cursor.execute(statement, {"first": first, "end": end, "most": MAX_TEXT_BYTES})
            count, text = cursor.fetchone() or (0, None)
    except pg_errors.ProgramLimitExceeded:
        count, text = end - first, None
    if text is not None:
        yield text
    elif count and end - first > 1:
        middle = (first + end) // 2
        yield from _texts(connection, name, first, middle)
        yield from _texts(connection, name, middle, end)
