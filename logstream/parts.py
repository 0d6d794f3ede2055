"""One process that is kept running, and the terminal all of them share."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TextIO

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STABLE_AFTER_SECONDS = 60.0
COLOURS = {"serve": 36, "worker": 35, "dashboard": 34, "simulate": 32, "database": 33}

_screen = threading.Lock()


def say(name: str, line: str) -> None:
    """One line on the terminal, whole, behind the name of the part it comes from."""
    label = f"{name:<9} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        label = f"\x1b[{COLOURS.get(name, 1)}m{label}\x1b[0m"
    with _screen, suppress(OSError, ValueError):  # the terminal may be gone
        print(label, line, flush=True)


class Backoff:
    """How long to wait before the next start: doubling, forgotten after a stable while."""

    def __init__(self) -> None:
        self.starts = 0
        self._pause = FIRST_PAUSE_SECONDS

    def pause_after(self, lived_seconds: float) -> float:
        if lived_seconds >= STABLE_AFTER_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        pause = self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


class Part:
    """One process that is kept running: `python -m logstream <name> <arguments…>`.

    The arguments in `at_first` are given to the first start only.
    """

    def __init__(
        self,
        name: str,
        environment: dict[str, str],
        arguments: tuple[str, ...] = (),
        at_first: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._at_first = at_first
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._backoff = Backoff()
        self._started_at = 0.0
        self._next_start = 0.0
        self.exit_code: int | None = None

    def tend(self) -> None:
        """Starts the process when it is due; notices and announces its end."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                self._start(now)
            return
        code = self._process.poll()
        if code is None:
            return
        self.signal_group(signal.SIGKILL)  # what it had started must not keep its port
        self._process = None
        self.exit_code = code
        pause = self._backoff.pause_after(now - self._started_at)
        self._next_start = now + pause
        say(
            self.name,
            f"stopped {how_it_ended(code)}; starting it again in {pause:g} s "
            f"({ordinal(self._backoff.starts + 1)} start)",
        )

    def _start(self, now: float) -> None:
        arguments = self._arguments + (() if self._backoff.starts else self._at_first)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "logstream", "--supervised", self.name, *arguments],
            stdin=subprocess.PIPE,  # never written: it closes when we end, however we end
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
        )
        self._started_at = now
        self._backoff.starts += 1
        threading.Thread(
            target=_pass_on, args=(self.name, self._process.stdout), daemon=True
        ).start()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def signal_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def ask_to_stop(self) -> None:
        if self.is_running() and self._process is not None:
            self._process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Waits until the deadline (monotonic), then kills."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(self.name, "did not stop in time; killed")
        self.signal_group(signal.SIGKILL)
        self._process.wait()
        self._process = None


def how_it_ended(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def ordinal(number: int) -> str:
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else last}"


def _pass_on(name: str, output: TextIO) -> None:
    with output:
        for line in output:
            say(name, line.rstrip("\n"))
