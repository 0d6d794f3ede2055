"""How fast spans land, beside raw COPY of the same rows, already encoded, into the same table.

Landing adds what a COPY does not do: summaries of traces, operations counted by duration, ids,
the batch that makes a retry harmless. Both run over one connection, 10,000 spans a transaction,
taken from the same requests in turns; then the way through HTTP, as an OpenTelemetry SDK sends.
"""

import asyncio
import os
import random
import time
import uuid
from collections.abc import Sequence

import msgspec
import psutil
import psycopg

from logstream.land.binary_rows import copy_stream
from logstream.land.embedded import EmbeddedPostgres
from logstream.land.operation_rows import OperationNames
from logstream.land.postgres import PostgresWriter
from logstream.land.span_rows import SPANS_COLUMNS, encode
from logstream.model import Span
from logstream.ports import Batch
from logstream.wiring import migrate
from scripts.bench.machine import Machine, machine, scratch_dir
from scripts.bench.report import Row, table
from scripts.bench.senders import request, send

SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
SPANS_A_COMMIT = 10_000
SPANS_A_POST = 500
SPANS_A_TRACE = 8
SERVICES = [f"service-{n:02d}" for n in range(30)]


def make_spans(count: int, *, seed: int = 17) -> list[Span]:
    """Requests of SPANS_A_TRACE spans: a tree over some of 30 services, each with 20 operations."""
    generator = random.Random(seed)
    now = time.time_ns()
    spans: list[Span] = []
    while len(spans) < count:
        trace = f"{generator.getrandbits(128):032x}"
        start = now - generator.randrange(60 * 10**9)
        ids = [f"{generator.getrandbits(64):016x}" for _ in range(SPANS_A_TRACE)]
        for place, span_id in enumerate(ids):
            operation = generator.randrange(20)
            spans.append(
                Span(
                    trace_id=trace,
                    span_id=span_id,
                    parent_span_id=None if not place else ids[generator.randrange(place)],
                    environment="production",
                    service_name=generator.choice(SERVICES),
                    name=f"GET /api/v1/items/{operation}",
                    kind="client" if place % 2 else "server",
                    start_unix_nano=start + place * 1_000_000,
                    duration_nano=int(generator.lognormvariate(2, 1) * 1e6),
                    observed_unix_nano=now,
                    status="error" if generator.random() < 0.02 else "unset",
                    attributes=msgspec.json.encode(
                        {
                            "http.request.method": "GET",
                            "http.response.status_code": 200,
                            "url.path": f"/api/v1/items/{operation}",
                            "server.address": f"10.0.{operation}.7",
                            "user.id": f"u-{generator.randrange(50_000)}",
                        }
                    ),
                )
            )
    return spans[:count]


def landed_and_copied(url: str) -> list[Row]:
    """Spans/s and CPU of landing and of COPY, taking turns."""
    batches = [make_spans(SPANS_A_COMMIT, seed=seed) for seed in range(6)]
    rows = [copy_stream([encode(spans, OperationNames()).with_ids(1)]) for spans in batches]
    with asyncio.Runner() as runner, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE copied (LIKE spans INCLUDING ALL)")
        writer = PostgresWriter(url)
        copied = _Clock([connection.info.backend_pid])
        landed = _Clock([os.getpid()])
        numbers = iter(range(10**9))

        async def land(batch: Batch) -> None:
            await writer.write([writer.encode(batch)], uuid.uuid4())
            assert writer._connection is not None
            landed.also(writer._connection.info.backend_pid)

        def copy(data: bytes) -> None:
            with connection.cursor().copy(
                f"COPY copied ({SPANS_COLUMNS}) FROM STDIN (FORMAT binary)"
            ) as stream:
                stream.write(data)

        runner.run(land(_anew(batches[0])))
        ends = time.monotonic() + 2 * SECONDS
        while time.monotonic() < ends:
            batch = _anew(batches[next(numbers) % len(batches)])
            with landed:
                runner.run(land(batch))
            with copied:
                copy(rows[next(numbers) % len(rows)])
        runner.run(writer.disconnect())
        wrong = connection.execute(
            "SELECT (SELECT count(*) FROM spans), (SELECT sum(span_count) FROM trace_summaries),"
            " (SELECT sum(count) FROM operation_counts)"
        ).fetchone()
    assert wrong is not None and len(set(wrong)) == 1, f"spans and what is told of them: {wrong}"
    mine, postgres = landed.cpu()
    return [
        Row("bound: raw COPY, 1 connection", "spans/s", copied.spans_per_second),
        Row("bound: raw COPY, 1 connection", "PostgreSQL CPU µs/span", copied.cpu()[0]),
        Row("landing, 1 connection", "spans/s", landed.spans_per_second),
        Row("landing, 1 connection", "service CPU µs/span", mine),
        Row("landing, 1 connection", "PostgreSQL CPU µs/span", postgres),
        Row("ratio", "landing / raw COPY", landed.spans_per_second / copied.spans_per_second),
        Row("ratio", "PostgreSQL CPU of landing / of raw COPY", postgres / copied.cpu()[0]),
    ]


def _anew(spans: Sequence[Span]) -> Batch:
    """The same as other traces: those sent again would not be counted."""
    mark = f"{random.getrandbits(32):08x}"
    return Batch(
        [],
        spans=[msgspec.structs.replace(span, trace_id=mark + span.trace_id[8:]) for span in spans],
    )


class _Clock:
    """Adds up the time, and the CPU of processes, of what happens inside it."""

    def __init__(self, pids: list[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._used = [0.0] * len(pids)
        self._seconds = 0.0
        self._spans = 0

    def also(self, pid: int) -> None:
        """Another process, unless it is known."""
        if pid not in [process.pid for process in self._processes]:
            self._processes.append(psutil.Process(pid))
            self._used.append(0.0)

    @property
    def spans_per_second(self) -> float:
        return self._spans / self._seconds

    def cpu(self) -> list[float]:
        """µs a span, by process."""
        return [used * 1e6 / self._spans for used in self._used]

    def __enter__(self) -> None:
        self._began = time.perf_counter()
        self._before = self._cpu_now()

    def __exit__(self, *_: object) -> None:
        self._seconds += time.perf_counter() - self._began
        self._used = [
            used + after - before
            for used, before, after in zip(self._used, self._before, self._cpu_now(), strict=True)
        ]
        self._spans += SPANS_A_COMMIT

    def _cpu_now(self) -> list[float]:
        times = [process.cpu_times() for process in self._processes]
        return [one.user + one.system for one in times]


def over_http(running: Machine) -> list[Row]:
    """What a collector sees that exports SPANS_A_POST spans a request, JSON."""
    spans = make_spans(20_000)
    bodies = [
        request("/v1/traces", _otlp(spans[at : at + SPANS_A_POST]))
        for at in range(0, len(spans), SPANS_A_POST)
    ]
    service, postgres = running.cpu_seconds()
    sent = send(running.port, bodies, 4, SECONDS)
    after = running.cpu_seconds()
    if sent.refused:
        raise SystemExit(f"{sent.refused} requests were refused")
    count, name = sent.requests * SPANS_A_POST, f"OTLP JSON, {SPANS_A_POST} a POST, 4 senders"
    return [
        Row(name, "spans/s", count / sent.seconds),
        Row(name, "p50 ms", sent.percentile(50)),
        Row(name, "p99 ms", sent.percentile(99)),
        Row(name, "service CPU µs/span", (after[0] - service) / count * 1e6),
        Row(name, "PostgreSQL CPU µs/span", (after[1] - postgres) / count * 1e6),
    ]


def _otlp(spans: Sequence[Span]) -> bytes:
    by_service: dict[str, list[Span]] = {}
    for span in spans:
        by_service.setdefault(span.service_name, []).append(span)
    kinds = {"server": 2, "client": 3}
    return msgspec.json.encode(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [_attribute("service.name", service)]},
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": span.trace_id,
                                    "spanId": span.span_id,
                                    "parentSpanId": span.parent_span_id or "",
                                    "name": span.name,
                                    "kind": kinds[span.kind],
                                    "startTimeUnixNano": str(span.start_unix_nano),
                                    "endTimeUnixNano": str(
                                        span.start_unix_nano + span.duration_nano
                                    ),
                                    "status": {"code": 2} if span.status == "error" else {},
                                    "attributes": [
                                        _attribute(key, str(value))
                                        for key, value in msgspec.json.decode(
                                            span.attributes
                                        ).items()
                                    ],
                                }
                                for span in of_service
                            ]
                        }
                    ],
                }
                for service, of_service in by_service.items()
            ]
        }
    )


def _attribute(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


def run() -> list[Row]:
    """All rows of the table."""
    with scratch_dir() as data_dir, EmbeddedPostgres(data_dir, "the bench") as postgres:
        migrate(postgres.url)
        rows = landed_and_copied(postgres.url)
    with machine() as running:
        return rows + over_http(running)


if __name__ == "__main__":
    print(table("Spans", run()))
