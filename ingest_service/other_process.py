"""One further ingest process as the first one sees it: kept running, asked, listened to.

Between the two is one pipe. It brings connections that are handed over, and answers.
"""

import logging
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import Any, NamedTuple

import msgspec

from ingest_service.shared_port import Board
from logstream.parts import Backoff, how_it_ended, ordinal
from logstream.totals import Report, Totals

log = logging.getLogger(__name__)

ANSWER_SECONDS = 1.0
# How a message to the first process begins: what was read of a connection, whose descriptor
# follows; or the answer to a question.
CONNECTION, ANSWER = b"c", b"a"
# The question that is answered unasked, with number 0, when a process begins and ends.
REPORT = "report"
# What it remembers while the database is away: lines of a filter as [URL parameters, now],
# and the line of an id.
LINES, LINE = "lines", "line"

# Takes a connection that was handed over, and what was read of it.
Adopt = Callable[[socket.socket, bytes], None]


class Question(msgspec.Struct, array_like=True):
    """What the first process asks of another."""

    number: int
    name: str
    argument: Any = None


class Answer(msgspec.Struct, array_like=True):
    """The reply to the question of the same number, its content encoded."""

    number: int
    content: msgspec.Raw


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


@dataclass
class _Started:
    """The running process, and our end of its pipe."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    since: float
    # None: the pipe is closed, nobody needs to wait any longer.
    answers: queue.SimpleQueue[Answer | None] = field(default_factory=queue.SimpleQueue)
    listening: threading.Thread | None = None


class OtherProcess:
    """One further process; `tend` it regularly. `ask` and `reports` may be called by any thread."""

    def __init__(self, place: Place, board: Board, environment: dict[str, str]) -> None:
        self._place = place
        self._board = board
        self._environment = environment
        self._started: _Started | None = None
        self._backoff = Backoff()
        self._next_start = 0.0
        self._asking = threading.Lock()
        self._numbers = count(1)
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

    def ask(self, name: str, argument: Any = None) -> bytes | None:
        """The encoded answer; None when it does not answer (yet, or any more)."""
        with self._asking:
            started = self._started
            if started is None or self._latest is None:
                return None
            question = Question(next(self._numbers), name, argument)
            deadline = time.monotonic() + ANSWER_SECONDS
            with suppress(OSError, queue.Empty):
                started.pipe.send_bytes(msgspec.msgpack.encode(question))
                while True:
                    answer = started.answers.get(timeout=max(0.0, deadline - time.monotonic()))
                    if answer is None or answer.number == question.number:
                        return None if answer is None else bytes(answer.content)
            return None

    def reports(self) -> list[Report]:
        """What it counts now, and what those before it counted."""
        answer = self.ask(REPORT)
        with self._asking:
            if answer is not None and self._latest is not None:
                self._latest = msgspec.msgpack.decode(answer, type=Report)
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
        self._backoff.starts += 1
        started = self._started = _Started(process, ours, now)
        started.listening = threading.Thread(
            target=self._listen, args=(started, adopt), name="worker-pipe", daemon=True
        )
        started.listening.start()

    def _listen(self, started: _Started, adopt: Adopt) -> None:
        with suppress(EOFError, OSError, RuntimeError):  # killed, maybe in mid-message
            while True:
                message = started.pipe.recv_bytes()
                if message[:1] == CONNECTION:
                    adopt(socket.socket(fileno=recv_handle(started.pipe)), message[1:])
                    continue
                answer = msgspec.msgpack.decode(message[1:], type=Answer)
                if answer.number == 0:
                    self._latest = msgspec.msgpack.decode(answer.content, type=Report)
                else:
                    started.answers.put(answer)
        started.answers.put(None)

    def _forget(self, started: _Started) -> None:
        """It has ended; what it counted stays."""
        self._board.leave(self._place.number)
        if started.process.stdin is not None:
            started.process.stdin.close()
        if started.listening is not None:
            started.listening.join()  # the pipe's other end is closed, so this ends too
        with self._asking:
            started.pipe.close()
            self._started = None
            if self._latest is not None:
                ended = [one for one in (self._latest, self._ended) if one is not None]
                self._ended = Totals(ended).as_report().without_gauges()
                self._latest = None
