"""Group commit: everything that waits is landed in one transaction, then answered.

No timer: while one group commits, the next one gathers. A lone request is not delayed,
ten thousand share a commit. While the database is away, groups go into the spool, and from
there into the database, each once, when it is back. When it is slower than the senders, they
wait; what has waited too long goes into the spool as well.
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from logstream import metrics
from logstream.errors import StoreUnavailable
from logstream.land.attempts import Attempt
from logstream.land.postgres import CONNECTION_LOST, Load, PostgresWriter, Stored
from logstream.land.spool import Spool, SpoolReport
from logstream.land.watch import Away, DatabaseWatch
from logstream.model import LogRecord
from logstream.ports import Batch, Landed

log = logging.getLogger(__name__)

MAX_ROWS_PER_COMMIT = 10_000
MAX_BYTES_PER_COMMIT = 8 * 1024 * 1024
PROBE_SECONDS = 1.0
# How long a batch waits for others to be landed before it goes into the spool.
PATIENCE_SECONDS = 5.0
# A connection that says nothing for so long is dead; far more than any commit takes.
REPLAY_TIMEOUT_SECONDS = 60.0
_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5)


class SpooledGroup(msgspec.Struct):
    """A group as the spool keeps it. Its id says in the database whether it has landed.

    `attempt` is there when a COMMIT of it may have gone through unheard.
    """

    group_id: uuid.UUID
    batches: list[Batch]
    attempt: Attempt | None = None


@dataclass
class _Waiting:
    load: Load
    answer: asyncio.Future[Landed]
    since: float = field(default_factory=time.perf_counter)


class GroupCommit:
    """A LogWriter over one PostgresWriter and a spool; start before use, close to drain.

    `on_landed(first_id, records)` is called in the event loop right after COMMIT, with
    records whose ids are consecutive; it must not block or raise. Nor may
    `on_spooled(batches)`, called once a group is safe in the spool. While the `watch` says that
    the database is away, it is not tried here.
    """

    def __init__(
        self,
        writer: PostgresWriter,
        spool: Spool,
        *,
        on_landed: Callable[[int, Sequence[LogRecord]], None],
        max_pending_bytes: int,
        land_timeout_seconds: float,
        on_spooled: Callable[[Sequence[Batch]], None] = lambda _batches: None,
        watch: DatabaseWatch | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._watch = watch
        self._writer = writer
        # What waits in the spool must not hold up what arrives.
        self._replayer = writer.another()
        self._spool = spool
        self._on_landed = on_landed
        self._max_pending_bytes = max_pending_bytes
        self._land_timeout_seconds = land_timeout_seconds
        self._patience_seconds = patience_seconds
        self._waiting: deque[_Waiting] = deque()
        self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._has_room = asyncio.Event()
        # Threads read and write it, one at a time.
        self._spool_lock = asyncio.Lock()
        self._on_spooled = on_spooled
        self._down_since: float | None = None
        self._down_reason = ""
        self._next_probe = 0.0
        self._is_closing = False
        self._has_spooled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._replay_task: asyncio.Task[None] | None = None

    @property
    def spool_bytes(self) -> int:
        """Bytes in the spool."""
        return self._spool.size_bytes

    @property
    def spool_report(self) -> SpoolReport:
        """What waits in the spool; from any thread."""
        return self._spool.report()

    @property
    def away(self) -> Away | None:
        """Since when and why lines wait in the spool, None while they land; from any thread."""
        down_since = self._down_since
        if down_since is None or not self._spool.size_bytes:
            return None
        return Away(time.time() - (time.monotonic() - down_since), self._down_reason)

    def start(self) -> None:
        """Begin landing, and replaying what an earlier process left in the spool."""
        self._task = asyncio.create_task(self._run(), name="group-commit")
        self._replay_task = asyncio.create_task(self._replay(), name="spool-replay")
        if self._spool.size_bytes:
            self._has_spooled.set()

    def skeleton_of(self, record: LogRecord) -> int | None:
        """The skeleton id of a record that has landed; None when it is not known here."""
        return self._writer.skeleton_of(record)

    async def close(self) -> None:
        """Land or spool what waits, then stop."""
        self._is_closing = True
        self._wake.set()
        if self._replay_task is not None:
            # A group cut off in its COMMIT stays in the spool and is looked for before it is
            # landed again.
            self._replay_task.cancel()
            await asyncio.gather(self._replay_task, return_exceptions=True)
        if self._task is not None:
            await self._task
        await self._writer.disconnect()
        await self._replayer.disconnect()
        self._spool.close()

    async def land(self, batch: Batch) -> Landed:
        """Returns once the batch is durable; raises StoreUnavailable when it will not be."""
        if self._is_closing:
            raise StoreUnavailable("the service is stopping", "send the same request again")
        if self._is_full(batch) and not await self._has_room_in_time(batch):
            return await self._spool_alone(batch)
        # Here, and not when the group's turn comes: meanwhile the group before it commits.
        waiting = _Waiting(self._writer.encode(batch), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._count_pending(batch.size_bytes)
        self._wake.set()
        return await waiting.answer

    def _is_full(self, batch: Batch) -> bool:
        # A lone batch is held to its own limit.
        return bool(self._waiting) and (
            self._pending_bytes + batch.size_bytes > self._max_pending_bytes
        )

    async def _has_room_in_time(self, batch: Batch) -> bool:
        """Let the sender wait for the database, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                while self._is_full(batch):
                    self._has_room.clear()
                    await self._has_room.wait()
        return not self._is_full(batch)

    async def _spool_alone(self, batch: Batch) -> Landed:
        """Past the queue, which the database does not take fast enough."""
        await self._keep_in_spool(SpooledGroup(uuid.uuid4(), [batch]))
        return _spooled(batch)

    def _count_pending(self, change: int) -> None:
        self._pending_bytes += change
        if change < 0:
            self._has_room.set()
        metrics.PENDING_BYTES.set(self._pending_bytes)

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._is_closing:
                    return
                await self._wake.wait()
                self._wake.clear()
                continue
            group = self._take_group()
            try:
                await self._land_group(group)
            except StoreUnavailable as error:
                _fail(group, error)
            except Exception as error:
                # The loop must outlive any fault of one group.
                log.exception("a group of %d batches could not be landed", len(group))
                _fail(
                    group,
                    StoreUnavailable(
                        f"landing failed: {type(error).__name__}", "the service's log says why"
                    ),
                )
            self._count_pending(-sum(waiting.load.batch.size_bytes for waiting in group))

    def _take_group(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        first = group[0].load.batch
        rows, size = first.row_count, first.size_bytes
        while self._waiting:
            batch = self._waiting[0].load.batch
            rows, size = rows + batch.row_count, size + batch.size_bytes
            if rows > MAX_ROWS_PER_COMMIT or size > MAX_BYTES_PER_COMMIT:
                break
            group.append(self._waiting.popleft())
        return group

    async def _land_group(self, group: list[_Waiting]) -> None:
        loads = [waiting.load for waiting in group]
        batches = [load.batch for load in loads]
        group_id = uuid.uuid4()
        was_down = self._down_since is not None
        if was_down and self._spool.size_bytes:
            # The replay finds out when the database is back: no sender waits for it.
            await self._spool_group(group, group_id, batches)
            return
        started = time.perf_counter()
        deadline = time.monotonic() + self._land_timeout_seconds
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                    stored = await self._writer.write(loads, group_id)
                break
            except (*CONNECTION_LOST, TimeoutError) as error:
                pause = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                attempt += 1
                metrics.LAND_RETRIES.inc()
                self._note_down(error)
                if was_down or self._is_closing or time.monotonic() + pause >= deadline:
                    await self._spool_group(group, group_id, batches)
                    return
                await asyncio.sleep(pause)
        self._note_up()
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        landed = [outcome.landed for outcome in stored]
        metrics.COMMIT_ROWS.observe(sum(one.accepted for one in landed if not one.is_replay))
        self._answer(group, landed)
        self._announce(stored)

    async def _spool_group(
        self, group: list[_Waiting], group_id: uuid.UUID, batches: list[Batch]
    ) -> None:
        """Keep a group on disk. An attempt to land it may have succeeded unheard."""
        await self._keep_in_spool(SpooledGroup(group_id, batches, self._writer.unheard(group_id)))
        self._answer(group, [_spooled(batch) for batch in batches])

    async def _keep_in_spool(self, group: SpooledGroup) -> None:
        record = msgspec.msgpack.encode(group)
        lines = sum(batch.row_count for batch in group.batches)
        async with self._spool_lock:
            await asyncio.to_thread(self._spool.append, record, lines)
        self._has_spooled.set()
        metrics.SPOOL_BYTES.set(self._spool.size_bytes)
        metrics.SPOOLED_LINES.inc(lines)
        self._on_spooled(group.batches)

    async def _replay(self) -> None:
        """Move groups from the spool into the database, oldest first, for as long as it runs."""
        while True:
            await asyncio.sleep(max(0.0, self._next_probe - time.monotonic()))
            if not self._spool.size_bytes:
                self._has_spooled.clear()
                await self._has_spooled.wait()
                continue
            if self._watch is not None and self._watch.away is not None:
                # The watch is trying already.
                self._next_probe = time.monotonic() + PROBE_SECONDS
                continue
            try:
                await self._replay_oldest()
            except Exception:
                # A disk that cannot be read must not end this; the spool is tried later.
                log.exception("the spool could not be read")
                self._next_probe = time.monotonic() + 10 * PROBE_SECONDS

    async def _replay_oldest(self) -> None:
        """Land the oldest group of the spool, unless it is in the database already."""
        async with self._spool_lock:
            record = await asyncio.to_thread(self._spool.oldest)
        if record is None:
            return
        try:
            group = msgspec.msgpack.decode(record, type=SpooledGroup)
        except msgspec.DecodeError as error:
            async with self._spool_lock:
                await asyncio.to_thread(self._spool.set_aside_oldest, str(error))
            return
        try:
            loads = [self._replayer.encode(batch) for batch in group.batches]
            async with asyncio.timeout(REPLAY_TIMEOUT_SECONDS):
                stored = await self._replayer.write(
                    loads, group.group_id, may_be_landed=True, attempt=group.attempt
                )
        except (*CONNECTION_LOST, TimeoutError) as error:
            self._note_down(error)
            return
        except Exception:
            log.exception("a group in the spool could not be landed; others are tried first")
            self._next_probe = time.monotonic() + PROBE_SECONDS
            # Never thrown away. Should we end between the two, it is there twice and lands once.
            lines = sum(batch.row_count for batch in group.batches)
            async with self._spool_lock:
                await asyncio.to_thread(self._spool.append, record, lines)
                self._spool.remove_oldest()
            return
        async with self._spool_lock:
            self._spool.remove_oldest()
        self._note_up()
        metrics.SPOOL_BYTES.set(self._spool.size_bytes)
        self._announce(stored)
        if not self._spool.size_bytes:
            log.warning("the spool is empty: every line in it has landed")

    def _note_down(self, error: BaseException) -> None:
        self._next_probe = time.monotonic() + PROBE_SECONDS
        self._down_reason = (str(error) or "no answer in time").splitlines()[0]
        if self._watch is not None:
            self._watch.miss(self._down_reason)
        if self._down_since is None:
            self._down_since = time.monotonic()
            log.warning(
                "the database takes no lines, they go into the spool: %s", self._down_reason
            )
            metrics.DATABASE_UP.set(0)

    def _note_up(self) -> None:
        self._next_probe = 0.0
        metrics.DATABASE_UP.set(1)
        if self._down_since is not None:
            log.warning(
                "the database takes lines again after %.0f s", time.monotonic() - self._down_since
            )
            self._down_since = None

    def _answer(self, group: list[_Waiting], landed: Sequence[Landed]) -> None:
        finished = time.perf_counter()
        metrics.observe_all(metrics.LAND_SECONDS, [finished - waiting.since for waiting in group])
        for waiting, outcome in zip(group, landed, strict=True):
            if outcome.is_replay:
                metrics.REPLAYS.inc()
            if not waiting.answer.done():
                waiting.answer.set_result(outcome)

    def _announce(self, stored: Sequence[Stored]) -> None:
        """Ids of a group follow one another: tell of them together."""
        new = [outcome for outcome in stored if outcome.records]
        if new and new[0].landed.first_id is not None:
            records = new[0].records if len(new) == 1 else [*chain(*(s.records for s in new))]
            self._on_landed(new[0].landed.first_id, records)


def _spooled(batch: Batch) -> Landed:
    return Landed(None, None, batch.row_count, batch.rejects, durable="spool")


def _fail(group: list[_Waiting], error: StoreUnavailable) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
