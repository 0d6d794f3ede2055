"""A LogStream of real processes, as tests and the soak hold, kill and start it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from logstream.land.embedded_place import server_url, socket_dir
from scripts.soak.load import ROOT

PATIENCE_SECONDS = 60.0


class Service:
    """`logstream up --no-dashboard` under a data directory, or `serve` on a given database.

    What the processes say is appended to `<data_dir>.log`.
    """

    def __init__(self, data_dir: Path, database_url: str | None = None, **environment: str) -> None:
        self.data_dir = data_dir.absolute()
        self.said = self.data_dir.with_suffix(".log")
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url or server_url(socket_dir(self.data_dir))
        if database_url is None:
            self._command = ["up", "--no-dashboard"]
        else:
            self._command = ["serve"]
            environment["DATABASE_URL"] = database_url
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it is ready."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "logstream", *self._command),
                    *("--port", str(self.port), "--data-dir", str(self.data_dir)),
                ],
                cwd=ROOT,
                env=self._environment,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self.wait_until_ready()

    def wait_until_ready(self, within_seconds: float = PATIENCE_SECONDS) -> None:
        """Until /health/ready answers 200; raises TimeoutError or ChildProcessError."""
        deadline = time.monotonic() + within_seconds
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            if self._process is not None and self._process.poll() is not None:
                raise ChildProcessError(f"it ended; {self.said} says why")
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is not ready after {within_seconds} s; see {self.said}")
            time.sleep(0.1)

    def part(self, name: str) -> psutil.Process | None:
        """The process called so (`up`, `serve`, `worker`, `postgres`), None without one."""
        if self._process is None:
            return None
        try:
            top = psutil.Process(self._process.pid)
            if name == self._command[0]:
                return top
            for child in top.children():
                with suppress(psutil.NoSuchProcess):
                    words = child.cmdline()
                    if words[-1:] == [name] or (child.name() == name == "postgres"):
                        return child
        except psutil.NoSuchProcess:
            pass
        return None

    def family(self, name: str) -> list[psutil.Process]:
        """The part and the processes it has started."""
        part = self.part(name)
        if part is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return [part, *part.children(recursive=True)]
        return []

    def kill(self) -> None:
        """kill -9 of the top process; returns when nothing that it had started is left."""
        if self._process is None:
            return
        family = self.family(self._command[0])
        self._process.kill()
        self._process.wait()
        psutil.wait_procs([one for one in family if one.pid != self._process.pid], timeout=30)
        self._process = None

    def stop(self) -> None:
        """An orderly stop; kills what does not."""
        if self._process is None:
            return
        for one in self.family(self._command[0]):
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def memory_megabytes(self) -> dict[str, float]:
        """Memory of each part with what it started; shared pages are counted in part."""
        return {
            name: sum(_memory(one) for one in self.family(name)) / 1_048_576
            for name in ("serve", "worker", "postgres")
        }


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
