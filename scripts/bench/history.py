"""History to play and questions as of a moment, over lines received at 1,000 a second.

Bound: 100 ms at p95, and the smallest number of lines: an answer about a minute should not cost
more because more days are stored. A line in fifty comes late, by up to ten minutes; all but the
newest lines are sealed. `--sizes` or BENCH_SIZES asks for other numbers of lines.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import time
from collections.abc import Iterator

import httpx
import msgspec
import psycopg

from logstream.land.group_commit import GroupCommit
from logstream.land.postgres import PostgresWriter
from logstream.land.spool import Spool
from logstream.model import NANOS_PER_SECOND, LogRecord, iso_time
from logstream.ports import Arrival, Batch
from logstream.receive.native_json import decode
from scripts.bench.lines import RARE_SERVICE, SERVICES, each_line
from scripts.bench.machine import Machine, machine
from scripts.bench.report import Row, table
from scripts.bench.seal_all import next_segment, seal_all

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "200000 2000000").split()]
LINES_PER_SECOND = 1_000
OPEN_LINES = 50_000
LINES_PER_BATCH = 5_000
ONE_LATE_IN = 50
ROUNDS = 40
_STEP = NANOS_PER_SECOND // LINES_PER_SECOND
QUESTIONS = {
    "2 s of history": "/logs/received?from={at}&to={in_2_s}&slots=20",
    "60 s of history": "/logs/received?from={at}&to={in_60_s}&slots=60",
    "60 s of history, one service": "/logs/received?from={at}&to={in_60_s}&slots=60"
    f"&service={SERVICES[0]}",
    "2 s of history, one line in a thousand": "/logs/received?from={at}&to={in_2_s}&slots=20"
    f"&service={RARE_SERVICE}",
    "newest 100 as of a moment": "/logs/recent?limit=100&at={at}",
    "newest 100 errors as of a moment": "/logs/recent?limit=100&severity=error&at={at}",
    "trend of 15 minutes as of a moment": "/logs/trend?range=15m&at={at}",
    "breakdown of 15 minutes as of a moment": "/logs/severity-breakdown?range=15m&at={at}",
    "facets of 15 minutes as of a moment": "/logs/facets?range=15m&at={at}",
}


async def fill(running: Machine, count: int) -> int:
    """Land the lines in the order of their receipt, seal all but the newest; the first receipt."""
    lines = each_line(count, span_seconds=count / LINES_PER_SECOND)
    first = time.time_ns() - count * _STEP
    generator = random.Random(17)
    receipts = (first + number * _STEP for number in itertools.count())
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        await _land(running, itertools.islice(lines, count - OPEN_LINES), receipts, generator)
        next_segment(connection)
        await _land(running, lines, receipts, generator)
        await asyncio.to_thread(seal_all, connection)
        connection.execute("ANALYZE")
    return first


async def _land(
    running: Machine, lines: Iterator[bytes], receipts: Iterator[int], generator: random.Random
) -> None:
    writer = GroupCommit(
        PostgresWriter(running.database_url),
        Spool(running.data_dir / "bench-spool", max_bytes=1024 * 1024),
        on_landed=lambda *_: None,
        max_pending_bytes=256 * 1024 * 1024,
        land_timeout_seconds=60,
    )
    writer.start()
    while batch := list(itertools.islice(lines, LINES_PER_BATCH)):
        body = b"[" + b",".join(batch) + b"]"
        records = [
            _received(record, moment, generator)
            for record, moment in zip(
                decode(Arrival(body, 0, "bench")).records, receipts, strict=False
            )
        ]
        await writer.land(Batch(records, environment="bench"))
    await writer.close()


def _received(record: LogRecord, moment: int, generator: random.Random) -> LogRecord:
    late = 600 if generator.randrange(ONE_LATE_IN) == 0 else 0.3
    return msgspec.structs.replace(
        record,
        observed_unix_nano=moment,
        timestamp_unix_nano=moment - int(generator.random() * late * NANOS_PER_SECOND),
    )


def ask(running: Machine, first: int, count: int) -> dict[str, list[float]]:
    """Milliseconds of each question at moments all over the history, sorted."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    generator = random.Random(3)
    with httpx.Client(base_url=running.base, timeout=60) as client:
        for round_number in range(ROUNDS + 1):
            for name, path in QUESTIONS.items():
                # Another moment each time: answers about the past are kept.
                at = first + int(generator.uniform(0.05, 0.95) * count * _STEP)
                moments = {
                    "at": iso_time(at),
                    "in_2_s": iso_time(at + 2 * NANOS_PER_SECOND),
                    "in_60_s": iso_time(at + 60 * NANOS_PER_SECOND),
                }
                started = time.perf_counter()
                reply = client.get(path.format(**moments))
                elapsed = (time.perf_counter() - started) * 1000
                assert reply.status_code == 200, (path, reply.text)
                if round_number:
                    times[name].append(elapsed)
    return {name: sorted(values) for name, values in times.items()}


def run(sizes: list[int] = SIZES) -> list[Row]:
    """p50 and p95 at every size, and how the time grew from the smallest to the largest."""
    times = []
    for size in sizes:
        with machine() as running:
            first = asyncio.run(fill(running, size))
            times.append(ask(running, first, size))
    rows = []
    for name in QUESTIONS:
        for size, measured in zip(sizes, times, strict=True):
            p95 = measured[name][int(ROUNDS * 0.95)]
            rows += [
                Row(name, f"p50 ms at {size:,} lines", statistics.median(measured[name])),
                Row(name, f"p95 ms at {size:,} lines (goal 100)", p95),
            ]
        growth = statistics.median(times[-1][name]) / statistics.median(times[0][name])
        rows.append(Row(name, "growth of p50 (goal 2 at most)", growth))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="LINES")
    print(table("History", run(parser.parse_args().sizes)))
