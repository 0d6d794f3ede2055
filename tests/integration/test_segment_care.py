"""The worker's care for segments, and what it tells about it."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from logstream.cli import APP
from logstream.land import close_segments, seal
from logstream.land.postgres import PostgresWriter
from logstream.ports import Batch
from logstream.segment_care import SegmentCare
from logstream.settings import Settings
from tests.integration.test_up import eventually
from tests.records import a_span
from tests.segments import hand_out_blocks, make_segment, state_of

IS_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logstream-seal'"
    " AND wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=SecretStr(database_url), data_dir=tmp_path)


def full_segment(connection: psycopg.Connection) -> int:
    first_id = make_segment(connection, 1, [{}, {}])
    hand_out_blocks(connection, first_id + 1_000_000)
    return first_id


def logstream(settings: Settings, *arguments: str, **environment: str) -> str:
    assert settings.database_url is not None
    done = subprocess.run(
        [sys.executable, "-m", "logstream", *arguments],
        cwd=APP.parent,
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "COLUMNS": "120",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_full_segments_are_closed_and_sealed(
    connection: psycopg.Connection, database_url: str, settings: Settings
) -> None:
    first_id = full_segment(connection)
    with SegmentCare(database_url, settings):
        assert eventually(lambda: state_of(connection, first_id) == "sealed")


def test_the_end_of_the_lead_cancels_what_is_running(
    connection: psycopg.Connection,
    database_url: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without a limit the statement would wait for ever for the lock that we hold.
    monkeypatch.setattr(seal, "SESSION", "-c lock_timeout=0")
    first_id = full_segment(connection)
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE logs_000001 IN SHARE UPDATE EXCLUSIVE MODE")
        with SegmentCare(database_url, settings):
            assert eventually(lambda: connection.execute(IS_WAITING).fetchone() == (1,))
        assert state_of(connection, first_id) == "closed"
    with SegmentCare(database_url, settings):
        assert eventually(lambda: state_of(connection, first_id) == "sealed")


def test_a_lost_connection_is_opened_again(
    connection: psycopg.Connection, database_url: str, settings: Settings
) -> None:
    with psycopg.connect(database_url) as holder:
        first_id = full_segment(connection)
        holder.execute("LOCK TABLE logs_000001 IN SHARE UPDATE EXCLUSIVE MODE")
        with SegmentCare(database_url, settings):
            assert eventually(lambda: connection.execute(IS_WAITING).fetchone() == (1,))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'logstream-seal' AND datname = current_database()"
            )
            holder.rollback()
            assert eventually(lambda: state_of(connection, first_id) == "sealed")


@pytest.mark.slow
def test_the_worker_ends_in_the_middle_of_a_seal(
    connection: psycopg.Connection, database_url: str, settings: Settings
) -> None:
    full_segment(connection)
    close_segments.close_due(connection, 3600)
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE logs_000001 IN SHARE UPDATE EXCLUSIVE MODE")
        process = subprocess.Popen(
            [sys.executable, "-m", "logstream", "worker"],
            cwd=APP.parent,
            env={**os.environ, "DATABASE_URL": database_url},
            stderr=subprocess.PIPE,
        )
        assert eventually(lambda: connection.execute(IS_WAITING).fetchone() == (1,))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"Traceback" not in said


@pytest.mark.slow
def test_retention_by_hand_tells_first_and_then_removes(
    connection: psycopg.Connection, settings: Settings
) -> None:
    make_segment(
        connection,
        1,
        [{}, {"severity_number": 5}, {"environment": "staging"}],
        state="closed",
        closed_days_ago=8,
    )
    close_segments.describe_closed(connection)
    assert "kept for ever" in logstream(settings, "retention")
    rules = {"LOGSTREAM_RETENTION_RULES": "*/debug=3,staging=7"}
    told = logstream(settings, "retention", "--dry-run", **rules)
    assert "2 lines past their retention" in told
    assert "segment written anew" in told and "7 days" in told and "staging" in told
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (3,)
    assert "removed 2 lines" in logstream(settings, "retention", **rules)
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (1,)


@pytest.mark.slow
def test_sealing_by_hand_adds_trigrams_on_request(
    connection: psycopg.Connection, settings: Settings
) -> None:
    first_id = full_segment(connection)
    assert "sealed 1 segment" in logstream(settings, "seal", "--trigram", "--to", "2020-01-01")
    assert state_of(connection, first_id) == "sealed"
    said = logstream(settings, "seal", "--trigram", "--from", "2026-03-01")
    assert "logs_000001 has a trigram index" in said


async def test_spans_are_sealed_by_the_worker_and_removed_by_the_command(
    connection: psycopg.Connection, database_url: str, settings: Settings
) -> None:
    writer = PostgresWriter(database_url)
    spans = [a_span(f"{n}", environment="staging") for n in range(3)]
    await writer.write([writer.encode(Batch([], spans=spans))], uuid.uuid4())
    await writer.disconnect()
    connection.execute("UPDATE span_segments SET created_at = created_at - interval '9 days'")
    state = "SELECT state, row_count FROM span_segments WHERE first_id = 0"
    with SegmentCare(database_url, settings):
        assert eventually(lambda: connection.execute(state).fetchone() == ("sealed", 3))
    connection.execute("UPDATE span_segments SET closed_at = closed_at - interval '9 days'")
    rules = {"LOGSTREAM_RETENTION_RULES": "staging=7"}
    told = logstream(settings, "retention", "--dry-run", **rules)
    assert "3 spans past their retention" in told
    assert "removed 0 lines and 3 spans" in logstream(settings, "retention", **rules)
    assert connection.execute("SELECT count(*) FROM spans").fetchone() == (0,)
