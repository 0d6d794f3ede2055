"""Several ingest processes: the first starts the others, keeps them up and speaks for all.

Each lands by itself. What has state (hub, negotiation, answers, numbers) is the first
one's; see shared_port.py. Between the first and each other there is one pipe: it brings
connections that were handed over, and reports of what was counted.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import NamedTuple

import msgspec
import uvicorn

from ingest_service.shared_port import Board, SharingServer
from logstream import wiring
from logstream.parts import Backoff, how_it_ended, ordinal
from logstream.settings import Settings
from logstream.totals import Report, Totals, report

log = logging.getLogger(__name__)

STOP_WITHIN_SECONDS = 3.5
REPORT_SECONDS = 1.0
_CONNECTION, _REPORT, _ASK = b"c", b"r", b"?"

# Takes a connection that was handed over, and what was read of it.
Adopt = Callable[[socket.socket, bytes], None]


class Place(NamedTuple):
    """Where a further process finds what it shares, as its command line says it."""

    number: int
    processes: int
    listener: int
    board: int
    pipe: int

    def arguments(self) -> tuple[str, ...]:
        """The hidden option of `serve`."""
        return ("--further", *map(str, self))


def share(settings: Settings) -> Settings:
    """The settings of one of the processes: together they keep to the service's limits."""
    return settings.model_copy(
        update={
            "max_pending_bytes": settings.max_pending_bytes // settings.workers,
            "spool_max_bytes": settings.spool_max_bytes // settings.workers,
        }
    )


class FurtherProcess:
    """This process as one that the first has started."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.board = Board(place.board, place.processes)
        self.pipe = Connection(place.pipe)
        # Replaced by whoever builds the service: with what its parts count, too.
        self.own_report: Callable[[], Report] = report

    def is_heard(self, _group: str) -> bool:
        """Whether the first process's hub has clients; in which groups, it knows."""
        return self.board.hub_clients > 0

    def reports(self) -> Sequence[Report]:
        """None: who asks is sent to the first process."""
        return ()

    def run(self, config: uvicorn.Config) -> None:
        """Serve until SIGINT or SIGTERM, or until the first process has ended."""
        _FurtherServer(config, self).run()


class _FurtherServer(SharingServer):
    def __init__(self, config: uvicorn.Config, process: FurtherProcess) -> None:
        listener = socket.socket(fileno=process.place.listener)
        super().__init__(config, listener, process.board, process.place.number, self._hand_over)
        self._pipe = process.pipe
        self._process = process

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._asked)
        self._send_report()  # the first: from now on we can be asked

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        await super().shutdown(sockets)
        with suppress(OSError):
            self._send_report()  # the last: what it says stays counted

    def _asked(self) -> None:
        try:
            self._pipe.recv_bytes()
            self._send_report()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            self.should_exit = True

    def _send_report(self) -> None:
        self._pipe.send_bytes(_REPORT + msgspec.msgpack.encode(self._process.own_report()))

    def _hand_over(self, descriptor: int, read: bytes) -> None:
        with suppress(OSError):  # the first process has ended, so do we
            self._pipe.send_bytes(_CONNECTION + read)
            send_handle(self._pipe, descriptor, os.getpid())


class FirstProcess:
    """This process as the one that was started as the service, and all the others."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.listener = listener
        self.board = Board.create(settings.workers)
        environment = {
            **os.environ,
            "DATABASE_URL": wiring.database_url(settings),
            "LOGSTREAM_PORT": str(settings.port),
            "LOGSTREAM_WORKERS": str(settings.workers),
            "LOGSTREAM_DATA_DIR": str(settings.data_dir.expanduser().absolute()),
        }
        self.others = [
            _Other(
                Place(number, settings.workers, listener.fileno(), self.board.descriptor, -1),
                self.board,
                environment,
            )
            for number in range(2, settings.workers + 1)
        ]
        # Replaced by whoever builds the service: with what its parts count, too.
        self.own_report: Callable[[], Report] = report

    def reports(self) -> Sequence[Report]:
        """What the others counted, those that have ended included."""
        return [one for other in self.others for one in other.reports()]

    def run(self, config: uvicorn.Config) -> None:
        """Serve and keep the others up until SIGINT or SIGTERM."""
        self.listener.listen(config.backlog)
        _FirstServer(config, self).run()


class _FirstServer(SharingServer):
    def __init__(self, config: uvicorn.Config, process: FirstProcess) -> None:
        super().__init__(config, process.listener, process.board, 1)
        self._others = process.others
        self._tending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()

        def adopt(connection: socket.socket, read: bytes) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self.adopt, connection, read)

        self._tending = asyncio.create_task(self._tend(adopt), name="workers")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """All at the same time, so that many take no longer than one."""
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        if self._tending is not None:
            self._tending.cancel()
        for other in self._others:
            other.ask_to_stop()
        await super().shutdown(sockets)
        for other in self._others:
            await asyncio.to_thread(other.wait_stopped, deadline)

    async def _tend(self, adopt: Adopt) -> None:
        while not self.should_exit:
            for other in self._others:
                other.tend(adopt)
            await asyncio.sleep(0.1)


@dataclass
class _Started:
    """A further process, and our end of its pipe."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    listening: threading.Thread
    since: float


class _Other:
    """One further process that is kept running."""

    def __init__(self, place: Place, board: Board, environment: dict[str, str]) -> None:
        self._place = place
        self._board = board
        self._environment = environment
        self._started: _Started | None = None
        self._backoff = Backoff()
        self._next_start = 0.0
        self._asking = threading.Lock()
        self._has_reported = threading.Event()
        self._latest: Report | None = None
        self._ended: Report | None = None

    def tend(self, adopt: Adopt) -> None:
        """Start the process when it is due; notice its end."""
        now = time.monotonic()
        if self._started is None:
            if now >= self._next_start:
                self._start(adopt, now)
            return
        code = self._started.process.poll()
        if code is None:
            return
        pause = self._backoff.pause_after(now - self._started.since)
        self._next_start = now + pause
        self._forget(self._started)
        log.warning(
            "process %d of %d stopped %s; starting it again in %g s (%s start)",
            self._place.number,
            self._place.processes,
            how_it_ended(code),
            pause,
            ordinal(self._backoff.starts + 1),
        )

    def reports(self) -> list[Report]:
        """What it counts now, and what those before it counted."""
        with self._asking:
            if self._started is not None and self._latest is not None:
                self._has_reported.clear()
                with suppress(OSError):
                    self._started.pipe.send_bytes(_ASK)
                    self._has_reported.wait(REPORT_SECONDS)
            return [one for one in (self._latest, self._ended) if one is not None]

    def ask_to_stop(self) -> None:
        """Let it land what it has accepted, and end."""
        if self._started is not None:
            self._started.process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Wait until the deadline (monotonic), then kill."""
        if self._started is not None:
            process = self._started.process
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %d did not stop in time; killed", self._place.number)
                process.kill()
                process.wait()
            self._forget(self._started)

    def _start(self, adopt: Adopt, now: float) -> None:
        ours, theirs = Pipe()
        place = self._place._replace(pipe=theirs.fileno())
        process = subprocess.Popen(
            [sys.executable, "-m", "logstream", "--supervised", "serve", *place.arguments()],
            stdin=subprocess.PIPE,  # never written: it closes when we end, however we end
            env=self._environment,
            pass_fds=(place.listener, place.board, place.pipe),
        )
        theirs.close()
        listening = threading.Thread(
            target=self._listen, args=(ours, adopt), name="worker-pipe", daemon=True
        )
        listening.start()
        self._backoff.starts += 1
        self._started = _Started(process, ours, listening, now)

    def _listen(self, pipe: Connection, adopt: Adopt) -> None:
        with suppress(EOFError, OSError, RuntimeError):  # killed, maybe in mid-message
            while True:
                message = pipe.recv_bytes()
                kind, content = message[:1], message[1:]
                if kind == _CONNECTION:
                    adopt(socket.socket(fileno=recv_handle(pipe)), content)
                else:
                    self._latest = msgspec.msgpack.decode(content, type=Report)
                    self._has_reported.set()
        self._has_reported.set()  # nobody needs to wait any longer

    def _forget(self, started: _Started) -> None:
        """It has ended; what it counted stays."""
        self._board.leave(self._place.number)
        if started.process.stdin is not None:
            started.process.stdin.close()
        started.listening.join()  # the pipe's other end is closed, so this ends too
        with self._asking:
            started.pipe.close()
            self._started = None
            if self._latest is not None:
                ended = [one for one in (self._latest, self._ended) if one is not None]
                self._ended = Totals(ended).as_report().without_gauges()
                self._latest = None
