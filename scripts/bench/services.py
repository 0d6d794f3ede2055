"""The services page's questions with 200 services and two days of counts.

    python -m scripts.bench.services

Counts are written as landing and the worker leave them: minutes folded, and their hours. Beside
`SELECT 1`, which costs what a question costs before it is asked.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from logstream.filter import Choice, LogFilter
from logstream.land.embedded import EmbeddedPostgres
from logstream.query import operations, service_facts, service_map
from logstream.wiring import migrate, open_engine
from scripts.bench.report import Row, table

ROUNDS = 15
SERVICES = 200
HOURS = 50
# In the order in which folding leaves them. Of the minutes only those that edges are made of, of
# the last day and of the day before it.
_MINUTES = """
INSERT INTO operation_counts
SELECT minute, 'production', 'service-' || service, 'GET /' || operation, kind, step = 3,
    20 + step * 2 + operation, 1 + step, true
FROM generate_series(1, %(services)s) AS service, generate_series(1, 4) AS operation,
    unnest(ARRAY['server', 'client']) AS kind, generate_series(0, 3) AS step,
    generate_series(date_trunc('minute', now()) - make_interval(hours => %(hours)s),
        date_trunc('minute', now()), '1 minute') AS minute
WHERE (operation + extract(minute FROM minute)::int) %% 2 = 0
    AND (minute > now() - interval '3 hours' OR
        minute BETWEEN now() - interval '27 hours' AND now() - interval '23 hours' OR
        minute BETWEEN now() - interval '49 hours' AND now() - interval '47 hours')
ORDER BY minute, service
"""
_HOURS = """
INSERT INTO operation_counts_hourly
SELECT hour, 'production', 'service-' || service, 'GET /' || operation, kind, step = 5,
    20 + step * 2 + operation, 60 * (1 + step)
FROM generate_series(date_trunc('hour', now()) - make_interval(hours => %(hours)s),
        date_trunc('hour', now()), '1 hour') AS hour,
    generate_series(1, %(services)s) AS service, generate_series(1, 4) AS operation,
    unnest(ARRAY['server', 'client']) AS kind, generate_series(0, 5) AS step
ORDER BY hour, service
"""
_CALLS = """
INSERT INTO call_counts_hourly
SELECT hour, 'production', 'service-' || source, 'service-' || (source * 7 + n) %% %(services)s + 1,
    'call', step = 5, 20 + step * 2, 30
FROM generate_series(date_trunc('hour', now()) - make_interval(hours => %(hours)s),
        date_trunc('hour', now()), '1 hour') AS hour,
    generate_series(1, %(services)s) AS source, generate_series(1, 3) AS n,
    generate_series(0, 5) AS step
ORDER BY hour, source
"""
_LINES = """
INSERT INTO log_counts_hourly
SELECT hour, 'production', 'service-' || service, 9 + 8 * (skeleton %% 8 / 7), skeleton, 500
FROM generate_series(date_trunc('hour', now()) - make_interval(hours => %(hours)s),
        date_trunc('hour', now()), '1 hour') AS hour,
    generate_series(1, %(services)s) AS service, generate_series(1, 15) AS skeleton
ORDER BY hour, service
"""


def fill(url: str, services: int) -> dict[str, int]:
    """The counts; how many rows of each table."""
    rows = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for name, statement in (
            ("operation_counts", _MINUTES),
            ("operation_counts_hourly", _HOURS),
            ("call_counts_hourly", _CALLS),
            ("log_counts_hourly", _LINES),
        ):
            given = {"hours": HOURS, "services": services}
            rows[name] = connection.execute(statement, given).rowcount
        connection.execute("VACUUM ANALYZE")
    return rows


def measure(ask: Callable[[], object]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    ask()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def run() -> list[Row]:
    """SELECT 1, then each question of the services page for some lengths of time."""
    figures: list[Row] = []
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), "the bench") as server:
        migrate(server.url)
        fill(server.url, SERVICES)
        engine = open_engine(server.url, statement_timeout_seconds=30, read_only=True)

        def row(name: str, ask: Callable[..., object]) -> None:
            def question() -> None:
                with engine.connect() as connection:
                    ask(connection)

            p50, p95 = measure(question)
            figures.append(Row(f"{name}: p50", "ms", p50))
            figures.append(Row(f"{name}: p95", "ms", p95))

        now = time.time_ns()
        row("SELECT 1", lambda connection: connection.exec_driver_sql("SELECT 1"))
        for text in ("15m", "1h", "3h", "24h"):
            asked = LogFilter(range_text=text)
            row(
                f"services, {text}",
                lambda connection, asked=asked: service_facts.services(
                    connection, asked, buckets=30, now_unix_nano=now, zone="UTC"
                ),
            )
            row(
                f"map, {text}",
                lambda connection, asked=asked: service_map.service_map(
                    connection, asked, now_unix_nano=now
                ),
            )
        row(
            "operations of one, 24h",
            lambda connection: operations.operations(
                connection,
                LogFilter(range_text="24h"),
                "service-7",
                limit=50,
                now_unix_nano=now,
            ),
        )
        row(
            "durations of a span's kind",
            lambda connection: operations.durations(
                connection,
                "service-7",
                "GET /1",
                "server",
                environment=Choice(),
                now_unix_nano=now,
            ),
        )
        engine.dispose()
    return figures


if __name__ == "__main__":
    print(table(f"{SERVICES} services", run()))
