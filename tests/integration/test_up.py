"""`logstream up` as a user meets it: real processes, really killed."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from logstream.cli import APP
from logstream.land.embedded import holder
from tests.conftest import with_database

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60


class RunningUp:
    """An `up` whose output can be waited for."""

    def __init__(self, data_dir: Path, *options: str, **environment: str) -> None:
        self.port, self.dashboard_port = free_port(), free_port()
        self.data_dir = data_dir
        self.seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "logstream", "up", "--data-dir", str(data_dir)),
                *("--port", str(self.port), "--dashboard-port", str(self.dashboard_port)),
                *options,
            ],
            cwd=APP.parent,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str) -> str:
        """The first line still to come that matches."""
        while True:
            line = self._lines.get(timeout=PATIENCE_SECONDS)
            assert line is not None, "up ended:\n" + "".join(self.seen)
            self.seen.append(line)
            if re.search(pattern, line):
                return line

    def wait_until_ready(self) -> None:
        self.wait_for("stop it with Ctrl-C")

    def children(self) -> dict[str, psutil.Process]:
        """The parts by name; the database server is `postgres`."""
        found = {}
        for process in psutil.Process(self.process.pid).children():
            words = process.cmdline()
            if words:
                name = words[words.index("--supervised") + 1] if "--supervised" in words else None
                found[name or process.name()] = process
        return found

    def post(self, message: str) -> int:
        reply = httpx.post(
            f"http://127.0.0.1:{self.port}/logs/ingest",
            json={"source": "checkout", "severity": "info", "message": message},
            timeout=PATIENCE_SECONDS,
        )
        return reply.status_code

    def messages(self) -> list[str]:
        reply = httpx.get(f"http://127.0.0.1:{self.port}/logs/recent")
        return [line["message"] for line in reply.json()]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> None:
        """For the end of a test: nothing stays, whatever happened."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE_SECONDS)
            finally:
                if self.process.poll() is None:
                    self.process.kill()
                    self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_alive(process: psutil.Process) -> bool:
    """An orphan that ended may stay as a zombie where process 1 does not reap."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(claim: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., RunningUp]]:
    """Starts an `up` on tmp_path/data; all are ended with the test."""
    started: list[RunningUp] = []

    def start(*options: str, **environment: str) -> RunningUp:
        started.append(RunningUp(tmp_path / "data", *options, **environment))
        return started[-1]

    yield start
    for running in started:
        running.end()


def test_up_announces_its_addresses_answers_and_stops_cleanly(
    up: Callable[..., RunningUp],
) -> None:
    running = up()
    running.wait_until_ready()
    said = "".join(running.seen)
    assert f"http://127.0.0.1:{running.port}/logs/ingest" in said
    assert f"http://127.0.0.1:{running.port}/docs" in said
    assert f"http://127.0.0.1:{running.dashboard_port}" in said
    assert running.is_ready()
    assert httpx.get(f"http://127.0.0.1:{running.dashboard_port}/_stcore/health").text == "ok"
    assert running.post("a first line") == 201
    assert "a first line" in running.messages()
    family = psutil.Process(running.process.pid).children(recursive=True)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE_SECONDS) == 0
    assert not [process for process in family if is_alive(process)]
    assert holder(running.data_dir) is None


def test_up_announces_listeners_and_one_of_several_processes_listens(
    up: Callable[..., RunningUp],
) -> None:
    port = free_port()
    running = up("--no-dashboard", LOGSTREAM_SYSLOG_PORT=str(port), LOGSTREAM_WORKERS="2")
    running.wait_until_ready()
    assert f"syslog      UDP and TCP 127.0.0.1:{port}" in "".join(running.seen)
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"<14>by syslog\n")
    assert eventually(lambda: running.messages() == ["by syslog"])


def test_lines_are_kept_from_one_up_to_the_next(up: Callable[..., RunningUp]) -> None:
    first = up("--no-dashboard")
    first.wait_until_ready()
    assert first.post("stored by the first") == 201
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(PATIENCE_SECONDS) == 0
    second = up("--no-dashboard")
    second.wait_until_ready()
    assert "stored by the first" in second.messages()


def test_parts_that_are_killed_are_started_again(up: Callable[..., RunningUp]) -> None:
    running = up("--no-dashboard")
    running.wait_until_ready()
    assert running.post("before") == 201
    for name in ("serve", "worker"):
        victim = running.children()[name]
        victim.kill()
        line = running.wait_for(f"^{name} .*stopped by signal 9")
        assert "(2nd start)" in line

        def is_back(name: str = name, old: int = victim.pid) -> bool:
            child = running.children().get(name)
            return child is not None and child.pid != old

        assert eventually(is_back)
    assert eventually(running.is_ready)
    assert running.messages() == ["before"]


def test_a_killed_database_is_started_again_and_keeps_every_line(
    up: Callable[..., RunningUp],
) -> None:
    running = up("--no-dashboard")
    running.wait_until_ready()
    assert running.post("committed before the crash") == 201
    running.children()["postgres"].kill()
    running.wait_for("database .*stopped by signal 9")
    running.wait_for("database .*started again")

    def lands() -> bool:
        return running.post("after the crash") == 201

    assert eventually(lands)
    assert "committed before the crash" in running.messages()


def test_parts_do_not_outlive_an_up_that_is_killed_and_the_next_one_recovers(
    up: Callable[..., RunningUp],
) -> None:
    running = up()
    running.wait_until_ready()
    assert running.post("acknowledged") == 201
    parts = running.children()
    running.process.kill()
    running.process.wait()
    assert eventually(lambda: not any(map(is_alive, parts.values())))
    second = up("--no-dashboard")
    second.wait_until_ready()
    assert "acknowledged" in second.messages()


def test_a_database_that_is_removed_while_in_use_ends_up_at_once(
    up: Callable[..., RunningUp],
) -> None:
    running = up("--no-dashboard")
    running.wait_until_ready()
    assert running.post("stored") == 201
    shutil.rmtree(running.data_dir)
    line = running.wait_for("^logstream: ")
    assert "was removed or unmounted while in use; bring the directory back" in line
    assert running.process.wait(PATIENCE_SECONDS) == 2
    assert "Traceback" not in "".join(running.seen)


def test_a_taken_port_is_one_clear_line_at_start(
    tmp_path: Path, up: Callable[..., RunningUp]
) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        refused = subprocess.run(
            [
                *(sys.executable, "-m", "logstream", "up", "--data-dir", str(tmp_path)),
                *("--port", str(port), "--dashboard-port", str(free_port())),
            ],
            cwd=APP.parent,
            capture_output=True,
            text=True,
        )
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"logstream: port {port} is taken by process {os.getpid()} (")
    assert "choose another with --port (LOGSTREAM_PORT)" in line


def test_a_second_up_on_the_same_directory_is_told_who_holds_it(
    up: Callable[..., RunningUp],
) -> None:
    first = up("--no-dashboard")
    first.wait_until_ready()
    second = up("--no-dashboard")
    line = second.wait_for("logstream: ")
    assert f"is in use by process {first.process.pid} (logstream up, since " in line
    assert second.process.wait(PATIENCE_SECONDS) == 2
    assert first.post("undisturbed") == 201


def test_a_database_url_with_a_wrong_name_is_one_clear_line(
    up: Callable[..., RunningUp], postgres_url: str
) -> None:
    refused = up(DATABASE_URL=with_database(postgres_url, "no_such_database"))
    line = refused.wait_for("logstream: ")
    assert "DATABASE_URL cannot be used" in line
    assert 'database "no_such_database" does not exist' in line
    assert refused.process.wait(PATIENCE_SECONDS) == 2
