"""A LogStream of the bench's own: embedded database, one service process, free port."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from logstream.land.embedded import EmbeddedPostgres
from logstream.wiring import migrate
from tests.service_thread import free_port

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Machine:
    """Where the parts of one running bench are."""

    base: str
    port: int
    database_url: str
    data_dir: Path
    service: subprocess.Popen[bytes]
    postgres_pid: int

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU used so far by (the service, PostgreSQL), each with its children."""
        return _cpu_of_tree(self.service.pid), _cpu_of_tree(self.postgres_pid)


def _cpu_of_tree(pid: int) -> float:
    """Seconds. A child that ended is in children_*; the ones alive are asked one by one."""
    parent = psutil.Process(pid)
    used = parent.cpu_times()
    total = used.user + used.system + used.children_user + used.children_system
    for child in parent.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@contextmanager
def scratch_dir() -> Iterator[Path]:
    """A data directory, gone without trace afterwards."""
    path = Path(tempfile.mkdtemp(prefix="logstream-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def machine(**settings: str) -> Iterator[Machine]:
    """A fresh one, gone without trace afterwards."""
    port = free_port()
    with scratch_dir() as data_dir, EmbeddedPostgres(data_dir, "the bench") as postgres:
        migrate(postgres.url)
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "LOGSTREAM_DATA_DIR": str(data_dir),
            "LOGSTREAM_PORT": str(port),
            **settings,
        }
        service = subprocess.Popen(
            [sys.executable, "-m", "logstream", "serve"], cwd=ROOT, env=environment
        )
        base = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(base)
            assert postgres.pid is not None
            yield Machine(base, port, postgres.url, data_dir, service, postgres.pid)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(20)


def wait_until_ready(base: str) -> None:
    """Until /health/ready of the service at `base` answers 200."""
    for _ in range(600):
        try:
            if httpx.get(f"{base}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{base} did not become ready")
