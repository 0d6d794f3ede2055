"""UDP: datagrams are taken from the socket at once and landed as the store allows.

UDP has no way to slow a sender down. What finds no room here or in the kernel is counted.
"""

import asyncio
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ingest_service.listeners.landing import Lander
from ingest_service.listeners.networks import Networks, SeldomLine
from logstream import metrics
from logstream.model import LogRecord, Reject
from logstream.receive.native_values import Defaults

log = logging.getLogger(__name__)

# Room in the kernel for a burst of ten thousand while we are busy: about 1 KiB each there.
RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024
MAX_WAITING = 200_000
MAX_WAITING_BYTES = 64 * 1024 * 1024
MAX_DATAGRAMS_A_TURN = 2_000
MAX_DATAGRAMS_A_BATCH = 4_000
# Decoding pauses so often for the socket to be read: about every millisecond.
SLICE = 64
_OVERHEAD_BYTES = 200
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("9I")

# (datagram, what it takes when it does not say, index, sender); None when more has to come.
ReadDatagram = Callable[[bytes, Defaults, int, str], LogRecord | Reject | None]


class DatagramListener:
    """One UDP socket; start, then close to land what was received."""

    def __init__(
        self,
        udp: socket.socket,
        read: ReadDatagram,
        lander: Lander,
        networks: Networks,
        naive_timezone: str,
    ) -> None:
        self._socket = udp
        self._read = read
        self._lander = lander
        self._networks = networks
        self._naive_timezone = naive_timezone
        self._name = lander.format_name
        self._waiting: deque[tuple[bytes, int, str]] = deque()
        self._waiting_bytes = 0
        self._kernel_drops = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None
        self._dropped_line = SeldomLine(
            self._name, "datagrams dropped: they came faster than they could be stored"
        )

    def start(self) -> None:
        """Begin to receive."""
        self._kernel_drops = kernel_drops(self._socket)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)
        self._task = asyncio.create_task(self._land_all(), name=self._name)

    async def close(self) -> None:
        """Take what the kernel still has, land all, then close the socket."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._receive(MAX_WAITING)
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._dropped_line.say()
        self._socket.close()

    def drop(self, datagrams: int, reason: str) -> None:
        """Count datagrams that are not stored."""
        metrics.DATAGRAMS_DROPPED.labels(self._name, reason).inc(datagrams)
        if reason != "network":
            self._dropped_line.count(datagrams)

    def _receive(self, at_most: int = MAX_DATAGRAMS_A_TURN) -> None:
        receive, allow, waiting = self._socket.recvfrom, self._networks.allow, self._waiting
        for _ in range(at_most):
            try:
                datagram, address = receive(65_535)
            except OSError:  # nothing there, or the error of an earlier send
                break
            sender = address[0]
            if not allow(sender, self._name):
                self.drop(1, "network")
                continue
            size = len(datagram) + _OVERHEAD_BYTES
            if len(waiting) >= MAX_WAITING or self._waiting_bytes + size > MAX_WAITING_BYTES:
                self.drop(1, "queue_full")
                continue
            self._waiting_bytes += size
            waiting.append((datagram, time.time_ns() // 1_000 * 1_000, sender))
        if waiting:
            self._wake.set()

    async def _land_all(self) -> None:
        while True:
            if not self._waiting:
                if self._is_closing:
                    return
                await self._wake.wait()
                self._wake.clear()
                continue
            try:
                await self._land_some()
            except Exception:
                # The listener must outlive any fault of one batch.
                log.exception("%s: a batch could not be landed", self._name)
            self._count_kernel_drops()

    async def _land_some(self) -> None:
        records: list[LogRecord] = []
        rejects: list[Reject] = []
        size = 0
        environment, zone = self._lander.environment, self._naive_timezone
        for index in range(min(len(self._waiting), MAX_DATAGRAMS_A_BATCH)):
            if index % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            datagram, received, sender = self._waiting.popleft()
            self._waiting_bytes -= len(datagram) + _OVERHEAD_BYTES
            size += len(datagram)
            outcome = self._read(datagram, Defaults(received, environment, zone), index, sender)
            if isinstance(outcome, LogRecord):
                records.append(outcome)
            elif outcome is not None:
                rejects.append(outcome)
        await self._lander.land(records, rejects, size)

    def _count_kernel_drops(self) -> None:
        drops = kernel_drops(self._socket)
        if drops != self._kernel_drops:
            self.drop((drops - self._kernel_drops) % 2**32, "kernel")
            self._kernel_drops = drops


def enlarge_receive_buffer(udp: socket.socket) -> int:
    """Ask the kernel for room for a burst; gives the bytes that it granted."""
    with suppress(OSError):
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < RECEIVE_BUFFER_BYTES:
        with suppress(OSError):  # Linux, with CAP_NET_ADMIN: beyond net.core.rmem_max
            udp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    return udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def kernel_drops(udp: socket.socket) -> int:
    """How many datagrams the kernel dropped for want of room; 0 where it does not say."""
    try:
        info = udp.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(info)[-1])
    except (OSError, struct.error):
        return 0
