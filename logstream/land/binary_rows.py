"""PostgreSQL's binary COPY format, built without a driver call per row.

Layout: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". A field is
a 4-byte length (-1 for null) and that many bytes; all integers are big-endian.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import chain

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
# PostgreSQL counts microseconds from 2000-01-01.
POSTGRES_EPOCH_MICROS = 946_684_800_000_000
# A field without a value.
NULL = struct.pack(">i", -1)
length = struct.Struct(">i").pack
# Lengths that need no packing: those of nearly every name, id and body.
LENGTHS = tuple(length(size) for size in range(4096))


def copy_stream(rows: Iterable[Sequence[bytes]]) -> bytes:
    """What one COPY is fed with: header, pieces of rows, trailer."""
    return b"".join(chain((COPY_HEADER,), chain.from_iterable(rows), (COPY_TRAILER,)))


def text_field(value: str) -> bytes:
    """A field of text."""
    encoded = value.encode()
    size = len(encoded)
    return (LENGTHS[size] if size < 4096 else length(size)) + encoded


def sized(value: bytes) -> bytes:
    """A field of these bytes."""
    return length(len(value)) + value
