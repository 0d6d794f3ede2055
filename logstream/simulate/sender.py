"""Sends lines or spans to the public HTTP API and does not give up on them.

They wait in order; a connection takes what waits, up to a limit, as one batch with an
Idempotency-Key of its own, and repeats exactly that batch until the service has answered for
it. So a batch whose answer was lost is not stored twice.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec

MAX_BACK_OFF_SECONDS = 5.0
FIRST_BACK_OFF_SECONDS = 0.1
LONGEST_RETRY_AFTER_SECONDS = 60.0
REQUEST_TIMEOUT_SECONDS = 30.0
BATCH_LINES = 1_000
_RETRIED_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Feed:
    """Where encoded records of one kind go, and how many of them make a body."""

    records: str
    path: str
    content_type: str
    before: bytes = b""
    between: bytes = b"\n"
    after: bytes = b""

    def body(self, records: list[bytes]) -> bytes:
        """The records as one request."""
        return self.before + self.between.join(records) + self.after


LINES = Feed("lines", "/logs/ingest", "application/x-ndjson")
SPANS = Feed("spans", "/v1/traces", "application/json", b'{"resourceSpans":[', b",", b"]}")


class _Partial(msgspec.Struct, frozen=True, rename="camel"):
    """What OTLP says of refused spans; 64-bit numbers are text in its JSON."""

    rejected_spans: str = "0"
    error_message: str = ""


class _Reply(msgspec.Struct, rename="camel"):
    """The part of an ingest reply that we count; OTLP's gives no `accepted`."""

    accepted: int | None = None
    rejected: list[Any] = []
    ids: tuple[int, int] | None = None
    partial_success: _Partial = _Partial()

    def taken_of(self, size: int) -> int:
        """How many of a batch were accepted."""
        if self.accepted is not None:
            return self.accepted
        return size - int(self.partial_success.rejected_spans)

    def refused(self) -> str:
        """The first reason why something was refused."""
        return str(self.rejected[0]) if self.rejected else self.partial_success.error_message


class Acknowledged(msgspec.Struct):
    """One batch the service has answered for: the ids it gave, how many, under which key."""

    ids: tuple[int, int] | None
    accepted: int
    key: str


@dataclass
class Counts:
    """Records (and retries) so far."""

    offered: int = 0
    accepted: int = 0
    rejected: int = 0
    retries: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class _Batch:
    key: str
    lines: list[bytes]


class Sender:
    """Sends what is offered over a few connections; use as an async context manager.

    `authorization` gives the headers that let each request in.
    `say` gets a sentence when the service becomes unreachable, is back, refuses lines, or
    when the buffer of `buffer_lines` is full and newly offered lines are dropped.
    """

    def __init__(
        self,
        url: str,
        *,
        feed: Feed = LINES,
        authorization: Callable[[], dict[str, str]] = dict,
        connections: int = 2,
        buffer_lines: int = 200_000,
        on_acknowledged: Callable[[Acknowledged], None] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.counts = Counts()
        self._feed = feed
        self._url = f"{url}{feed.path}"
        self._authorization = authorization
        self._connections = connections
        self._buffer_lines = buffer_lines
        self._on_acknowledged = on_acknowledged
        self._say = say
        self._pending: deque[bytes] = deque()
        self._in_flight = 0
        self._batch_lines = BATCH_LINES
        self._wake = asyncio.Condition()
        self._hurry = asyncio.Event()
        self._down_since: float | None = None
        self._is_dropping = False
        self._session: aiohttp.ClientSession | None = None
        self._workers: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        """Lines not yet answered for, those under way included."""
        return len(self._pending) + self._in_flight

    async def __aenter__(self) -> "Sender":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
        )
        self._workers = [
            asyncio.create_task(self._work(self._session)) for _ in range(self._connections)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def offer(self, lines: list[bytes]) -> None:
        """Take encoded records; those that no longer fit are dropped, counted and said."""
        self.counts.offered += len(lines)
        room = max(0, self._buffer_lines - self.waiting)
        taken, dropped = lines[:room], len(lines) - room
        if dropped > 0:
            self.counts.dropped += dropped
            if not self._is_dropping:
                waiting = f"{self._buffer_lines} {self._feed.records} already wait"
                self._say(f"dropping new {self._feed.records}: {waiting} for {self._url}")
            self._is_dropping = True
        elif self._is_dropping and self.waiting < self._buffer_lines // 2:
            self._is_dropping = False
            self._say(f"taking {self._feed.records} again; dropped {self.counts.dropped} in all")
        if taken:
            async with self._wake:
                self._pending.extend(taken)
                self._wake.notify()

    async def flush(self, within_seconds: float) -> bool:
        """True when every line was answered for within that time; pauses are cut short."""
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds), self._wake:
                await self._wake.wait_for(lambda: self.waiting == 0)
        return self.waiting == 0

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            async with self._wake:
                await self._wake.wait_for(lambda: bool(self._pending))
                count = min(len(self._pending), self._batch_lines)
                lines = [self._pending.popleft() for _ in range(count)]
                self._in_flight += count
                if self._pending:
                    self._wake.notify()
            await self._deliver(session, _Batch(f"simulate-{uuid4().hex}", lines))
            async with self._wake:
                self._in_flight -= count
                self._wake.notify_all()

    async def _deliver(self, session: aiohttp.ClientSession, batch: _Batch) -> None:
        """Repeat the batch until the service has accepted or refused it for good."""
        body = self._feed.body(batch.lines)
        headers = {"Content-Type": self._feed.content_type, "Idempotency-Key": batch.key}
        back_off = FIRST_BACK_OFF_SECONDS
        while True:
            pause = back_off
            try:
                headers.update(self._authorization())
                async with session.post(self._url, data=body, headers=headers) as reply:
                    content = await reply.read()
                if reply.status not in _RETRIED_STATUSES:
                    self._note_up()
                    self._settle(batch, reply.status, content)
                    return
                self._note_down(f"answered {reply.status}")
                pause = max(back_off, _seconds(reply.headers.get("Retry-After")))
            except aiohttp.ClientConnectorError:
                self._note_down("cannot connect")
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self._note_down(str(error) or type(error).__name__)
            self.counts.retries += 1
            back_off = min(MAX_BACK_OFF_SECONDS, back_off * 2)
            await self._pause(pause)

    def _settle(self, batch: _Batch, status: int, content: bytes) -> None:
        """Count an answer that will not change when the batch is sent again."""
        size, records = len(batch.lines), self._feed.records
        if status == 413 and size > 1:
            self._batch_lines = max(1, size // 2)
            self._say(f"batch of {size} {records} is too large; going on with {self._batch_lines}")
            self._pending.extendleft(reversed(batch.lines))
            return
        if status >= 400:
            self.counts.rejected += size
            text = content[:300].decode("utf-8", "replace")
            self._say(f"{size} {records} refused with {status}: {text}")
            return
        try:
            reply = msgspec.json.decode(content, type=_Reply)
        except (msgspec.DecodeError, msgspec.ValidationError):
            reply = _Reply(accepted=0)
        accepted = reply.taken_of(size)
        self.counts.accepted += accepted
        if reply.refused():
            self.counts.rejected += size - accepted
            self._say(f"{size - accepted} of {size} {records} rejected, first: {reply.refused()}")
        if self._on_acknowledged is not None:
            self._on_acknowledged(Acknowledged(reply.ids, accepted, batch.key))

    async def _pause(self, seconds: float) -> None:
        """Wait before trying again; when the end is near, only for a moment."""
        if self._hurry.is_set():
            await asyncio.sleep(min(seconds, FIRST_BACK_OFF_SECONDS))
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    def _note_down(self, reason: str) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            self._say(f"{self._url}: {reason}; keeping the {self._feed.records} and trying again")

    def _note_up(self) -> None:
        if self._down_since is not None:
            away = time.monotonic() - self._down_since
            self._down_since = None
            self._say(f"{self._url} answers again after {away:.1f} s")


def _seconds(retry_after: str | None) -> float:
    """The seconds of a Retry-After header; 0 when it is absent or a date."""
    try:
        return min(LONGEST_RETRY_AFTER_SECONDS, max(0.0, float(retry_after or 0)))
    except ValueError:
        return 0.0
