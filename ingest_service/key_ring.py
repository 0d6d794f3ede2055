"""The API keys as one process knows them: read every two seconds, verified once, counted.

All keys are held, so a request never waits for the database; only one whose prefix is not
known may make us look for keys made a moment ago, and that is done at most twice a second
however many ask. So a guesser costs nothing.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg

from ingest_service.caller import Caller
from ingest_service.rate_limits import bucket_name
from logstream.api_keys import Role, StoredKey, prefix_of
from logstream.errors import StoreUnavailable
from logstream.land import key_table
from logstream.land.key_table import Traffic
from logstream.passes import LEEWAY_SECONDS, Pass, Passes

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Value = TypeVar("Value")

REFRESH_SECONDS = 2.0
TRAFFIC_SECONDS = 3.0
# Keys made since the last look are looked for at most this often.
LOOK_AGAIN_SECONDS = 0.5
PATIENCE_SECONDS = 3.0
MAX_REMEMBERED = 20_000
HASHES_AT_ONCE = 2


class Known:
    """A key or pass that was verified; what may change about it is kept up to date."""

    __slots__ = ("bucket", "caller", "ends_unix", "is_pass", "name", "rate", "role", "why")

    def __init__(self, name: str, role: Role, *, is_pass: bool = False) -> None:
        # The visible part of a key, or who holds the pass.
        self.name = name
        self.role: Role = role
        # One's own processes are no senders that are listed.
        self.caller = Caller() if is_pass else Caller(name)
        self.rate: float | None = None
        self.bucket = bucket_name("key", name)
        self.ends_unix = float("inf")
        # Why it is not valid any more; "" as long as it is.
        self.why = ""
        self.is_pass = is_pass

    def follow(self, stored: StoredKey) -> None:
        """Take over what the database says now."""
        self.role, self.rate = stored.role, stored.rate_per_second
        self.caller = Caller(stored.prefix, stored.environment)
        self.ends_unix = (
            float("inf") if stored.expires_at is None else stored.expires_at.timestamp()
        )
        self.why = "" if stored.revoked_at is None else "was revoked"


class KeyRing:
    """Verifies what requests present; `start` it, `close` it."""

    def __init__(self, url: str, passes: Passes) -> None:
        self._url = url
        self._passes = passes
        self._stored: dict[str, StoredKey] | None = None
        # When the last look began, on the monotonic clock.
        self._read_at = float("-inf")
        self._is_away = False
        # By the SHA-256 of what was presented: the text itself is not kept.
        self._verified: dict[bytes, Known] = {}
        self._refused: dict[bytes, None] = {}
        self._known: dict[str, Known] = {}
        self._traffic: dict[str, Traffic] = {}
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._refreshing: asyncio.Task[None] | None = None
        self._connection: psycopg.Connection | None = None
        self._connecting = asyncio.Lock()
        self._tending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep up with the database."""
        self._tending = asyncio.create_task(self._tend(), name="api keys")

    async def close(self) -> None:
        """Write down what was counted, and let go."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        if self._refreshing is not None:
            await asyncio.gather(self._refreshing, return_exceptions=True)
        with suppress(psycopg.Error):
            await self._write_traffic()
        await asyncio.to_thread(self._disconnect)

    def known(self, presented: str) -> Known | None:
        """Who presents this, when it was verified before; says nothing about its validity."""
        return self._verified.get(hashlib.sha256(presented.encode()).digest())

    def holds(self, prefix: str | None) -> bool:
        """Whether a key of this prefix was there at the last look."""
        return prefix is not None and self._stored is not None and prefix in self._stored

    async def verify(self, presented: str) -> Known | None:
        """Who presents this; None for a key that is not valid.

        Raises StoreUnavailable when that cannot be known as long as the database is away.
        """
        digest = hashlib.sha256(presented.encode()).digest()
        if digest in self._refused:
            return None
        prefix = prefix_of(presented)
        if prefix is None:
            return self._by_pass(presented, digest)
        stored = await self._find(prefix)
        if stored is None:
            return None
        async with self._hashing:
            is_right = await asyncio.to_thread(stored.is_opened_by, presented)
        if not is_right:
            _remember(self._refused, digest, None)
            return None
        known = self._known.get(prefix)
        if known is None:
            known = self._known[prefix] = Known(prefix, stored.role)
            known.follow(stored)
        _remember(self._verified, digest, known)
        return known

    def count(self, prefix: str, *, lines: int, size_bytes: int, rejected: int) -> None:
        """Add to a key's totals; written down within seconds."""
        before = self._traffic.get(prefix) or Traffic()
        self._traffic[prefix] = before.plus(lines, size_bytes, rejected)

    def note_use(self, prefix: str) -> None:
        """Remember that a key was used, for its `last used`."""
        if prefix not in self._traffic:
            self._traffic[prefix] = Traffic()

    def _by_pass(self, presented: str, digest: bytes) -> Known | None:
        found: Pass | None = self._passes.read(presented)
        if found is None:
            return None
        known = Known(found.holder, found.role, is_pass=True)
        known.ends_unix = found.expires_unix + LEEWAY_SECONDS
        _remember(self._verified, digest, known)
        return known

    async def _find(self, prefix: str) -> StoredKey | None:
        found = None if self._stored is None else self._stored.get(prefix)
        if found is not None:
            return found
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._look_again(time.monotonic())
        if self._stored is None or (self._is_away and prefix not in self._stored):
            raise StoreUnavailable(
                "the API key cannot be checked while the database is away", "send again later"
            )
        return self._stored.get(prefix)

    async def _look_again(self, asked_at: float) -> None:
        """Read the keys as they are after this moment; those who ask meanwhile share that."""
        while self._read_at < asked_at:
            await asyncio.sleep(max(0.0, self._read_at + LOOK_AGAIN_SECONDS - time.monotonic()))
            await asyncio.shield(self._refresh_once())

    def _refresh_once(self) -> asyncio.Task[None]:
        """One look for all who ask meanwhile."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(), name="read api keys")
        return self._refreshing

    async def _tend(self) -> None:
        traffic_due = time.monotonic() + TRAFFIC_SECONDS
        while True:
            await self._refresh_once()
            if time.monotonic() >= traffic_due and not self._is_away:
                traffic_due = time.monotonic() + TRAFFIC_SECONDS
                with suppress(psycopg.Error):
                    await self._write_traffic()
            await asyncio.sleep(REFRESH_SECONDS)

    async def _refresh(self) -> None:
        self._read_at = time.monotonic()
        try:
            found = await self._with_connection(key_table.every_key)
        except psycopg.Error as error:
            if not self._is_away:
                # The watch says that the database is away; this is for what is ours alone.
                log.debug("API keys cannot be read: %s", type(error).__name__)
            self._is_away = True
            return
        self._is_away = False
        self._stored = {stored.prefix: stored for stored in found}
        for prefix, known in self._known.items():
            stored = self._stored.get(prefix)
            if stored is None:
                known.why = "was removed"
            else:
                known.follow(stored)

    async def _write_traffic(self) -> None:
        taken, self._traffic = self._traffic, {}
        if not taken:
            return
        try:
            await self._with_connection(lambda one: key_table.add_traffic(one, taken))
        except psycopg.Error:
            for prefix, traffic in taken.items():
                self.count(
                    prefix,
                    lines=traffic.lines,
                    size_bytes=traffic.size_bytes,
                    rejected=traffic.rejected,
                )
            raise

    async def _with_connection(self, question: Callable[[psycopg.Connection], Answer]) -> Answer:
        async with self._connecting:
            return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[psycopg.Connection], Answer]) -> Answer:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                application_name="logstream-keys",
                options="-c statement_timeout=5000",
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10_000,
            )
        try:
            with self._connection.transaction():
                return question(self._connection)
        except psycopg.Error:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _remember(memory: dict[bytes, Value], digest: bytes, value: Value) -> None:
    """Keep it; of too many, the oldest goes."""
    while len(memory) >= MAX_REMEMBERED:
        del memory[next(iter(memory))]
    memory[digest] = value
