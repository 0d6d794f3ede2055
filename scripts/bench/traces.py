"""What questions about traces cost, at a number of spans and at a fiftieth, over the same day.

Bounds measured in the same run: one SELECT 1, and the same rows fetched by what they are stored
under. Goals: a trace by its id in milliseconds, a page of the list in 100 ms at p95. `--spans`
or BENCH_SPANS asks for another number.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import psycopg

from logstream.filter import Choice, LogFilter
from logstream.land.embedded import EmbeddedPostgres
from logstream.query.trace_reader import PostgresTraceReader
from logstream.wiring import migrate, open_engine
from scripts.bench.machine import scratch_dir
from scripts.bench.report import Row, table
from scripts.bench.stored_traces import RARE_OPERATION, RARE_SERVICE, Filled, fill

SPANS = int(os.environ.get("BENCH_SPANS", "1000000"))
DAY_SECONDS = 86_400.0
ROUNDS = 20
_HOUR, _DAY = {"range": "1h"}, {"range": "24h"}
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "list, newest, all time": ("newest", {}),
    "list, newest, 1 hour": ("newest", _HOUR),
    "list, longest, 1 hour": ("longest", _HOUR),
    "list, longest, 24 hours": ("longest", _DAY),
    "list, most errors, 24 hours": ("errors", _DAY),
    "list, a service": ("newest", {"service": "cart", **_DAY}),
    "list, a service in one trace of 5,000": ("newest", {"service": RARE_SERVICE, **_DAY}),
    "list, errors": ("newest", {"severity": "error,fatal", **_DAY}),
    "list, an operation": ("newest", {"q": 'operation:"GET /cart/{id}"', **_DAY}),
    "list, slow ones of an operation": (
        "newest",
        {"q": 'operation:"SELECT items" latency>60', **_DAY},
    ),
    "list, an operation in one trace of 5,000": (
        "newest",
        {"q": f'operation:"{RARE_OPERATION}"', **_DAY},
    ),
    "list, longest of an operation, 1 hour": (
        "longest",
        {"q": 'operation:"SELECT items"', **_HOUR},
    ),
    "list, an attribute": ("newest", {"q": "http.response.status_code>=500", **_DAY}),
    "list, an attribute of one trace, 1 hour": ("newest", {"q": "order.id:{order}", **_HOUR}),
    "list, a word": ("newest", {"q": "refused", **_DAY}),
}
SHAPES = {
    "shape, 1 hour": _HOUR,
    "shape, 24 hours": _DAY,
    "shape, an operation, 1 hour": {"q": 'operation:"SELECT items"', **_HOUR},
}


def measure(spans: int) -> tuple[dict[str, list[float]], dict[str, int], int]:
    """Milliseconds of each question, sorted; answers cut short by time; spans in fact stored."""
    with scratch_dir() as data_dir, EmbeddedPostgres(data_dir, "the bench") as postgres:
        migrate(postgres.url)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            filled = fill(connection, spans, DAY_SECONDS)
            [[stored]] = connection.execute("SELECT count(*) FROM spans").fetchall()
            engine = open_engine(postgres.url, statement_timeout_seconds=30, read_only=True)
            reader = PostgresTraceReader(engine)
            try:
                times, cut = _ask(reader, filled)
            finally:
                reader.close()
            return times | _bounds(connection, filled), cut, stored


def _ask(
    reader: PostgresTraceReader, filled: Filled
) -> tuple[dict[str, list[float]], dict[str, int]]:
    now = int(filled.newest.timestamp()) * 10**9
    times: dict[str, list[float]] = {}
    cut: dict[str, int] = {}
    ids = iter(filled.trace_ids * (ROUNDS + 1))
    every = Choice()
    times["a trace by its id"] = _timed(
        lambda: reader.trace(next(ids), environment=every, max_spans=10_000, max_lines=1_000)
    )
    for name, (sort, url) in LISTS.items():
        asked = LogFilter.from_url(_about(url, filled))
        times[name] = _timed(
            lambda asked=asked, sort=sort: reader.traces(  # type: ignore[misc]
                asked, sort=sort, limit=50, now_unix_nano=now
            )
        )
        page = reader.traces(asked, sort=sort, limit=50, now_unix_nano=now)  # type: ignore[arg-type]
        cut[name] = not page.is_complete
    for name, url in SHAPES.items():
        asked = LogFilter.from_url(_about(url, filled))
        times[name] = _timed(
            lambda asked=asked: reader.trace_shape(  # type: ignore[misc]
                asked, points=2_000, now_unix_nano=now
            )
        )
        cut[name] = not reader.trace_shape(asked, points=1, now_unix_nano=now).is_complete
    return times, cut


def _about(url: dict[str, str], filled: Filled) -> dict[str, str]:
    return {name: value.replace("{order}", filled.order) for name, value in url.items()}


def _bounds(connection: psycopg.Connection, filled: Filled) -> dict[str, list[float]]:
    ids = iter(filled.trace_ids * (ROUNDS + 1))
    fifty = filled.trace_ids[-50:]

    def rows_of_a_trace() -> None:
        trace_id = next(ids)
        first, last = connection.execute(
            "SELECT first_span, last_span FROM trace_summaries WHERE trace_id = %s", [trace_id]
        ).fetchall()[0]
        connection.execute(
            "SELECT * FROM spans WHERE trace_id = %s AND id BETWEEN %s AND %s",
            [trace_id, first, last],
        ).fetchall()

    return {
        "bound: SELECT 1": _timed(lambda: connection.execute("SELECT 1").fetchall()),
        "bound: the rows of a trace": _timed(rows_of_a_trace),
        "bound: 50 summaries by their keys": _timed(
            lambda: connection.execute(
                "SELECT * FROM trace_summaries WHERE trace_id = ANY(%s)", [fifty]
            ).fetchall()
        ),
    }


def _timed(ask: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times[1:])  # the first was cold


def run(spans: int = SPANS) -> list[Row]:
    """p50 and p95 at both numbers of spans, how the time grew, and ratios to the bounds."""
    sizes = (max(spans // 50, 10_000), spans)
    measured = [measure(size) for size in sizes]
    rows = []
    (few, _, _), (many, cut, stored) = measured
    rows.append(Row("spans", "stored", stored))
    for name in many:
        goal = " (goal 100)" if name.startswith("list") else ""
        p50, p95 = statistics.median(many[name]), many[name][int(ROUNDS * 0.95)]
        rows += [Row(name, "p50 ms", p50), Row(name, f"p95 ms{goal}", p95)]
        rows.append(Row(name, "growth of p50 from a fiftieth", p50 / statistics.median(few[name])))
        if cut.get(name):
            rows.append(Row(name, "answers cut short by their time (goal 0)", 1))
    bound = statistics.median(many["bound: the rows of a trace"])
    by_id = statistics.median(many["a trace by its id"])
    rows.append(Row("a trace by its id", "times the rows of a trace", by_id / bound))
    page = statistics.median(many["list, newest, 1 hour"])
    bound = statistics.median(many["bound: 50 summaries by their keys"])
    rows.append(Row("list, newest, 1 hour", "times 50 summaries by their keys", page / bound))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=SPANS)
    print(table("Traces", run(parser.parse_args().spans)))
