"""Reading a TCP connection that brings syslog or GELF messages."""

import asyncio
import time
from collections.abc import Callable

from ingest_service.listeners.connections import Connection
from ingest_service.listeners.framing import Framer
from ingest_service.listeners.landing import Lander
from logstream.model import LogRecord, Reject
from logstream.receive.native_values import Defaults

# A message that stands still for so long is taken as it is.
SILENCE_SECONDS = 5.0
# All unfinished messages of a listener together; beyond it the growing one is cut.
MAX_UNFINISHED_BYTES = 64 * 1024 * 1024
SLICE = 64

# (message, what it takes when it does not say, index, sender)
ReadMessage = Callable[[bytes, Defaults, int, str], LogRecord | Reject]


class MessageReader:
    """Reads connections of one listener: cuts, decodes, lands, then reads on."""

    def __init__(
        self,
        new_framer: Callable[[], Framer],
        read: ReadMessage,
        lander: Lander,
        naive_timezone: str,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._new_framer = new_framer
        self._read = read
        self._lander = lander
        self._naive_timezone = naive_timezone
        self._silence_seconds = silence_seconds
        self._unfinished_bytes = 0

    async def take(self, connection: Connection) -> None:
        """Land all that the connection brings."""
        framer = self._new_framer()
        own = 0
        try:
            while True:
                data = await connection.read(self._silence_seconds if own else None)
                messages = framer.feed(data) if data else framer.finish()
                self._unfinished_bytes += framer.unfinished_bytes - own
                own = framer.unfinished_bytes
                if own and self._unfinished_bytes > MAX_UNFINISHED_BYTES:
                    messages += framer.finish()
                    self._unfinished_bytes -= own
                    own = 0
                await self._land(messages, connection.sender)
                if data == b"":
                    return
        finally:
            self._unfinished_bytes -= own

    async def _land(self, messages: list[bytes], sender: str) -> None:
        records: list[LogRecord] = []
        rejects: list[Reject] = []
        defaults = Defaults(
            time.time_ns() // 1_000 * 1_000, self._lander.environment, self._naive_timezone
        )
        for index, message in enumerate(messages):
            if index % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            outcome = self._read(message, defaults, index, sender)
            if isinstance(outcome, LogRecord):
                records.append(outcome)
            else:
                rejects.append(outcome)
        await self._lander.land(records, rejects, sum(map(len, messages)))
