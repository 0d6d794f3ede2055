"""TCP: what a connection brings is landed before more is read, so senders slow down with us."""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

from ingest_service.listeners.networks import Networks, SeldomLine
from logstream import metrics

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 1_000
# Beyond that many, one that was silent for so long makes room for a new one.
IDLE_SECONDS = 60.0
# Received and not yet read; then the sender's TCP waits.
MAX_BUFFERED_BYTES = 256 * 1024
STOP_SECONDS = 3.0
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Connection(asyncio.Protocol):
    """One sender's connection: bytes as they come, with back-pressure."""

    def __init__(self, listener: "StreamListener") -> None:
        self._listener = listener
        self._parts: list[bytes] = []
        self._size = 0
        self._has_news = asyncio.Event()
        self._is_ended = False
        self._is_paused = False
        self._transport: asyncio.Transport | None = None
        self.sender = ""
        self.last_heard = time.monotonic()

    async def read(self, timeout_seconds: float | None = None) -> bytes | None:
        """What has come, at least a byte; empty at the end, None when nothing came in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._parts and not self._is_ended:
                    self._has_news.clear()
                    await self._has_news.wait()
        except TimeoutError:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._is_paused and not self._is_ended and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> int:
        """Send to the peer; gives the bytes that it has not taken yet."""
        if self._transport is None or self._transport.is_closing():
            return 0
        self._transport.write(data)
        return self._transport.get_write_buffer_size()

    def finish(self) -> None:
        """Take no more; what has come can still be read."""
        if self._transport is not None and not self._is_paused and not self._is_ended:
            self._transport.pause_reading()
        self._is_ended = True
        self._has_news.set()

    def close(self) -> None:
        """Send what was written, then end the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a sender has connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        self.sender = peer[0] if peer else ""
        _keep_alive(transport.get_extra_info("socket"))
        self._listener.connected(self)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        self.last_heard = time.monotonic()
        if self._is_ended:
            return
        self._parts.append(data)
        self._size += len(data)
        self._has_news.set()
        if self._size >= MAX_BUFFERED_BYTES and not self._is_paused and self._transport:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """asyncio: the sender has sent all, and may still wait for an answer."""
        self._is_ended = True
        self._has_news.set()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """asyncio: the connection is gone; what it brought is still read."""
        self._is_ended = True
        self._has_news.set()


class StreamListener:
    """One listening TCP socket; `take` reads a connection until its end."""

    def __init__(
        self,
        name: str,
        tcp: socket.socket,
        take: Callable[[Connection], Awaitable[None]],
        networks: Networks,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._name = name
        self._socket = tcp
        self._take = take
        self._networks = networks
        self._max_connections = max_connections
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._refused_line = SeldomLine(name, "connections refused: there were too many")

    async def start(self) -> None:
        """Begin to accept."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=self._socket, backlog=512
        )

    async def close(self) -> None:
        """Accept no more, and let what was received be landed."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._tasks):
            connection.finish()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            if late:
                log.error("%s: %d connections were not landed in time", self._name, len(late))
                await asyncio.wait(late)
        self._refused_line.say()

    def connected(self, connection: Connection) -> None:
        """Take the connection, unless it may not be here."""
        if not self._networks.allow(connection.sender, self._name):
            metrics.CONNECTIONS_REFUSED.labels(self._name, "network").inc()
            connection.close()
        elif len(self._tasks) >= self._max_connections and not self._make_room():
            metrics.CONNECTIONS_REFUSED.labels(self._name, "too_many").inc()
            self._refused_line.count()
            connection.close()
        else:
            self._tasks[connection] = asyncio.create_task(
                self._serve(connection), name=f"{self._name} {connection.sender}"
            )

    def _make_room(self) -> bool:
        oldest = min(self._tasks, key=lambda connection: connection.last_heard)
        if time.monotonic() - oldest.last_heard < IDLE_SECONDS:
            return False
        oldest.finish()
        return True

    async def _serve(self, connection: Connection) -> None:
        try:
            await self._take(connection)
        except Exception:
            # The listener must outlive any fault of one connection.
            log.exception("%s: a connection from %s failed", self._name, connection.sender)
        finally:
            connection.close()
            self._tasks.pop(connection, None)


def _keep_alive(tcp: socket.socket) -> None:
    """Notice peers that are gone without a word."""
    with suppress(OSError):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                tcp.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
