"""How fast lines land durably, beside two bounds measured in the same run.

Bounds: one connection that COPYs the same rows, already encoded, into the same table with
its hot indexes; and the same HTTP server answering 201 without a database.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time

import httpx
import psycopg

from logstream.land import copy_rows
from logstream.land.binary_rows import copy_stream
from logstream.land.skeleton_cache import SkeletonCache
from logstream.ports import Arrival
from logstream.receive.native_json import decode
from scripts.bench.lines import make_lines
from scripts.bench.machine import ROOT, Machine, machine
from scripts.bench.report import Row, table
from scripts.bench.senders import Sent, request, send
from tests.service_thread import free_port

MOST_WORKERS = int(os.environ.get("BENCH_WORKERS", "4"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
EMPTY_SERVER = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = b'{"accepted":1,"rejected":[],"ids":[1,1],"durable":"none"}'
    await send({"type": "http.response.start", "status": 201, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off")
"""


def copy_bound(running: Machine, lines: list[bytes]) -> tuple[float, float]:
    """(rows/s, CPU µs a row) of one connection copying prebuilt rows, 10,000 a transaction."""
    records = decode(
        Arrival(b"[" + b",".join(lines[:10_000]) + b"]", time.time_ns(), "bench")
    ).records
    rows = copy_stream([copy_rows.encode(records, SkeletonCache()).with_ids(1)])
    before = running.cpu_seconds()[1]
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS copy_bound (LIKE logs INCLUDING ALL)")
        started, copied = time.perf_counter(), 0
        while time.perf_counter() - started < SECONDS:
            with connection.cursor().copy(
                f"COPY copy_bound ({copy_rows.LOGS_COLUMNS}) FROM STDIN (FORMAT binary)"
            ) as copy:
                copy.write(rows)
            copied += len(records)
        seconds = time.perf_counter() - started
        cpu = running.cpu_seconds()[1] - before
        connection.execute("DROP TABLE copy_bound")
    return copied / seconds, cpu / copied * 1e6


def empty_bound(bodies: list[bytes]) -> Sent:
    """The same single POSTs against a server that only says 201."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", EMPTY_SERVER, str(port)], cwd=ROOT)
    try:
        asyncio.run(_wait_for_port(port))
        return send(port, bodies, 64, SECONDS)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def landed(running: Machine, bodies: list[bytes], connections: int, per_body: int) -> list[Row]:
    """Lines/s, latency and CPU of one kind of request."""
    service, postgres = running.cpu_seconds()
    sent = send(running.port, bodies, connections, SECONDS)
    after = running.cpu_seconds()
    lines = sent.requests * per_body
    if sent.refused:
        raise SystemExit(f"{sent.refused} requests were refused")
    name = f"{per_body} a POST, {connections} senders"
    return [
        Row(name, "lines/s", lines / sent.seconds),
        Row(name, "p50 ms", sent.percentile(50)),
        Row(name, "p99 ms", sent.percentile(99)),
        Row(name, "service CPU µs/line", (after[0] - service) / lines * 1e6),
        Row(name, "PostgreSQL CPU µs/line", (after[1] - postgres) / lines * 1e6),
    ]


def run() -> list[Row]:
    """All rows of the table, ratios last."""
    lines = make_lines(50_000)
    singles = [request("/logs/ingest", line) for line in lines[:5_000]]
    batches = {
        size: [
            request("/logs/ingest", b"\n".join(lines[at : at + size]), "application/x-ndjson")
            for at in range(0, 20_000, size)
        ]
        for size in (100, 1_000)
    }
    empty = empty_bound(singles)
    rows = [Row("bound: empty 201, 64 senders", "requests/s", empty.requests / empty.seconds)]
    with machine() as running:
        bound, bound_cpu = copy_bound(running, lines)
        rows.append(Row("bound: raw COPY, 1 connection", "lines/s", bound))
        rows.append(Row("bound: raw COPY, 1 connection", "PostgreSQL CPU µs/line", bound_cpu))
        many = landed(running, batches[1_000], 4, 1_000)
        rows += many + landed(running, batches[100], 8, 100)
        single = landed(running, singles, 64, 1)
        rows += single
        with psycopg.connect(running.database_url) as connection:
            counted = connection.execute(
                "SELECT (SELECT count(*) FROM logs), (SELECT sum(count) FROM log_counts)"
            ).fetchone()
    assert counted is not None and counted[0] == counted[1], f"rows and counts differ: {counted}"
    rows.append(Row("ratio", "batches of 1,000 / raw COPY (goal 0.6)", many[0].value / bound))
    rows.append(
        Row(
            "ratio",
            "single POSTs / empty 201 (goal 0.7)",
            single[0].value / (empty.requests / empty.seconds),
        )
    )
    return rows


def run_workers() -> list[Row]:
    """The same requests to one and to several ingest processes."""
    lines = make_lines(50_000)
    singles = [request("/logs/ingest", line) for line in lines[:5_000]]
    batches = [
        request("/logs/ingest", b"\n".join(lines[at : at + 1_000]), "application/x-ndjson")
        for at in range(0, 20_000, 1_000)
    ]
    rows = []
    for workers in range(1, MOST_WORKERS + 1):
        with machine(LOGSTREAM_WORKERS=str(workers)) as running:
            while httpx.get(f"{running.base}/system").json()["service"]["processes"] < workers:
                time.sleep(0.1)
            for bodies, senders, lines_a_post in (
                (batches, 4, 1_000),
                (batches, 8, 1_000),
                (singles, 64, 1),
            ):
                rows += [
                    Row(f"{workers} workers: {row.what}", row.unit, row.value)
                    for row in landed(running, bodies, senders, lines_a_post)
                ]
    return rows


async def _wait_for_port(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit("the empty server did not start")


if __name__ == "__main__":
    print(table("Landing", run()))
    print(f"\n{table('Workers', run_workers())}")
