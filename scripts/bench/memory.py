"""What each process holds after minutes of steady load: `up` with everything, worker included.

BENCH_MEMORY_MINUTES (default 1; the README quotes 10) and BENCH_MEMORY_RATE (lines/s).
The bound is the budget of each process; nothing here is timed.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg

from logstream.land.embedded import running_url
from scripts.bench.lines import make_lines
from scripts.bench.machine import ROOT, scratch_dir, wait_until_ready
from scripts.bench.report import Row, table
from tests.service_thread import free_port

MINUTES = float(os.environ.get("BENCH_MEMORY_MINUTES", "1"))
RATE = int(os.environ.get("BENCH_MEMORY_RATE", "20000"))
LINES_PER_BODY = 1_000
BUDGETS_MB = {"serve": 250, "worker": 300, "dashboard": 350}
_PART = re.compile(r"-m logstream --supervised (\w+)")


@contextmanager
def everything(data_dir: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A running `up` and the address of its service."""
    port, dashboard_port = free_port(), free_port()
    ports = ["--port", str(port), "--dashboard-port", str(dashboard_port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "logstream", "up", "--data-dir", str(data_dir), *ports],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(base)
        yield psutil.Process(process.pid), base
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def load(base: str) -> int:
    """Send at the rate until the time is over; the lines that were stored."""
    lines = make_lines(20 * LINES_PER_BODY)
    bodies = [
        b"\n".join(lines[at : at + LINES_PER_BODY]) for at in range(0, len(lines), LINES_PER_BODY)
    ]
    pause = LINES_PER_BODY / RATE
    sent, started = 0, time.monotonic()
    with httpx.Client(base_url=base, timeout=60) as client:
        while (due := started + sent * pause) < started + MINUTES * 60:
            time.sleep(max(0.0, due - time.monotonic()))
            reply = client.post("/logs/ingest", content=bodies[sent % len(bodies)])
            reply.raise_for_status()
            sent += 1
    return sent * LINES_PER_BODY


def held(up: psutil.Process) -> dict[str, float]:
    """Megabytes of each part: what only it holds, and for PostgreSQL its shared pages once."""
    found: dict[str, float] = {}
    for child in up.children(recursive=True):
        part = _PART.search(" ".join(child.cmdline()))
        name = part[1] if part else "PostgreSQL" if "postgres" in child.name() else "other"
        memory = child.memory_full_info()
        # PSS shares a page among those that map it: a sum over PostgreSQL's processes is right.
        found[name] = found.get(name, 0) + getattr(memory, "pss", memory.uss) / 2**20
    return found


def run() -> list[Row]:
    """Megabytes a process, and what the database holds for a line, hot and sealed."""
    with scratch_dir() as data_dir, everything(data_dir) as (up, base):
        lines = load(base)
        rows = [Row("load", "lines", lines), Row("load", "lines/s asked for", RATE)]
        for name, megabytes in sorted(held(up).items()):
            budget = f" (budget {BUDGETS_MB[name]})" if name in BUDGETS_MB else ""
            rows.append(Row(name, f"MB{budget}", megabytes))
        url = running_url(data_dir)
        assert url is not None
        with psycopg.connect(url) as connection:
            stored = connection.execute("SELECT sum(count) FROM log_counts").fetchone()
    assert stored is not None and stored[0] == lines, f"{lines} sent, {stored} stored"
    return rows


if __name__ == "__main__":
    print(table("Memory", run()))
