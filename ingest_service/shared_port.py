"""One port, several processes: who takes a connection, and who answers on it.

All accept from the same listening socket; the one with the fewest connections takes the
next. A further process takes lines and says that it lives (`is_own`). For
anything else it gives the connection itself, with what it has read of it, to the first
process, which goes on as if it had accepted it. So nothing is relayed: addresses, streams,
back-pressure and WebSockets are what they are with one process.
"""

import asyncio
import logging
import mmap
import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from ingest_service.http_protocol import BoundedHttp
from ingest_service.paths import PATHS
from ingest_service.rate_limits import SIZE_BYTES, Buckets

log = logging.getLogger(__name__)

# How long a process leaves a new connection to those that have fewer, and are idle.
PATIENCE_SECONDS = 0.002
SECONDS_AFTER_FAULT = 1.0
_GONE = 0xFFFF_FFFF


def is_own(path: str) -> bool:
    """Whether a further process answers at the path itself."""
    return path == "/health/live" or PATHS.find(path) is not None


class Board:
    """What all processes see: a few numbers, each written by one process, and rate limits."""

    def __init__(self, descriptor: int, processes: int) -> None:
        self.descriptor = descriptor
        memory = memoryview(mmap.mmap(descriptor, SIZE_BYTES + 4 * (1 + processes)))
        self._numbers = memory[SIZE_BYTES:].cast("I")
        self.buckets = Buckets(memory[:SIZE_BYTES])

    @classmethod
    def create(cls, processes: int) -> "Board":
        """A fresh one; the others open it by its descriptor."""
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE_BYTES + 4 * (1 + processes))
            board = cls(os.dup(file.fileno()), processes)
        for number in range(1, 1 + processes):
            board.leave(number)
        return board

    @property
    def hub_clients(self) -> int:
        """Clients of the built-in hub."""
        return self._numbers[0]

    def set_hub_clients(self, count: int) -> None:
        """Written by the process that serves the hub."""
        self._numbers[0] = count

    def enter(self, number: int) -> None:
        """The process of this number accepts from now on; it has no connection yet."""
        self._numbers[number] = 0

    def leave(self, number: int) -> None:
        """Nobody waits for the process of this number."""
        self._numbers[number] = _GONE

    def add_connection(self, number: int, change: int) -> None:
        """Count a process's connections."""
        self._numbers[number] += change

    def has_fewest(self, number: int) -> bool:
        """Whether no other process has fewer connections."""
        return self._numbers[number] <= min(self._numbers[1:])


class CountedHttp(BoundedHttp):
    """A connection that this process accepted; counted as long as it speaks HTTP."""

    board: Board
    number: int

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_counted = True
        self.board.add_connection(self.number, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, or another process's."""
        self._uncount()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """A viewer costs little and stays long: it must not keep senders away."""
        self._uncount()
        super().handle_websocket_upgrade()

    def _uncount(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self.board.add_connection(self.number, -1)


class FurtherHttp(CountedHttp):
    """A connection of a further process, which gives it away when asked for more than it has."""

    hand_over: Callable[[int, bytes], None]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_in_a_head = False
        self._is_leaving = False
        # All that was read of the request whose head is being read; empty when that began
        # behind another one.
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Feed the parser; then give the connection away if that is what it came to."""
        if self._read:
            self._read += data
        elif not self._is_in_a_request():
            self._read = data
        super().data_received(data)
        if self._is_leaving and not self.transport.is_closing():
            self.hand_over(self.transport.get_extra_info("socket").fileno(), self._read)
            self.transport.abort()  # closes our descriptor, not the connection

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_a_head = True

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._is_in_a_head = False
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """The hub is the first process's."""
        self._leave()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if is_own(cycle.scope["path"]):
            self._read = b""
            super()._start_asgi_task(cycle, app)
        else:
            self._leave()

    def _is_in_a_request(self) -> bool:
        if self._is_in_a_head or self.cycle is None:
            return self._is_in_a_head
        return self.cycle.more_body or not self.cycle.response_complete

    def _leave(self) -> None:
        if self._read:
            self._is_leaving = True
        else:
            # Sent before the answer to another: who does that asks again (RFC 9112, 9.3.2).
            self.transport.close()


class AdoptedHttp(BoundedHttp):
    """A connection that a further process gave away, with what it had read."""

    read: bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Go on where the other process stopped."""
        super().connection_made(transport)
        self.data_received(self.read)


class SharingServer(uvicorn.Server):
    """A uvicorn server that takes its connections from a shared port, or from another process."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        board: Board,
        number: int,
        hand_over: Callable[[int, bytes], None] | None = None,
    ) -> None:
        """`hand_over(descriptor, read)` gives a connection to the first process."""
        super().__init__(config)
        config.load()
        self._listener = listener
        self._board = board
        self._number = number
        shared = {"board": board, "number": number}
        if hand_over is None:
            self._kind = self._protocol(CountedHttp, **shared)
        else:
            self._kind = self._protocol(FurtherHttp, **shared, hand_over=staticmethod(hand_over))
        self._entering: set[asyncio.Task[None]] = set()
        self._is_open = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, each process for itself on the one socket."""
        await super().startup(sockets=[])
        self._board.enter(self._number)
        self._listener.setblocking(False)
        self._is_open = True
        self._watch()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, then as uvicorn does."""
        self._is_open = False
        self._board.leave(self._number)
        asyncio.get_running_loop().remove_reader(self._listener.fileno())
        self._listener.close()
        await super().shutdown(sockets=[])

    def adopt(self, connection: socket.socket, read: bytes) -> None:
        """Serve a connection that another process accepted."""
        self._enter(connection, self._protocol(AdoptedHttp, read=read))

    def _protocol(self, kind: type[BoundedHttp], **attributes: Any) -> type[BoundedHttp]:
        configured = self.config.http_protocol_class
        return type(kind.__name__, (kind, configured), attributes)

    def _watch(self) -> None:
        if self._is_open:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._listener.fileno(), self._someone_came)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        loop.call_later(seconds, then)

    def _someone_came(self) -> None:
        if self._board.has_fewest(self._number):
            self._take()
        else:
            self._pause(PATIENCE_SECONDS, self._take_and_watch)

    def _take_and_watch(self) -> None:
        self._watch()
        if self._is_open:
            self._take()

    def _take(self) -> None:
        """One connection at a time, so that the others get theirs."""
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            log.error("connections cannot be accepted: %s", error.strerror)
            self._pause(SECONDS_AFTER_FAULT, self._watch)
            return
        self._enter(connection, self._kind)

    def _enter(self, connection: socket.socket, kind: type[BoundedHttp]) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        task = asyncio.create_task(_connect(protocol, connection))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)


async def _connect(protocol: BoundedHttp, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(lambda: protocol, connection)
