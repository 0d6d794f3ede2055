"""Group commit: everything that waits is landed in one transaction, then answered.

No timer: while one group commits, the next one gathers. A lone request is not delayed,
ten thousand share a commit.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from logstream import metrics
from logstream.errors import StoreUnavailable
from logstream.land.postgres import CONNECTION_LOST, PostgresWriter, Stored
from logstream.model import LogRecord
from logstream.ports import Batch, Landed

log = logging.getLogger(__name__)

MAX_ROWS_PER_COMMIT = 10_000
MAX_BYTES_PER_COMMIT = 8 * 1024 * 1024
_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass
class _Waiting:
    batch: Batch
    deadline: float
    answer: asyncio.Future[Landed]
    since: float = field(default_factory=time.perf_counter)


class GroupCommit:
    """A LogWriter over one PostgresWriter; start before use, close to drain.

    `on_landed(first_id, records)` is called in the event loop right after COMMIT, once
    for each run of consecutive ids; it must not block or raise.
    """

    def __init__(
        self,
        writer: PostgresWriter,
        *,
        on_landed: Callable[[int, Sequence[LogRecord]], None],
        max_pending_bytes: int,
        land_timeout_seconds: float,
    ) -> None:
        self._writer = writer
        self._on_landed = on_landed
        self._max_pending_bytes = max_pending_bytes
        self._land_timeout_seconds = land_timeout_seconds
        self._waiting: deque[_Waiting] = deque()
        self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin landing; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def close(self) -> None:
        """Land what waits, then stop."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._writer.disconnect()

    async def land(self, batch: Batch) -> Landed:
        """Returns after COMMIT; raises StoreUnavailable when the time-out passes first."""
        if self._is_closing:
            raise StoreUnavailable("the service is stopping", "send the same request again")
        if self._pending_bytes + batch.size_bytes > self._max_pending_bytes and self._waiting:
            raise StoreUnavailable(
                f"{self._pending_bytes} bytes wait to be landed",
                "the database is slower than the senders; send again later",
            )
        waiting = _Waiting(
            batch,
            time.monotonic() + self._land_timeout_seconds,
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(waiting)
        self._count_pending(batch.size_bytes)
        self._wake.set()
        return await waiting.answer

    def _count_pending(self, change: int) -> None:
        self._pending_bytes += change
        metrics.PENDING_BYTES.set(self._pending_bytes)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                group = self._take_group()
                try:
                    await self._land_group(group)
                except Exception as error:
                    # The loop must outlive any fault of one group.
                    log.exception("a group of %d batches could not be landed", len(group))
                    _fail(group, StoreUnavailable(f"landing failed: {type(error).__name__}"))
                self._count_pending(-sum(waiting.batch.size_bytes for waiting in group))
            if self._is_closing:
                return

    def _take_group(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        rows, size = len(group[0].batch.records), group[0].batch.size_bytes
        while self._waiting:
            batch = self._waiting[0].batch
            rows, size = rows + len(batch.records), size + batch.size_bytes
            if rows > MAX_ROWS_PER_COMMIT or size > MAX_BYTES_PER_COMMIT:
                break
            group.append(self._waiting.popleft())
        return group

    async def _land_group(self, group: list[_Waiting]) -> None:
        batches = [waiting.batch for waiting in group]
        deadline = max(waiting.deadline for waiting in group)
        attempt = 0
        while True:
            started = time.perf_counter()
            try:
                async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                    stored = await self._writer.write(batches)
                break
            except (*CONNECTION_LOST, TimeoutError) as error:
                if attempt == 0:
                    log.warning("database unreachable: %s", _first_line(error))
                metrics.DATABASE_UP.set(0)
                metrics.LAND_RETRIES.inc()
                pause = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                attempt += 1
                if self._is_closing or time.monotonic() + pause >= deadline:
                    _fail(group, StoreUnavailable("the database does not answer", "send again"))
                    return
                await asyncio.sleep(pause)
        if attempt:
            log.warning("database reachable again after %d attempts", attempt)
        metrics.DATABASE_UP.set(1)
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        metrics.COMMIT_ROWS.observe(sum(len(outcome.records) for outcome in stored))
        self._answer(group, stored)

    def _answer(self, group: list[_Waiting], stored: list[Stored]) -> None:
        finished = time.perf_counter()
        for waiting, outcome in zip(group, stored, strict=True):
            metrics.LAND_SECONDS.observe(finished - waiting.since)
            if outcome.landed.is_replay:
                metrics.REPLAYS.inc()
            if not waiting.answer.done():
                waiting.answer.set_result(outcome.landed)
        for outcome in stored:
            if outcome.records and outcome.landed.first_id is not None:
                self._on_landed(outcome.landed.first_id, outcome.records)


def _fail(group: list[_Waiting], error: StoreUnavailable) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
