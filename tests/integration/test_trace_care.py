"""The worker's care for traces: within seconds, and from wherever it was killed."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from logstream.cli import APP
from logstream.query.trace_backlog import backlog
from logstream.trace_care import TraceCare
from logstream.wiring import open_engine
from tests.integration.test_up import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
IS_THERE = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logstream-traces'"
    " AND datname = current_database()"
)
IS_WAITING = f"{IS_THERE} AND wait_event_type = 'Lock'"
COUNTED = "SELECT trace_id, line_count, error_line_count, services, root_name FROM trace_summaries"
CALLED = "SELECT source, target, kind, sum(count)::int FROM call_counts GROUP BY 1, 2, 3"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def order(service: str, at: str, source: str, message: str, latency: float) -> None:
    line = {
        "source": source,
        "message": message,
        "timestamp": at,
        "metadata": {"traceId": TRACE, "latency": latency},
    }
    assert httpx.post(f"{service}/logs/ingest", json=line).status_code == 201


def test_a_request_told_by_lines_is_a_trace_within_a_round(
    service: str,
    connection: psycopg.Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logstream.care.ROUND_SECONDS", 0.1)
    with TraceCare(database_url, quiet_seconds=0):
        order(service, "2026-03-01T12:00:00.090Z", "stock", "4 items reserved", 30)
        order(service, "2026-03-01T12:00:00.100Z", "gateway", "POST /orders 201", 100)
        assert eventually(
            lambda: (
                connection.execute(COUNTED).fetchall()
                == [(TRACE, 2, 0, ["gateway", "stock"], "POST /orders 201")]
            )
        )
        assert eventually(
            lambda: connection.execute(CALLED).fetchall() == [("gateway", "stock", "derived", 1)]
        )
        # What comes later joins.
        order(service, "2026-03-01T12:00:00.095Z", "mail", "Mail queued", 2)
        assert eventually(lambda: len(connection.execute(CALLED).fetchall()) == 2)


def test_falling_behind_is_told_once_and_so_is_catching_up(
    connection: psycopg.Connection, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection.execute(
        "INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, touched_at)"
        " VALUES ('production', %s, now(), 0, now() - interval '90 seconds'),"
        " ('production', 'abc123', now(), 0, now())",
        [TRACE],
    )
    caplog.set_level(logging.INFO)
    care = TraceCare(database_url)
    for _ in range(3):
        care.tell(connection)
    connection.execute("UPDATE trace_summaries SET needs_review = false")
    for _ in range(3):
        care.tell(connection)
    assert [record.message for record in caplog.records] == [
        "the review of traces is behind: 1 wait, the first for 90 s",
        "the review of traces has caught up",
    ]


def test_the_backlog_is_what_should_have_been_reviewed(
    connection: psycopg.Connection, database_url: str
) -> None:
    engine = open_engine(database_url, statement_timeout_seconds=10, read_only=True)
    with engine.connect() as reading:
        assert backlog(reading) == {"waiting": 0, "longestWaitSeconds": None}
    connection.execute(
        "INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, touched_at)"
        " SELECT 'production', seconds::text, now(), 0, now() - seconds * interval '1 second'"
        " FROM unnest('{2, 20, 300}'::int[]) AS seconds"
    )
    with engine.connect() as reading:
        found = backlog(reading)
    engine.dispose()
    assert found["waiting"] == 2
    assert 300 <= found["longestWaitSeconds"] < 400


@pytest.mark.slow
def test_a_worker_killed_between_leaves_nothing_half_done(
    service: str, connection: psycopg.Connection, database_url: str
) -> None:
    order(service, "2026-03-01T12:00:00.090Z", "stock", "4 items reserved", 30)
    TraceCare(database_url).work(connection)
    order(service, "2026-03-01T12:00:00.100Z", "gateway", "POST /orders 201", 100)
    with psycopg.connect(database_url) as holder:
        # The line is read, its trace cannot be told.
        holder.execute("SELECT FROM trace_summaries FOR UPDATE")
        worker = subprocess.Popen(
            [sys.executable, "-m", "logstream", "worker"],
            cwd=APP.parent,
            env={**os.environ, "DATABASE_URL": database_url},
            stderr=subprocess.DEVNULL,
        )
        try:
            assert eventually(lambda: connection.execute(IS_WAITING).fetchone() == (1,))
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    assert eventually(lambda: connection.execute(IS_THERE).fetchone() == (0,))
    care = TraceCare(database_url)
    for _ in range(2):
        care.work(connection)
        assert [row[1] for row in connection.execute(COUNTED)] == [2]
