"""What opening Explore costs, at a number of lines and at a hundredth of it, over the same day.

Bound: 300 ms at p95 for facets, histogram and first page together, and the hundredth: looking
should not cost more because more is stored. All but the newest lines are sealed. `--lines` or
BENCH_LINES asks for another number.
"""

import argparse
import os
import statistics
import time

import httpx

from scripts.bench.lines import SERVICES, WORD
from scripts.bench.machine import Machine, machine
from scripts.bench.questions import fill
from scripts.bench.report import Row, table

LINES = int(os.environ.get("BENCH_LINES", "2000000"))
ROUNDS = 20
_FIELDS = "fields=severity,service,env,pattern"


def _opened(filters: str, bucket: int) -> list[str]:
    return [
        f"/logs/facets?{_FIELDS}&{filters}",
        f"/logs/trend?by=severity&compare=previous&bucket={bucket}&{filters}",
        f"/logs/search?limit=100&{filters}",
    ]


# What is asked one after the other, and counts as one answer.
QUESTIONS = {
    "Explore opened, 15 minutes": _opened("range=15m", 60),
    "Explore opened, 24 hours": _opened("range=24h", 1_800),
    "Explore opened, 24 hours, errors of one service": _opened(
        f"range=24h&severity=error&service={SERVICES[0]}", 1_800
    ),
    "Explore opened, a word, 7 lines in all": _opened(f"range=24h&q={WORD}", 1_800),
    "histogram by the hour, 7 days, a zone of half hours": [
        "/logs/trend?by=severity&compare=previous&bucket=10800&range=7d&tz=Asia/Kolkata"
    ],
    "facets of two attributes, 24 hours": [
        "/logs/facets?fields=attribute:region,attribute:host.name&range=24h"
    ],
    "fields, 24 hours": ["/logs/fields?range=24h"],
    "fields, a word": [f"/logs/fields?range=24h&q={WORD}"],
    "differences of 15 minutes": ["/logs/differences?range=15m"],
    "differences of 6 hours": ["/logs/differences?range=6h"],
}


def ask(running: Machine) -> dict[str, list[float]]:
    """Milliseconds of each question, sorted, first (cold) round left out."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    with httpx.Client(base_url=running.base, timeout=60) as client:
        for round_number in range(ROUNDS + 1):
            # Longer than answers are shared.
            time.sleep(1.1)
            for name, paths in QUESTIONS.items():
                started = time.perf_counter()
                for path in paths:
                    reply = client.get(path)
                    assert reply.status_code == 200, (path, reply.text)
                if round_number:
                    times[name].append((time.perf_counter() - started) * 1000)
    return {name: sorted(values) for name, values in times.items()}


def run(lines: int = LINES) -> list[Row]:
    """p50 and p95 at both numbers of lines, and how the time grew."""
    sizes = (lines // 100, lines)
    measured = []
    for size in sizes:
        with machine() as running:
            fill(running, size)
            measured.append(ask(running))
    rows = []
    for name in QUESTIONS:
        for size, times in zip(sizes, measured, strict=True):
            goal = " (goal 300)" if "opened" in name else ""
            p95 = times[name][int(ROUNDS * 0.95)]
            rows += [
                Row(name, f"p50 ms at {size:,} lines", statistics.median(times[name])),
                Row(name, f"p95 ms at {size:,} lines{goal}", p95),
            ]
        growth = statistics.median(measured[1][name]) / statistics.median(measured[0][name])
        rows.append(Row(name, "growth of p50 (goal 2 at most)", growth))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    print(table("Explore", run(parser.parse_args().lines)))
