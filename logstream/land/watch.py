"""Waiting for a database that is not there yet, and giving it the schema when it comes."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg_errors

from logstream.errors import LogStreamError

log = logging.getLogger(__name__)

PROBE_SECONDS = 1.0


@dataclass(frozen=True)
class Away:
    """The database cannot be used: since when, and why in one line."""

    since_unix: float
    reason: str


class DatabaseWatch:
    """Tries `migrate` at start, and again whenever the database is missed, until it succeeds.

    `migrate` blocks; it raises a LogStreamError while the database is away or unfit, and does
    next to nothing when the schema is there. Landing asks `check` about each new connection,
    so no line is written before the schema stands.
    """

    def __init__(self, migrate: Callable[[], None], schema: str) -> None:
        self._migrate = migrate
        self._schema = schema
        self._away: Away | None = None
        self._look_now = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def away(self) -> Away | None:
        """The last look's outcome; None when the database was there. From any thread."""
        return self._away

    def start(self) -> None:
        """Look now, and from then on when somebody misses the database."""
        self._loop = asyncio.get_running_loop()
        self._look_now.set()
        self._task = asyncio.create_task(self._run(), name="database-watch")

    async def close(self) -> None:
        """Stop looking; a migration under way is finished first."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def miss(self, reason: str) -> None:
        """Somebody could not use the database: look, until it is there. From any thread."""
        if self._away is None:
            self._away = Away(time.time(), reason)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._look_now.set)

    async def check(self, connection: psycopg.AsyncConnection) -> None:
        """Raises psycopg.OperationalError unless the database has this version's schema."""
        try:
            cursor = await connection.execute("SELECT version_num FROM alembic_version")
            row = await cursor.fetchone()
        except (pg_errors.UndefinedTable, pg_errors.InsufficientPrivilege):
            row = None
        if row is None or row[0] != self._schema:
            reason = f"the database is at schema {row[0] if row else 'none'}, not {self._schema}"
            self.miss(reason)
            raise psycopg.OperationalError(reason)

    async def _run(self) -> None:
        while True:
            await self._look_now.wait()
            self._look_now.clear()
            while (reason := await self._look()) is not None:
                if self._away is None or self._away.reason != reason:
                    log.warning("waiting for the database: %s", reason)
                    since = time.time() if self._away is None else self._away.since_unix
                    self._away = Away(since, reason)
                await asyncio.sleep(PROBE_SECONDS)
            if self._away is not None:
                log.warning(
                    "the database is there after %.0f s", time.time() - self._away.since_unix
                )
            self._away = None

    async def _look(self) -> str | None:
        """Why the database cannot be used; None when it can."""
        try:
            await asyncio.to_thread(self._migrate)
        except LogStreamError as error:
            return error.message
        except Exception as error:
            # The watch must outlive any fault of one look.
            log.exception("bringing the database to this version's schema failed")
            return f"the schema could not be made: {type(error).__name__}"
        return None
