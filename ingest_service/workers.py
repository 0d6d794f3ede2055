"""Several ingest processes: the first starts the others, keeps them up and speaks for all.

Each lands by itself. What has state (hub, negotiation, answers, numbers) is the first
one's; see shared_port.py for how a request gets there.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any

import msgspec
import uvicorn

from ingest_service.other_process import (
    ANSWER,
    CONNECTION,
    LINE,
    LINES,
    REPORT,
    Answer,
    OtherProcess,
    Place,
    Question,
)
from ingest_service.shared_port import Board, SharingServer
from logstream import metrics, wiring
from logstream.filter import LogFilter
from logstream.model import LogLine
from logstream.settings import Settings
from logstream.totals import Report, Totals

STOP_WITHIN_SECONDS = 3.5


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
        # What the first process may ask, by name; filled by whoever builds the service.
        self.answers: dict[str, Callable[[Any], object]] = {}

    def is_heard(self, _group: str) -> bool:
        """Whether the first process's hub has clients; in which groups, it knows."""
        return self.board.hub_clients > 0

    def run(self, config: uvicorn.Config) -> None:
        """Serve until SIGINT or SIGTERM, or until the first process has ended."""
        _FurtherServer(config, self).run()


class _FurtherServer(SharingServer):
    def __init__(self, config: uvicorn.Config, process: FurtherProcess) -> None:
        listener = socket.socket(fileno=process.place.listener)
        super().__init__(config, listener, process.board, process.place.number, self._hand_over)
        self._pipe = process.pipe
        self._answers = process.answers

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._asked)
        self._answer(Question(0, REPORT))  # from now on we can be asked

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        await super().shutdown(sockets)
        with suppress(OSError):
            self._answer(Question(0, REPORT))  # what this one says stays counted

    def _asked(self) -> None:
        try:
            self._answer(msgspec.msgpack.decode(self._pipe.recv_bytes(), type=Question))
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            self.should_exit = True

    def _answer(self, question: Question) -> None:
        content = self._answers[question.name](question.argument)
        answer = Answer(question.number, msgspec.Raw(msgspec.msgpack.encode(content)))
        self._pipe.send_bytes(ANSWER + msgspec.msgpack.encode(answer))

    def _hand_over(self, descriptor: int, read: bytes) -> None:
        with suppress(OSError):  # the first process has ended, so do we
            self._pipe.send_bytes(CONNECTION + read)
            send_handle(self._pipe, descriptor, os.getpid())


class FirstProcess:
    """This process as the one that was started as the service, and all the others."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.listener = listener
        self.board = Board.create(settings.workers)
        environment = {
            **os.environ,
            "DATABASE_URL": wiring.database_url(settings),
            "LOGSTREAM_HOST": settings.host,
            "LOGSTREAM_PORT": str(settings.port),
            "LOGSTREAM_WORKERS": str(settings.workers),
            "LOGSTREAM_DATA_DIR": str(settings.data_dir.expanduser().absolute()),
        }
        self.others = [
            OtherProcess(
                Place(number, settings.workers, listener.fileno(), self.board.descriptor, -1),
                self.board,
                environment,
            )
            for number in range(2, settings.workers + 1)
        ]

    def reports(self) -> Sequence[Report]:
        """What the others counted, those that have ended included."""
        return [one for other in self.others for one in other.reports()]

    def matching(self, log_filter: LogFilter, now_unix_nano: int) -> list[LogLine]:
        """The lines that the others remember; see RecentLines."""
        asked = (log_filter.to_url(), now_unix_nano)
        answers = [other.ask(LINES, asked) for other in self.others]
        return [
            line
            for answer in answers
            if answer is not None
            for line in msgspec.msgpack.decode(answer, type=list[LogLine])
        ]

    def line(self, line_id: int) -> LogLine | None:
        """The line with this id when one of the others remembers it."""
        for other in self.others:
            answer = other.ask(LINE, line_id)
            line = None if answer is None else msgspec.msgpack.decode(answer, type=LogLine | None)
            if line is not None:
                return line
        return None

    def spooled_lines(self) -> int:
        """Lines in the spools of the others."""
        return Totals(self.reports()).value(metrics.SPOOL_LINES)

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

    async def _tend(self, adopt: Callable[[socket.socket, bytes], None]) -> None:
        while not self.should_exit:
            for other in self._others:
                other.tend(adopt)
            await asyncio.sleep(0.1)
