"""What the pages ask, at a small and a ten times larger number of lines.

The bound is the small one: an answer should not cost more because more is stored.
"""

import os
import time

import httpx
import psycopg

from logstream.land.upkeep import FOLD_MINUTES, fold_counts, summarize_segments
from scripts.bench.lines import make_lines
from scripts.bench.machine import Machine, machine
from scripts.bench.report import Row, table

SMALL = int(os.environ.get("BENCH_SMALL_LINES", "100000"))
LARGE = int(os.environ.get("BENCH_LARGE_LINES", "1000000"))
SPAN_SECONDS = 6 * 3600.0
ROUNDS = 15
QUESTIONS = {
    "newest 50": "/logs/recent",
    "newest 50, one service, errors": "/logs/recent?service=service-07&severity=error",
    "newest 50, last 15 minutes": "/logs/recent?range=15m",
    "newest 50 with a word": "/logs/recent?q=invoice&range=1h",
    "one line by id": "/logs/{id}",
    "trend, 15 minutes": "/logs/trend?range=15m",
    "trend, 24 hours": "/logs/trend?range=24h",
    "breakdown, 15 minutes": "/logs/severity-breakdown?range=15m",
    "facets, 1 hour": "/logs/facets?range=1h",
}


def fill(running: Machine, lines: list[bytes]) -> int:
    """Land the lines, fold their counts, freeze nothing: segments stay open. The last id."""
    last = 0
    with httpx.Client(base_url=running.base, timeout=60) as client:
        for at in range(0, len(lines), 10_000):
            body = b"[" + b",".join(lines[at : at + 10_000]) + b"]"
            last = client.post("/logs/ingest", content=body).json()["ids"][1]
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        while fold_counts(connection) > FOLD_MINUTES:
            pass
        summarize_segments(connection)
        connection.execute("ANALYZE")
    return last


def ask(running: Machine, last_id: int) -> dict[str, list[float]]:
    """Milliseconds of each question, sorted, first (cold) round left out."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    with httpx.Client(base_url=running.base, timeout=60) as client:
        for round_number in range(ROUNDS + 1):
            for name, path in QUESTIONS.items():
                started = time.perf_counter()
                reply = client.get(path.format(id=last_id // 2))
                elapsed = (time.perf_counter() - started) * 1000
                assert reply.status_code == 200, (path, reply.text)
                if round_number:
                    times[name].append(elapsed)
    return {name: sorted(values) for name, values in times.items()}


def run() -> list[Row]:
    """p50 and p95 at both sizes and how the time grew."""
    lines = make_lines(LARGE, span_seconds=SPAN_SECONDS)
    step = LARGE // SMALL
    with machine() as running:
        small = ask(running, fill(running, lines[::step]))
    with machine() as running:
        large = ask(running, fill(running, lines))
    rows = []
    for name in QUESTIONS:
        middle, high = ROUNDS // 2, int(ROUNDS * 0.95)
        rows += [
            Row(name, f"p50 ms at {SMALL:,} lines", small[name][middle]),
            Row(name, f"p50 ms at {LARGE:,} lines", large[name][middle]),
            Row(name, f"p95 ms at {LARGE:,} lines", large[name][high]),
            Row(name, "growth of p50 (goal 2 at most)", large[name][middle] / small[name][middle]),
        ]
    return rows


if __name__ == "__main__":
    print(table("Questions", run()))
