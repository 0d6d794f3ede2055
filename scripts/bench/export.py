"""Exports of a day's lines against COPY of the same rows by one connection.

The bound is what PostgreSQL itself gives: `COPY (SELECT … ORDER BY …) TO STDOUT`, taken and
thrown away by a client on the same machine.
"""

import argparse
import os
import time
from collections.abc import Callable

import httpx
import psutil
import psycopg

from scripts.bench.machine import Machine, machine
from scripts.bench.questions import fill
from scripts.bench.report import Row, table

LINES = int(os.environ.get("BENCH_EXPORT_LINES", "500000"))
FORMS = {
    "NDJSON": "format=ndjson",
    "NDJSON, gzip": "format=ndjson&compress=gzip",
    "NDJSON, zstd": "format=ndjson&compress=zstd",
    "CSV": "format=csv",
    "Parquet": "format=parquet",
    "NDJSON, oldest first": "format=ndjson&order=oldest",
    "NDJSON, one line in a thousand": "format=ndjson&service=service-rare",
}
_COPY = (
    "COPY (SELECT * FROM logs {where}"
    " ORDER BY timestamp DESC, timestamp_nanos DESC, id DESC) TO STDOUT"
)


def run(lines: int = LINES) -> list[Row]:
    """Lines a second of each form, beside COPY; the service's memory while it exports."""
    with machine() as running:
        fill(running, lines)
        bound = _seconds(lambda: _copied(running, ""))
        rows = [Row("COPY of the same rows (the bound)", "lines/s", lines / bound)]
        before = _memory(running)
        for name, query in FORMS.items():
            is_rare = "service=" in query
            count = lines // 1_000 if is_rare else lines
            own = (
                _seconds(lambda: _copied(running, "WHERE service_name = 'service-rare'"))
                if is_rare
                else bound
            )
            seconds = _seconds(lambda query=query: _exported(running, query))  # type: ignore[misc]
            rows.append(Row(name, "lines/s", count / seconds))
            rows.append(Row(f"{name}: ratio to COPY", "×", own / seconds))
        rows.append(Row("memory of the service, grown by", "MB", _memory(running) - before))
        rows.append(Row("first byte, NDJSON", "ms", _first_byte(running) * 1000))
    return rows


def _seconds(work: Callable[[], object]) -> float:
    """The better of two runs."""
    times = []
    for _ in range(2):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _copied(running: Machine, where: str) -> int:
    size = 0
    with (
        psycopg.connect(running.database_url) as connection,
        connection.cursor() as cursor,
        cursor.copy(_COPY.format(where=where)) as copy,
    ):
        for data in copy:
            size += len(data)
    return size


def _exported(running: Machine, query: str) -> int:
    url = f"{running.base}/logs/export?{query}"
    with httpx.stream("GET", url, headers={"accept-encoding": "identity"}, timeout=300) as answer:
        return sum(len(piece) for piece in answer.iter_raw())


def _first_byte(running: Machine) -> float:
    started = time.perf_counter()
    with httpx.stream("GET", f"{running.base}/logs/export", timeout=60) as answer:
        next(answer.iter_raw())
        return time.perf_counter() - started


def _memory(running: Machine) -> float:
    return float(psutil.Process(running.service.pid).memory_info().rss) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    print(table("Export", run(parser.parse_args().lines)))
