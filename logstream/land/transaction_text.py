"""The SQL of one landing transaction, as the bytes of one message (see `statements`).

Names and texts are quoted by psycopg; what is put in as it stands are ids and numbers.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql
from psycopg.pq.abc import PGresult

from logstream.land.copy_rows import COUNTS_COLUMNS, LOGS_COLUMNS
from logstream.land.operation_rows import OPERATIONS_COLUMNS
from logstream.land.segments import IDS_PER_SEGMENT, SegmentedTable
from logstream.land.skeleton_cache import NewSkeleton
from logstream.land.span_rows import SPANS_COLUMNS
from logstream.model import Reject
from logstream.ports import Batch, Landed

COPY_COUNTS = f"COPY log_counts ({COUNTS_COLUMNS}) FROM STDIN (FORMAT binary);".encode()
COPY_LOGS = f"COPY logs ({LOGS_COLUMNS}) FROM STDIN (FORMAT binary);".encode()
COPY_SPANS = f"COPY spans ({SPANS_COLUMNS}) FROM STDIN (FORMAT binary);".encode()
COPY_OPERATIONS = (
    f"COPY operation_counts ({OPERATIONS_COLUMNS}) FROM STDIN (FORMAT binary);".encode()
)

# Locked and looked at in two statements: the second one's snapshot is newer than the lock.
_FENCE = (
    "SELECT pg_advisory_xact_lock_shared({lock}, {number});"
    "SELECT state FROM {catalogue} WHERE first_id = {first_id};"
)
_INSERT_BATCHES = b"INSERT INTO batches (batch_id, is_keyed, first_id, last_id, accepted) VALUES "
_INSERT_REJECTS = (
    b"INSERT INTO rejects (environment, format, reason, sender, record_index, error, raw) VALUES "
)
_INSERT_SERVICES = b"INSERT INTO services (environment, service_name) VALUES "
_INSERT_SKELETONS = (
    b"INSERT INTO skeletons (skeleton_id, environment, service_name, key, example, is_overflow)"
    b" VALUES "
)
_OR_NOTHING = b" ON CONFLICT DO NOTHING"


def batch_id(key: str) -> uuid.UUID:
    """The id under which a batch with this Idempotency-Key is remembered."""
    return uuid.UUID(bytes=hashlib.blake2b(key.encode(), digest_size=16).digest())


def fences(table: SegmentedTable, first_id: int, end_id: int) -> list[bytes]:
    """Statements that hold every segment open that ids from first_id up to end_id lie in."""
    if first_id == end_id:
        return []
    numbers = range(first_id // IDS_PER_SEGMENT, (end_id - 1) // IDS_PER_SEGMENT + 1)
    return [
        _FENCE.format(
            lock=table.writer_lock,
            number=number,
            catalogue=table.catalogue,
            first_id=number * IDS_PER_SEGMENT,
        ).encode()
        for number in numbers
    ]


def are_open(results: Sequence[PGresult]) -> bool:
    """Whether every segment that a fence looked at still takes lines."""
    states = [result for result in results if result.nfields and result.fname(0) == b"state"]
    return all(result.ntuples == 1 and result.get_value(0, 0) == b"open" for result in states)


def insert_batches(
    group_id: uuid.UUID, is_replay: bool, accepted: int, keyed: Iterable[tuple[str, Landed]]
) -> bytes:
    """The group's own row, and one for each batch that came with a key."""
    rows = [f"('{group_id}',{is_replay},NULL,NULL,{accepted})"]
    for key, landed in keyed:
        first, last = landed.first_id or "NULL", landed.last_id or "NULL"
        rows.append(f"('{batch_id(key)}',true,{first},{last},{landed.accepted})")
    return _INSERT_BATCHES + ",".join(sorted(rows)).encode() + b";"


def insert_services(
    connection: psycopg.AsyncConnection, services: Sequence[tuple[str, str]]
) -> bytes:
    """(environment, service_name), in their order."""
    return _insert(connection, _INSERT_SERVICES, services, _OR_NOTHING)


def insert_skeletons(
    connection: psycopg.AsyncConnection, skeletons: Iterable[NewSkeleton]
) -> bytes:
    """In the order of their ids."""
    rows = [
        (
            skeleton.skeleton_id,
            skeleton.environment,
            skeleton.service_name,
            _storable(skeleton.key),
            _storable(skeleton.example),
            skeleton.is_overflow,
        )
        for skeleton in sorted(skeletons, key=lambda skeleton: skeleton.skeleton_id)
    ]
    return _insert(connection, _INSERT_SKELETONS, rows, _OR_NOTHING)


def insert_rejects(
    connection: psycopg.AsyncConnection, refused: Iterable[tuple[Batch, Sequence[Reject]]]
) -> bytes:
    """Rejects with what their batch says of where they came from."""
    rows = [
        (
            _storable(batch.environment),
            batch.format,
            reject.reason,
            batch.sender,
            reject.index,
            _storable(reject.error),
            reject.raw,
        )
        for batch, rejects in refused
        for reject in rejects
    ]
    return _insert(connection, _INSERT_REJECTS, rows)


def _insert(
    connection: psycopg.AsyncConnection,
    head: bytes,
    rows: Sequence[tuple[object, ...]],
    tail: bytes = b"",
) -> bytes:
    """An INSERT of rows, nothing for no rows."""
    if not rows:
        return b""
    values = (
        b"(" + b",".join(sql.Literal(value).as_bytes(connection) for value in row) + b")"
        for row in rows
    )
    return head + b",".join(values) + tail + b";"


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold; a reason may quote the sender's value."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
