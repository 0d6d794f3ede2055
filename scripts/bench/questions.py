"""What the pages ask, at growing numbers of lines over the same day.

The bound is the smallest number: an answer should not cost more because more is stored. All
but the newest lines are sealed, as the worker leaves them; `--sizes 200000 2000000 20000000`
or BENCH_SIZES asks for other numbers.
"""

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Iterator

import httpx
import psycopg

from scripts.bench.lines import (
    NEEDLE,
    RARE_SERVICE,
    SERVICES,
    TRACE,
    WORD,
    each_line,
)
from scripts.bench.machine import Machine, machine
from scripts.bench.report import Row, table
from scripts.bench.seal_all import next_segment, seal_all

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "200000 2000000").split()]
DAY_SECONDS = 86_400.0
# The newest lines, at any size but the smallest, are in a segment that is still open.
OPEN_LINES = 50_000
LINES_PER_BATCH = 10_000
ROUNDS = 20
_DAY = "range=24h"
QUESTIONS = {
    "newest 100": "/logs/search?limit=100",
    "newest 100, one service, errors": f"/logs/search?service={SERVICES[0]}&severity=error",
    "newest 100, one line in a thousand": f"/logs/search?service={RARE_SERVICE}",
    "an id, 7 lines in all": f"/logs/search?q={NEEDLE}",
    "an id that is nowhere": "/logs/search?q=order-7f3a9c51e1",
    "a word, 7 lines in all": f"/logs/search?q={WORD}",
    "a word that is nowhere": "/logs/search?q=unheard",
    "a frequent word": "/logs/search?q=invoice",
    "a phrase": f'/logs/search?q="{NEEDLE} is {WORD}"',
    "a trace": f"/logs/search?trace={TRACE}",
    "an attribute's value": "/logs/search?q=user.id:u-4711",
    "by minute and severity, 24 hours": f"/logs/trend?bucket=60&{_DAY}",
    "by hour, 24 hours": f"/logs/trend?bucket=3600&{_DAY}",
    "top services, breakdown and environments": f"/logs/facets?limit=10&{_DAY}",
    "breakdown, 24 hours": f"/logs/severity-breakdown?{_DAY}",
    "breakdown, 15 minutes": "/logs/severity-breakdown?range=15m",
    "one line by id": "/logs/{id}",
    "a line between its neighbours": "/logs/{id}/context",
}


def fill(running: Machine, count: int) -> int:
    """Land the lines, seal all but the newest; an id in the middle."""
    lines = each_line(count, span_seconds=DAY_SECONDS)
    middle = 0
    with (
        httpx.Client(base_url=running.base, timeout=60) as client,
        psycopg.connect(running.database_url, autocommit=True) as connection,
    ):

        def land(batch: list[bytes]) -> int:
            reply = client.post("/logs/ingest", content=b"[" + b",".join(batch) + b"]")
            assert reply.status_code == 201, reply.text
            return int(reply.json()["ids"][0])

        older = itertools.islice(lines, count - min(OPEN_LINES, count // 4))
        for number, batch in enumerate(_batches(older)):
            first = land(batch)
            middle = first if number == count // LINES_PER_BATCH // 2 else middle
        next_segment(connection)
        for batch in _batches(lines):
            land(batch)
        seal_all(connection)
        connection.execute("ANALYZE")
    return middle


def ask(running: Machine, middle: int) -> dict[str, list[float]]:
    """Milliseconds of each question, sorted, first (cold) round left out."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    with httpx.Client(base_url=running.base, timeout=60) as client:
        for round_number in range(ROUNDS + 1):
            # Longer than answers are shared.
            time.sleep(1.1)
            for name, path in QUESTIONS.items():
                started = time.perf_counter()
                reply = client.get(path.format(id=middle))
                elapsed = (time.perf_counter() - started) * 1000
                assert reply.status_code == 200, (path, reply.text)
                assert "search" not in path or reply.json()["complete"], path
                if round_number:
                    times[name].append(elapsed)
    return {name: sorted(values) for name, values in times.items()}


def run(sizes: list[int] = SIZES) -> list[Row]:
    """p50 and p95 at every size, and how the time grew from the smallest to the largest."""
    times = []
    for size in sizes:
        with machine() as running:
            times.append(ask(running, fill(running, size)))
    rows = []
    for name in QUESTIONS:
        for size, measured in zip(sizes, times, strict=True):
            rows += [
                Row(name, f"p50 ms at {size:,} lines", statistics.median(measured[name])),
                Row(name, f"p95 ms at {size:,} lines", measured[name][int(ROUNDS * 0.95)]),
            ]
        growth = statistics.median(times[-1][name]) / statistics.median(times[0][name])
        rows.append(Row(name, "growth of p50 (goal 2 at most)", growth))
    return rows


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(itertools.islice(lines, LINES_PER_BATCH)):
        yield batch


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="LINES")
    print(table("Questions", run(parser.parse_args().sizes)))
