"""Where the CPU of landing a line goes, stage by stage, in microseconds a line.

Decoding and encoding run in this process; the rest is what one PostgreSQL backend uses for
the same rows with one more thing switched on at a time, so a stage's cost is a difference.
The best of several rounds counts: anything slower was somebody else's work.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import psycopg

from logstream.land import copy_rows
from logstream.land.binary_rows import copy_stream
from logstream.land.embedded import EmbeddedPostgres
from logstream.land.skeleton_cache import SkeletonCache
from logstream.ports import Arrival
from logstream.receive.native_json import decode
from logstream.skeleton import skeleton_key
from logstream.wiring import migrate
from scripts.bench.lines import make_lines
from scripts.bench.machine import scratch_dir
from scripts.bench.report import Row, table

LINES_PER_BODY = 1_000
LINES_PER_COMMIT = 10_000
ROUNDS = 15
VICTORIALOGS = 11.6
_HOT = "CREATE TABLE {name} (LIKE logs INCLUDING {what})"


def python_stages(bodies: Sequence[bytes]) -> list[Row]:
    """What the service does before PostgreSQL is asked."""
    lines = LINES_PER_BODY * len(bodies)
    skeletons = SkeletonCache()

    def read(body: bytes) -> copy_rows.EncodedRows:
        decoded = decode(Arrival(body, time.time_ns(), "bench"))
        return copy_rows.encode(decoded.records, skeletons)

    skeletons.confirm(read(bodies[0]).new_skeletons.values())
    batches = [decode(Arrival(body, time.time_ns(), "bench")).records for body in bodies]
    texts = [record.body.encode() for records in batches for record in records]
    known = {skeleton_key(text): 1 for text in texts}
    encoded = [copy_rows.encode(records, skeletons) for records in batches]

    def decode_all() -> None:
        for body in bodies:
            decode(Arrival(body, time.time_ns(), "bench"))

    def skeletons_all() -> None:
        for text in texts:
            known.get(skeleton_key(text))

    def encode_all() -> None:
        for records in batches:
            copy_rows.encode(records, skeletons)

    def join_all() -> None:
        copy_stream([rows.with_ids(1) for rows in encoded])

    skeleton = _best(skeletons_all) / lines
    return [
        Row("decode", "CPU µs/line", _best(decode_all) / lines),
        Row("skeleton", "CPU µs/line", skeleton),
        Row("encode, counts included", "CPU µs/line", _best(encode_all) / lines - skeleton),
        Row("ids and one buffer", "CPU µs/line", _best(join_all) / lines),
    ]


def postgres_stages(url: str, bodies: Sequence[bytes]) -> list[Row]:
    """What a backend uses for one commit of LINES_PER_COMMIT lines."""
    records = [
        record
        for body in bodies[: LINES_PER_COMMIT // LINES_PER_BODY]
        for record in decode(Arrival(body, time.time_ns(), "bench")).records
    ]
    encoded = copy_rows.encode(records, SkeletonCache())
    rows = copy_stream([encoded.with_ids(1)])
    counts = copy_stream([list(copy_rows.count_rows(encoded.counts.items()))])
    with psycopg.connect(url, autocommit=True) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        connection.execute(_HOT.format(name="bare", what="DEFAULTS"))
        connection.execute(_HOT.format(name="hot", what="ALL"))

        def copy(name: str, columns: str, data: bytes) -> None:
            with connection.cursor().copy(
                f"COPY {name} ({columns}) FROM STDIN (FORMAT binary)"
            ) as stream:
                stream.write(data)

        def cost(name: str, columns: str, data: bytes) -> float:
            best = float("inf")
            for _ in range(ROUNDS):
                # Enough commits for the clock of the operating system.
                before = _used(backend)
                for _ in range(10):
                    copy(name, columns, data)
                best = min(best, (_used(backend) - before) / 10)
                connection.execute(f"TRUNCATE {name}")
            return best * 1e6 / len(records)

        bare = cost("bare", copy_rows.LOGS_COLUMNS, rows)
        hot = cost("hot", copy_rows.LOGS_COLUMNS, rows)
        rollup = cost("log_counts", copy_rows.COUNTS_COLUMNS, counts)
    return [
        Row("COPY", "CPU µs/line", bare),
        Row("hot indexes (BRIN)", "CPU µs/line", max(0.0, hot - bare)),
        Row("counts", "CPU µs/line", rollup),
        Row("delta rows of counts", "a line", len(encoded.counts) / len(records)),
    ]


def run() -> list[Row]:
    """All stages; their sum is the cost of a line but for HTTP and the event loop."""
    lines = make_lines(20 * LINES_PER_BODY)
    bodies = [
        b"\n".join(lines[at : at + LINES_PER_BODY]) for at in range(0, len(lines), LINES_PER_BODY)
    ]
    with scratch_dir() as data_dir, EmbeddedPostgres(data_dir, "the bench") as postgres:
        migrate(postgres.url)
        rows = [*python_stages(bodies), *postgres_stages(postgres.url, bodies)]
    total = sum(row.value for row in rows if row.unit == "CPU µs/line")
    return [
        *rows,
        Row("all of these", "CPU µs/line", total),
        Row("VictoriaLogs, text search included, not durable", "CPU µs/line", VICTORIALOGS),
    ]


def _used(process: psutil.Process) -> float:
    """CPU seconds so far, in nanosecond steps where the system tells them."""
    precise = Path(f"/proc/{process.pid}/schedstat")
    if precise.exists():
        return int(precise.read_text().split()[0]) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def _best(work: Callable[[], None]) -> float:
    """Microseconds of CPU of the fastest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1e6


if __name__ == "__main__":
    print(table("Stages", run()))
