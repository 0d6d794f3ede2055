"""An export on its way to a client: begun in time, at its pace, and never complete by mistake.

A client takes the end of a response for the end of the file. So an export that fails on its
way is not ended: the connection is cut before the last chunk, which every HTTP client reports.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_service.compressed import Compression
from logstream.errors import LogStreamError, RateLimited
from logstream.query.export.exporter import Export

log = logging.getLogger(__name__)

# Each holds a connection, a snapshot of the database and, as Parquet, some ten megabytes.
MOST_EXPORTS = 4
RETRY_SECONDS = 10
# A client that takes nothing for so long would hold the snapshot for ever.
STALLED_SECONDS = 60.0

Answer = TypeVar("Answer")


class Exports:
    """The exports of this process: how many are under way, and the threads that make them."""

    def __init__(self) -> None:
        self._under_way = 0
        self._threads = ThreadPoolExecutor(MOST_EXPORTS, thread_name_prefix="export")

    def enter(self) -> None:
        """Take one of MOST_EXPORTS places; raises RateLimited when there is none."""
        if self._under_way >= MOST_EXPORTS:
            raise RateLimited(
                f"{MOST_EXPORTS} exports are under way",
                "export again when one of them has ended",
                RETRY_SECONDS,
            )
        self._under_way += 1

    def leave(self) -> None:
        """Give the place back."""
        self._under_way -= 1

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do something that blocks, on a thread of the exports' own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for no one."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class StreamedExport(Response):
    """Sends an export that has begun; ends it in the database when the client goes."""

    def __init__(
        self,
        exports: Exports,
        export: Export,
        pieces: Iterator[bytes],
        first: bytes | None,
        compression: Compression,
        headers: dict[str, str],
    ) -> None:
        super().__init__(None, headers=headers)
        del self.headers["content-length"]
        self._exports = exports
        self._export = export
        self._pieces = pieces
        self._first = first
        self._compression = compression
        # The piece that a thread is fetching.
        self._coming: asyncio.Future[bytes | None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send piece by piece; returns without an end when there can be none."""
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            piece = self._first
            while piece is not None:
                if not await self._sent(self._compression.add(piece), send, gone):
                    return
                piece = await self._next(gone)
            if not gone.done():
                last = self._compression.end()
                await send({"type": "http.response.body", "body": last, "more_body": False})
        except LogStreamError as error:
            log.warning("an export was cut off: %s", error.one_line())
        except Exception:
            log.exception("an export was cut off")
        finally:
            gone.cancel()
            await asyncio.shield(self._finish())

    async def _next(self, gone: asyncio.Task[None]) -> bytes | None:
        coming = asyncio.ensure_future(self._exports.run(lambda: next(self._pieces, None)))
        self._coming = coming
        await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            # Nobody waits for it any more; what it asks the database for may take long.
            await asyncio.to_thread(self._export.cancel)
        return await coming

    async def _finish(self) -> None:
        """Give everything back; the connection only when no thread reads from it any more."""
        try:
            if self._coming is not None and not self._coming.done():
                await asyncio.to_thread(self._export.cancel)
                with suppress(LogStreamError):
                    await self._coming
            await self._exports.run(self._export.close)
        finally:
            self._exports.leave()

    async def _sent(self, data: bytes, send: Send, gone: asyncio.Task[None]) -> bool:
        if gone.done():
            return False
        if data:
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": data, "more_body": True})
            except TimeoutError:
                log.warning("an export was cut off: nobody took it for %g s", STALLED_SECONDS)
                return False
        return not gone.done()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
