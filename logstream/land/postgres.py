"""Landing a group of batches in PostgreSQL: one COPY, one transaction.

The rows of `logs`, their `log_counts`, the rejects and the `batches` rows become visible
together or not at all. Every group writes a `batches` row for itself, so that after a
connection lost during COMMIT the next connection can ask whether the group is there.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg_errors

from logstream.land import copy_rows
from logstream.land.id_blocks import IdBlocks
from logstream.land.segments import Segments
from logstream.model import LogRecord, Reject
from logstream.ports import Batch, Landed

_INSERT_BATCHES = (
    "INSERT INTO batches (batch_id, is_keyed, first_id, last_id, accepted)"
    " SELECT * FROM unnest(%s::uuid[], %s::boolean[], %s::bigint[], %s::bigint[], %s::int[])"
)
_INSERT_REJECTS = (
    "INSERT INTO rejects (environment, record_index, error, raw)"
    " SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::bytea[])"
)
_INSERT_SERVICES = (
    "INSERT INTO services (environment, service_name)"
    " SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)
# A session that began on a read-only server stays read-only, so it is given up as well. A
# table that is missing is no fault of a record: the database came back without its schema.
CONNECTION_LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    OSError,
    pg_errors.ReadOnlySqlTransaction,
    pg_errors.UndefinedTable,
    pg_errors.UndefinedColumn,
    pg_errors.InsufficientPrivilege,
)
# Refused rows kept from one request; all of them are counted.
MAX_REJECTS_KEPT = 100


@dataclass(frozen=True)
class Stored:
    """One batch's outcome and the records that were stored, for announcing."""

    landed: Landed
    records: Sequence[LogRecord]


@dataclass
class _Group:
    """Batches under way together."""

    group_id: uuid.UUID
    batches: Sequence[Batch]
    first_id: int
    stored: list[Stored]
    new: list[int]
    # From the spool: its row is remembered as long as a sender's key.
    is_replay: bool


class PostgresWriter:
    """Writes groups of batches over one connection, reopened when it is lost.

    `check` looks at every new connection before it is used, and raises one of CONNECTION_LOST
    when the database is not ready for lines.
    """

    def __init__(
        self,
        database_url: str,
        statement_timeout_seconds: float = 60.0,
        check: Callable[[psycopg.AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:
        self._check = check
        self._database_url = database_url
        self._statement_timeout_seconds = statement_timeout_seconds
        self._connection: psycopg.AsyncConnection | None = None
        self._ids = IdBlocks()
        self._segments = Segments()
        self._known_services: set[tuple[str, str]] = set()
        self._unsure: _Group | None = None

    async def write(
        self, batches: Sequence[Batch], group_id: uuid.UUID, *, may_be_landed: bool = False
    ) -> list[Stored]:
        """The outcomes in the order of the batches, after COMMIT.

        Raises one of CONNECTION_LOST when the database went away; calling again with the
        same group_id is safe, whether or not the COMMIT had gone through. With
        `may_be_landed` the group may come from an earlier process: the outcome is empty
        when its rows are there already.
        """
        try:
            connection = await self._connected()
            unsure, self._unsure = self._unsure, None
            if unsure is not None and unsure.group_id == group_id:
                return await self._settle(connection, unsure)
            if may_be_landed and await self._is_landed(connection, group_id):
                return []
            return await self._write_new(connection, batches, group_id, may_be_landed)
        except (*CONNECTION_LOST, TimeoutError, asyncio.CancelledError):
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        """Drop the connection; the next write opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._database_url,
                autocommit=True,
                # Groups wait behind this one while a server does not answer.
                connect_timeout=2,
                application_name="logstream-land",
                options=f"-c statement_timeout={int(self._statement_timeout_seconds * 1000)}"
                " -c timezone=UTC",
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
            )
            # It may be another database by now: one that was restored, or made anew.
            self._ids, self._segments = IdBlocks(), Segments()
            self._known_services.clear()
            if self._check is not None:
                await self._check(self._connection)
        return self._connection

    async def _settle(self, connection: psycopg.AsyncConnection, group: _Group) -> list[Stored]:
        """Finish a group whose COMMIT may have happened, or may be happening right now."""
        if await self._is_landed(connection, group.group_id):
            return group.stored
        # Under new ids: the old ones may mean nothing to a database that was restored. Nothing
        # comes back when the COMMIT went through after all while this was tried.
        return (
            await self._write_new(connection, group.batches, group.group_id, group.is_replay)
            or group.stored
        )

    async def _is_landed(self, connection: psycopg.AsyncConnection, group_id: uuid.UUID) -> bool:
        cursor = await connection.execute("SELECT 1 FROM batches WHERE batch_id = %s", [group_id])
        return await cursor.fetchone() is not None

    async def _write_new(
        self,
        connection: psycopg.AsyncConnection,
        batches: Sequence[Batch],
        group_id: uuid.UUID,
        is_replay: bool,
    ) -> list[Stored]:
        try:
            return await self._commit(
                connection, await self._prepare(connection, batches, group_id, is_replay)
            )
        except pg_errors.UniqueViolation:
            # Another process landed the group or one of the keys in between: look again.
            if await self._is_landed(connection, group_id):
                return []
            return await self._write_new(connection, batches, group_id, is_replay)
        except (psycopg.DataError, psycopg.IntegrityError, pg_errors.ProgramLimitExceeded):
            kept = [await self._without_poison(connection, batch) for batch in batches]
            if kept == list(batches):
                raise
            return await self._write_new(connection, kept, group_id, is_replay)

    async def _prepare(
        self,
        connection: psycopg.AsyncConnection,
        batches: Sequence[Batch],
        group_id: uuid.UUID,
        is_replay: bool,
    ) -> _Group:
        replies = await self._earlier_replies(connection, batches)
        new = [
            position
            for position, batch in enumerate(batches)
            if position not in replies
            and (batch.key is None or _first_with_key(batches, batch.key) == position)
        ]
        row_count = sum(len(batches[position].records) for position in new)
        first_id = await self._ids.take(connection, row_count) if row_count else 0
        if row_count:
            await self._segments.ensure(connection, first_id + row_count - 1)
        next_id = first_id
        for position in new:
            batch = batches[position]
            last_id = next_id + len(batch.records) - 1
            landed = Landed(
                first_id=next_id if batch.records else None,
                last_id=last_id if batch.records else None,
                accepted=len(batch.records),
                rejects=batch.rejects,
            )
            replies[position] = Stored(landed, batch.records)
            next_id = last_id + 1
        for position, batch in enumerate(batches):
            if position not in replies and batch.key is not None:
                first = replies[_first_with_key(batches, batch.key)].landed
                replies[position] = _replay(first.first_id, first.last_id, first.accepted, batch)
        stored = [replies[position] for position in range(len(batches))]
        return _Group(group_id, batches, first_id, stored, new, is_replay)

    async def _earlier_replies(
        self, connection: psycopg.AsyncConnection, batches: Sequence[Batch]
    ) -> dict[int, Stored]:
        ids = {
            position: batch_id(batch.key)
            for position, batch in enumerate(batches)
            if batch.key is not None
        }
        if not ids:
            return {}
        cursor = await connection.execute(
            "SELECT batch_id, first_id, last_id, accepted FROM batches WHERE batch_id = ANY(%s)",
            [list(ids.values())],
        )
        found = {row[0]: row[1:] for row in await cursor.fetchall()}
        return {
            position: _replay(found[key][0], found[key][1], found[key][2], batches[position])
            for position, key in ids.items()
            if key in found
        }

    async def _commit(self, connection: psycopg.AsyncConnection, group: _Group) -> list[Stored]:
        new = [(group.batches[position], group.stored[position]) for position in group.new]
        records = [record for batch, _ in new for record in batch.records]
        # From the first byte on, only a look into the database tells whether this landed.
        self._unsure = group
        counts = copy_rows.count(records)
        async with connection.transaction():
            if records:
                await self._copy(
                    connection,
                    f"COPY logs ({copy_rows.LOGS_COLUMNS}) FROM STDIN (FORMAT binary)",
                    copy_rows.log_rows(records, group.first_id),
                )
                await self._copy(
                    connection,
                    f"COPY log_counts ({copy_rows.COUNTS_COLUMNS}) FROM STDIN (FORMAT binary)",
                    copy_rows.count_rows(counts.items()),
                )
                services = {(key[1], key[2]) for key in counts} - self._known_services
                if services:
                    await connection.execute(_INSERT_SERVICES, _columns(sorted(services), 2))
            await self._insert_rejects(connection, new)
            rows: list[tuple[object, ...]] = [
                (group.group_id, group.is_replay, None, None, len(records))
            ]
            rows += [
                (
                    batch_id(batch.key),
                    True,
                    stored.landed.first_id,
                    stored.landed.last_id,
                    stored.landed.accepted,
                )
                for batch, stored in new
                if batch.key is not None
            ]
            # In one order everywhere, so that two processes with the same keys cannot deadlock.
            rows.sort(key=lambda row: str(row[0]))
            await connection.execute(_INSERT_BATCHES, _columns(rows, 5))
        self._unsure = None
        self._known_services.update((key[1], key[2]) for key in counts)
        return group.stored

    async def _copy(self, connection: psycopg.AsyncConnection, statement: str, rows: bytes) -> None:
        async with connection.cursor().copy(statement.encode()) as copy:
            await copy.write(copy_rows.COPY_HEADER + rows + copy_rows.COPY_TRAILER)

    async def _insert_rejects(
        self, connection: psycopg.AsyncConnection, new: Sequence[tuple[Batch, Stored]]
    ) -> None:
        rows = [
            (batch.environment, reject.index, _storable(reject.error), reject.raw)
            for batch, stored in new
            for reject in stored.landed.rejects[:MAX_REJECTS_KEPT]
        ]
        if rows:
            await connection.execute(_INSERT_REJECTS, _columns(rows, 4))

    async def _without_poison(self, connection: psycopg.AsyncConnection, batch: Batch) -> Batch:
        """The batch with the records that the database refuses turned into rejects."""
        refused = await self._refused(connection, batch.records, 0)
        if not refused:
            return batch
        kept = [record for index, record in enumerate(batch.records) if index not in refused]
        rejects = [
            *batch.rejects,
            *(Reject(index, f"record {index}: {why}") for index, why in refused.items()),
        ]
        return Batch(kept, rejects, batch.key, batch.size_bytes, batch.environment)

    async def _refused(
        self, connection: psycopg.AsyncConnection, records: Sequence[LogRecord], offset: int
    ) -> dict[int, str]:
        """Index and reason of each record that COPY refuses, found by halving."""
        try:
            async with connection.transaction(force_rollback=True):
                await connection.execute(
                    "CREATE TEMP TABLE trial (LIKE logs INCLUDING DEFAULTS) ON COMMIT DROP"
                )
                await self._copy(
                    connection,
                    f"COPY trial ({copy_rows.LOGS_COLUMNS}) FROM STDIN (FORMAT binary)",
                    copy_rows.log_rows(records, 1),
                )
        except (psycopg.DataError, psycopg.IntegrityError, pg_errors.ProgramLimitExceeded) as error:
            if len(records) == 1:
                return {offset: f"the database cannot store it: {error.diag.message_primary}"}
            middle = len(records) // 2
            return {
                **await self._refused(connection, records[:middle], offset),
                **await self._refused(connection, records[middle:], offset + middle),
            }
        return {}


def batch_id(key: str) -> uuid.UUID:
    """The id under which a batch with this Idempotency-Key is remembered."""
    return uuid.UUID(bytes=hashlib.blake2b(key.encode(), digest_size=16).digest())


def _first_with_key(batches: Sequence[Batch], key: str) -> int:
    return next(position for position, batch in enumerate(batches) if batch.key == key)


def _replay(first_id: int | None, last_id: int | None, accepted: int, batch: Batch) -> Stored:
    return Stored(Landed(first_id, last_id, accepted, batch.rejects, is_replay=True), ())


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold; a reason may quote the sender's value."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into one list a column, as unnest() wants them."""
    columns: list[list[object]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
