"""Reading a TCP connection of Fluentd's Forward protocol, and acknowledging its chunks."""

import asyncio
import time

import msgspec

from ingest_service.listeners.connections import Connection
from ingest_service.listeners.landing import Lander
from ingest_service.listeners.networks import SeldomLine
from logstream.model import Decoded, Reject
from logstream.receive.forward import Forwarded, read_message
from logstream.receive.message_pack import Splitter, Unreadable
from logstream.receive.native_values import Defaults

# A larger message is decoded beside the event loop.
THREAD_FROM_BYTES = 64 * 1024
# Acknowledgements that a sender does not read.
MAX_UNREAD_BYTES = 1024 * 1024
MAX_KEY_CHARACTERS = 200
# The first byte of an array; a message begins with no other.
_ARRAYS = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))
# A message that stands still for so long will not be finished.
SILENCE_SECONDS = 60.0


class ForwardReader:
    """Reads connections: a chunk is acknowledged once its records are durable.

    A chunk that comes again lands once, by its name.
    """

    def __init__(
        self,
        lander: Lander,
        naive_timezone: str,
        max_message_bytes: int,
        max_held_bytes: int,
        max_records: int,
    ) -> None:
        self._lander = lander
        self._naive_timezone = naive_timezone
        self._max_message_bytes = max_message_bytes
        self._max_held_bytes = max_held_bytes
        self._max_records = max_records
        self._held_bytes = 0
        self._unfinished_line = SeldomLine(
            lander.format_name, "connections ended inside of a message; it is not stored"
        )

    async def take(self, connection: Connection) -> None:
        """Land all that the connection brings."""
        splitter = Splitter(self._max_message_bytes)
        own = 0
        try:
            while True:
                data = await connection.read(SILENCE_SECONDS if own else None)
                if not data:
                    if own:
                        self._unfinished_line.count()
                    return
                messages: list[bytes] = []
                error: Unreadable | None = None
                try:
                    for message in splitter.feed(data):
                        if message[0] not in _ARRAYS:
                            raise Unreadable("what was sent is no array")
                        messages.append(message)
                except Unreadable as unreadable:
                    error = unreadable
                self._held_bytes += splitter.unfinished_bytes - own
                own = splitter.unfinished_bytes
                is_fine = await self._land(messages, connection)
                if error is not None:
                    await self._refuse(str(error), data)
                if error is not None or not is_fine or self._held_bytes > self._max_held_bytes:
                    return
        finally:
            self._held_bytes -= own

    async def _land(self, messages: list[bytes], connection: Connection) -> bool:
        """Land the messages and acknowledge their chunks; False when the connection must end."""
        units: list[tuple[Decoded, str | None, int]] = []
        for index, message in enumerate(messages):
            if index % 32 == 31:
                await asyncio.sleep(0)
            decoded, chunk = await self._decode(message)
            # Messages that nobody waits for share a batch.
            if chunk is None and units and units[-1][1] is None:
                known, _, size = units[-1]
                known.records.extend(decoded.records)
                known.rejects.extend(decoded.rejects)
                units[-1] = known, None, size + len(message)
            else:
                lists = Decoded(list(decoded.records), list(decoded.rejects))
                units.append((lists, chunk, len(message)))
        outcomes = await asyncio.gather(*(self._land_unit(*unit) for unit in units))
        for (_, chunk, _), is_durable in zip(units, outcomes, strict=True):
            if not is_durable:
                return False
            if chunk is not None:
                unread = connection.write(msgspec.msgpack.encode({"ack": chunk}))
                if unread > MAX_UNREAD_BYTES:
                    return False
        return True

    async def _decode(self, message: bytes) -> Forwarded:
        defaults = Defaults(
            time.time_ns() // 1_000 * 1_000, self._lander.environment, self._naive_timezone
        )
        if len(message) > THREAD_FROM_BYTES:
            return await asyncio.to_thread(
                read_message, message, defaults, self._max_message_bytes, self._max_records
            )
        return read_message(message, defaults, self._max_message_bytes, self._max_records)

    async def _land_unit(self, decoded: Decoded, chunk: str | None, size: int) -> bool:
        is_key = chunk is not None and len(chunk) <= MAX_KEY_CHARACTERS
        key = f"forward:{chunk}" if is_key else None
        return await self._lander.land(decoded.records, decoded.rejects, size, key)

    async def _refuse(self, reason: str, data: bytes) -> None:
        error = f"{reason}; use the Forward protocol of Fluentd, without TLS or a shared key"
        await self._lander.land([], [Reject(0, error, data[:8192])], 0)
