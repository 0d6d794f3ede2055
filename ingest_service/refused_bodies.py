"""Bodies that were refused as a whole, kept like refused records so that they can be looked at."""

import asyncio
import logging
import time
from collections.abc import Callable

from logstream.errors import (
    DecodeError,
    LogStreamError,
    StoreUnavailable,
    TooLarge,
    UnsupportedEncoding,
)
from logstream.model import Reject
from logstream.ports import Batch, LogWriter

log = logging.getLogger(__name__)

KEPT_BYTES = 64 * 1024
# Also while the database is away: what is kept then lies in the spool, beside good lines.
MOST_A_MINUTE = 60
_OF_THE_BODY = (DecodeError, TooLarge, UnsupportedEncoding)


def is_of_the_body(error: LogStreamError) -> bool:
    """Whether the body itself was at fault, and not who sent it or what became of it."""
    return isinstance(error, _OF_THE_BODY)


class RefusedBodies:
    """Keeps the beginnings of refused bodies beside the request, so many in a minute."""

    def __init__(self, writer: LogWriter, most_a_minute: int = MOST_A_MINUTE) -> None:
        self._writer = writer
        self._most_a_minute = most_a_minute
        self._minute = 0
        self._taken = 0
        self._under_way: set[asyncio.Task[None]] = set()

    def keep(
        self,
        error: LogStreamError,
        body: Callable[[], bytes],
        environment: str,
        format: str,
        sender: str,
    ) -> None:
        """Keep what the error was about, unless there were too many in this minute.

        The error's code is the reason it is counted by. A body over the limit on the wire was
        not read, so nothing but the error is kept of it.
        """
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        if self._taken > self._most_a_minute:
            return
        kept = body()[:KEPT_BYTES]
        reject = Reject(0, error.one_line(), kept, error.code)
        batch = Batch([], [reject], None, len(kept), environment, (), format, sender)
        task = asyncio.create_task(self._land(batch), name="keep-refused-body")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _land(self, batch: Batch) -> None:
        try:
            await self._writer.land(batch)
        except StoreUnavailable as error:
            log.warning("a refused body is counted but not kept: %s", error.one_line())
