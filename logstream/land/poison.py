"""Rows that the database refuses, found by halving: they never cost their neighbours.

Decoders see to it that everything can be stored; this is for what one has forgotten.
"""

from collections.abc import Callable, Container, Sequence
from itertools import count, islice
from typing import TypeVar

import msgspec
import psycopg
from psycopg import errors as pg_errors

from logstream.land import copy_rows, span_rows, statements
from logstream.land.binary_rows import copy_stream
from logstream.land.operation_rows import OperationNames
from logstream.land.skeleton_cache import SkeletonCache
from logstream.model import LogRecord, Reject, Span
from logstream.ports import Batch

# The fault of a row, not of the database.
POISON = (psycopg.DataError, psycopg.IntegrityError, pg_errors.ProgramLimitExceeded)

# The key of `services`: a name may be too long for it.
_AS_SERVICES = "CREATE INDEX ON trial (environment, service_name);"
# These leave nothing behind, whether the rows are taken or not.
_TRY_LOGS = (
    f"CREATE TEMP TABLE trial (LIKE logs INCLUDING DEFAULTS) ON COMMIT DROP;{_AS_SERVICES}"
    f"COPY trial ({copy_rows.LOGS_COLUMNS}) FROM STDIN (FORMAT binary);"
).encode()
# With the key of `trace_summaries`, for which an id may be too long.
_TRY_SPANS = (
    f"CREATE TEMP TABLE trial (LIKE spans) ON COMMIT DROP;{_AS_SERVICES}"
    "CREATE INDEX ON trial (trace_id, environment);"
    f"COPY trial ({span_rows.SPANS_COLUMNS}) FROM STDIN (FORMAT binary);"
).encode()

Value = TypeVar("Value", LogRecord, Span)


async def without_poison(
    connection: psycopg.AsyncConnection, batch: Batch, skeletons: SkeletonCache
) -> Batch:
    """The batch with what the database refuses turned into rejects; the same one if nothing is."""

    def lines(records: Sequence[LogRecord]) -> Sequence[bytes]:
        return copy_rows.encode(records, skeletons).with_ids(1)

    def spans(values: Sequence[Span]) -> Sequence[bytes]:
        return span_rows.encode(values, OperationNames()).with_ids(1)

    bad_lines = await _refused(connection, _TRY_LOGS, lines, batch.records)
    bad_spans = await _refused(connection, _TRY_SPANS, spans, batch.spans)
    if not bad_lines and not bad_spans:
        return batch
    indexes = _indexes(batch)
    refused = [(indexes[place], why) for place, why in bad_lines.items()]
    refused += [(indexes[len(batch.records) + place], why) for place, why in bad_spans.items()]
    return msgspec.structs.replace(
        batch,
        records=_without(batch.records, bad_lines),
        spans=_without(batch.spans, bad_spans),
        rejects=[
            *batch.rejects,
            *(Reject(index, f"record {index}: {why}") for index, why in refused),
        ],
    )


async def _refused(
    connection: psycopg.AsyncConnection,
    try_rows: bytes,
    encode: Callable[[Sequence[Value]], Sequence[bytes]],
    values: Sequence[Value],
    offset: int = 0,
) -> dict[int, str]:
    """Place and reason of each value that COPY refuses."""
    if not values:
        return {}
    try:
        await statements.run(connection, try_rows, [copy_stream([encode(values)])])
    except POISON as error:
        if len(values) == 1:
            return {offset: f"the database cannot store it: {error.diag.message_primary}"}
        middle = len(values) // 2
        return {
            **await _refused(connection, try_rows, encode, values[:middle], offset),
            **await _refused(connection, try_rows, encode, values[middle:], offset + middle),
        }
    return {}


def _indexes(batch: Batch) -> list[int]:
    """The decoder's index of each line, then of each span: those that its rejects do not have."""
    taken = {reject.index for reject in batch.rejects}
    free = (index for index in count() if index not in taken)
    return list(islice(free, batch.row_count))


def _without(values: Sequence[Value], places: Container[int]) -> list[Value]:
    return [value for place, value in enumerate(values) if place not in places]
