"""Landing a group of batches in PostgreSQL: one message, one transaction.

The rows of `logs`, their `log_counts`, the spans with their `trace_summaries` and
`operation_counts`, the rejects and the `batches` rows become visible together or not at all.
Every group writes a `batches` row for itself, so that after a connection lost during COMMIT
the next connection can ask whether the group is there.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import psycopg
from psycopg import errors as pg_errors

from logstream.land import copy_rows, span_rows, statements, trace_text, transaction_text
from logstream.land.attempts import Attempt, is_found
from logstream.land.binary_rows import copy_stream
from logstream.land.copy_rows import EncodedRows
from logstream.land.id_blocks import IdBlocks
from logstream.land.kept_rejects import RejectBudget
from logstream.land.operation_rows import OperationKey, OperationNames, operation_rows
from logstream.land.poison import POISON, without_poison
from logstream.land.segments import LOGS, SPANS
from logstream.land.skeleton_cache import NewSkeleton, SkeletonCache
from logstream.land.span_rows import EncodedSpans
from logstream.land.trace_parts import TracePart, landed_traces
from logstream.land.transaction_text import batch_id
from logstream.model import LogRecord
from logstream.ports import Batch, Landed

# A session that began on a read-only server stays read-only, so it is given up as well. A
# table that is missing is no fault of a record: the database came back without its schema.
CONNECTION_LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    OSError,
    # Read-only, a data file that cannot grow, damage: nothing a record could be blamed for.
    psycopg.InternalError,
    pg_errors.UndefinedTable,
    pg_errors.UndefinedColumn,
    pg_errors.InsufficientPrivilege,
)


Key = TypeVar("Key", copy_rows.CountKey, OperationKey)


class Stored(msgspec.Struct, frozen=True):
    """One batch's outcome and the records that were stored, for announcing."""

    landed: Landed
    records: Sequence[LogRecord]


class Load(msgspec.Struct, frozen=True):
    """A batch and its rows, encoded but for their ids."""

    batch: Batch
    rows: EncodedRows
    span_rows: EncodedSpans


@dataclass
class _Group:
    """Loads under way together. Made once, so a retry sends the same ids again."""

    group_id: uuid.UUID
    loads: Sequence[Load]
    first_id: int
    first_span: int
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
        operation_names: OperationNames | None = None,
    ) -> None:
        self._check = check
        self._database_url = database_url
        self._statement_timeout_seconds = statement_timeout_seconds
        self._connection: psycopg.AsyncConnection | None = None
        self._ids, self._span_ids = IdBlocks(LOGS), IdBlocks(SPANS)
        self._operation_names = operation_names or OperationNames()
        self._skeletons = SkeletonCache()
        self._reject_budget = RejectBudget()
        self._known_services: set[tuple[str, str]] = set()
        self._unsure: _Group | None = None

    def another(self) -> "PostgresWriter":
        """A writer to the same database over a connection of its own."""
        return PostgresWriter(
            self._database_url,
            self._statement_timeout_seconds,
            check=self._check,
            operation_names=self._operation_names,
        )

    def unheard(self, group_id: uuid.UUID) -> Attempt | None:
        """The last attempt to write a group, when nobody knows whether it was committed.

        None too when it has nothing but rejects: should its row in `batches` be forgotten
        before it is replayed, they are kept twice, and no line or span is.
        """
        group = self._unsure
        if group is None or group.group_id != group_id:
            return None
        batches = [group.loads[position].batch for position in group.new]
        record = next((batch.records[0] for batch in batches if batch.records), None)
        if record is not None:
            return Attempt(group.first_id, record)
        span = next((batch.spans[0] for batch in batches if batch.spans), None)
        return None if span is None else Attempt(0, span=span)

    def skeleton_of(self, record: LogRecord) -> int | None:
        """The skeleton id of a record that has landed; None when it is not known."""
        return self._skeletons.stored_id(record)

    def encode(self, batch: Batch) -> Load:
        """Everything about a batch that can be done before its turn comes."""
        return Load(
            batch,
            copy_rows.encode(batch.records, self._skeletons),
            span_rows.encode(batch.spans, self._operation_names),
        )

    async def write(
        self,
        loads: Sequence[Load],
        group_id: uuid.UUID,
        *,
        may_be_landed: bool = False,
        attempt: Attempt | None = None,
    ) -> list[Stored]:
        """The outcomes in the order of the loads, after COMMIT.

        Raises one of CONNECTION_LOST when the database went away; calling again with the
        same group_id is safe, whether or not the COMMIT had gone through. With
        `may_be_landed` the group may come from an earlier process: the outcome is empty
        when its rows are there already, as `batches` says, or the `attempt` that is found.
        """
        try:
            connection = await self._connected()
            if self._unsure is not None and self._unsure.group_id == group_id:
                return await self._settle(connection, self._unsure)
            if may_be_landed and await self._is_landed(connection, group_id, attempt):
                return []
            return await self._write_new(connection, loads, group_id, may_be_landed)
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
            self._ids, self._span_ids = IdBlocks(LOGS), IdBlocks(SPANS)
            self._known_services.clear()
            if self._check is not None:
                await self._check(self._connection)
            cursor = await self._connection.execute(
                "SELECT skeleton_id, service_name FROM skeletons"
            )
            self._skeletons.load(await cursor.fetchall())
        return self._connection

    async def _settle(self, connection: psycopg.AsyncConnection, group: _Group) -> list[Stored]:
        """Finish a group whose COMMIT may have happened, or may be happening right now."""
        if await self._is_landed(connection, group.group_id):
            return group.stored
        # Under new ids: the old ones may mean nothing to a database that was restored. Nothing
        # comes back when the COMMIT went through after all while this was tried.
        return (
            await self._write_new(connection, group.loads, group.group_id, group.is_replay)
            or group.stored
        )

    async def _is_landed(
        self,
        connection: psycopg.AsyncConnection,
        group_id: uuid.UUID,
        attempt: Attempt | None = None,
    ) -> bool:
        cursor = await connection.execute("SELECT 1 FROM batches WHERE batch_id = %s", [group_id])
        if await cursor.fetchone() is not None:
            return True
        # Upkeep may have forgotten the group by now.
        return attempt is not None and await is_found(connection, attempt)

    async def _write_new(
        self,
        connection: psycopg.AsyncConnection,
        loads: Sequence[Load],
        group_id: uuid.UUID,
        is_replay: bool,
    ) -> list[Stored]:
        group = await self._prepare(connection, loads, group_id, is_replay)
        try:
            return await self._commit(connection, group)
        except statements.Abandoned:
            return await self._elsewhere(connection, group)
        except pg_errors.UniqueViolation:
            # Another process landed the group or one of the keys in between: look again.
            if await self._is_landed(connection, group_id):
                return []
            return await self._write_new(connection, loads, group_id, is_replay)
        except POISON:
            kept = [await without_poison(connection, load.batch, self._skeletons) for load in loads]
            if all(batch is load.batch for batch, load in zip(kept, loads, strict=True)):
                raise
            return await self._write_new(
                connection, [self.encode(batch) for batch in kept], group_id, is_replay
            )

    async def _elsewhere(self, connection: psycopg.AsyncConnection, group: _Group) -> list[Stored]:
        """Write with new ids: a segment of the old ones takes no more rows."""
        self._ids.give_up()
        self._span_ids.give_up()
        return await self._write_new(connection, group.loads, group.group_id, group.is_replay)

    async def _prepare(
        self,
        connection: psycopg.AsyncConnection,
        loads: Sequence[Load],
        group_id: uuid.UUID,
        is_replay: bool,
    ) -> _Group:
        batches = [load.batch for load in loads]
        replies = await self._earlier_replies(connection, batches)
        new = [
            position
            for position, batch in enumerate(batches)
            if position not in replies
            and (batch.key is None or _first_with_key(batches, batch.key) == position)
        ]
        first_id = await self._ids.take(
            connection, sum(len(batches[position].records) for position in new)
        )
        first_span = await self._span_ids.take(
            connection, sum(len(batches[position].spans) for position in new)
        )
        next_id = first_id
        for position in new:
            batch = batches[position]
            last_id = next_id + len(batch.records) - 1
            landed = Landed(
                first_id=next_id if batch.records else None,
                last_id=last_id if batch.records else None,
                accepted=batch.row_count,
                rejects=batch.rejects,
            )
            replies[position] = Stored(landed, batch.records)
            next_id = last_id + 1
        for position, batch in enumerate(batches):
            if position not in replies and batch.key is not None:
                first = replies[_first_with_key(batches, batch.key)].landed
                replies[position] = _replay(first.first_id, first.last_id, first.accepted, batch)
        stored = [replies[position] for position in range(len(batches))]
        return _Group(group_id, loads, first_id, first_span, stored, new, is_replay)

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
        new = [(group.loads[position], group.stored[position]) for position in group.new]
        counts: dict[copy_rows.CountKey, int] = {}
        operations: dict[OperationKey, int] = {}
        skeletons: dict[int, NewSkeleton] = {}
        rows: list[list[bytes]] = []
        spans: list[list[bytes]] = []
        traces: list[tuple[TracePart, int]] = []
        services: set[tuple[str, str]] = set()
        next_id, next_span = group.first_id, group.first_span
        for load, _ in new:
            _add(counts, load.rows.counts)
            _add(operations, load.rows.durations)
            _add(operations, load.span_rows.operations)
            skeletons.update(load.rows.new_skeletons)
            rows.append(load.rows.with_ids(next_id))
            spans.append(load.span_rows.with_ids(next_span))
            traces += [(trace, next_span) for trace in load.span_rows.traces]
            next_id += load.rows.row_count
            next_span += load.span_rows.row_count
            services |= load.span_rows.services
        services |= {(key[1], key[2]) for key in counts}
        services -= self._known_services
        keyed = [
            (load.batch.key, outcome.landed) for load, outcome in new if load.batch.key is not None
        ]
        refused = [
            (load.batch, self._reject_budget.kept(outcome.landed.rejects)) for load, outcome in new
        ]
        # Names in one order everywhere, so that two processes cannot deadlock over them.
        texts = [
            *transaction_text.fences(LOGS, group.first_id, next_id),
            *transaction_text.fences(SPANS, group.first_span, next_span),
            transaction_text.insert_batches(
                group.group_id,
                group.is_replay,
                sum(load.batch.row_count for load, _ in new),
                keyed,
            ),
            transaction_text.insert_services(connection, sorted(services)),
            transaction_text.insert_skeletons(connection, skeletons.values()),
            transaction_text.insert_rejects(connection, refused),
        ]
        copies: list[bytes] = []
        if counts:
            texts += [transaction_text.COPY_COUNTS, transaction_text.COPY_LOGS]
            copies += [copy_stream([list(copy_rows.count_rows(counts.items()))]), copy_stream(rows)]
        if operations:
            texts.append(transaction_text.COPY_OPERATIONS)
            copies.append(copy_stream([list(operation_rows(operations.items()))]))
        if traces:
            # The rows that two processes may both want come last: they are held shortly.
            texts += [
                transaction_text.COPY_SPANS,
                trace_text.add_to_traces(connection, landed_traces(traces)),
            ]
            copies.append(copy_stream(spans))
        # From the first byte on, only a look into the database tells whether this landed.
        self._unsure = group
        await statements.run(connection, b"".join(texts), copies, goes_on=transaction_text.are_open)
        self._unsure = None
        self._known_services |= services
        self._skeletons.confirm(skeletons.values())
        return group.stored


def _add(sums: dict[Key, int], counts: Mapping[Key, int]) -> None:
    for key, count in counts.items():
        sums[key] = sums.get(key, 0) + count


def _first_with_key(batches: Sequence[Batch], key: str) -> int:
    return next(position for position, batch in enumerate(batches) if batch.key == key)


def _replay(first_id: int | None, last_id: int | None, accepted: int, batch: Batch) -> Stored:
    return Stored(Landed(first_id, last_id, accepted, batch.rejects, is_replay=True), ())
