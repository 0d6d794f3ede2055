"""The worker's care for patterns: within seconds, and from wherever it was killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from logstream.cli import APP
from logstream.explain import pattern_upkeep
from logstream.pattern_care import PatternCare
from tests.integration.test_up import eventually

USERS = ("rita", "gusto", "mira", "pumuckl", "zoltan", "hyun", "wiktor", "ingrid")
IS_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logstream-patterns'"
    " AND wait_event_type = 'Lock' AND datname = current_database()"
)
GROUPED = "SELECT count(*) FROM skeletons WHERE pattern_id IS NOT NULL"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def sign_in(service: str, *users: str) -> None:
    records = [{"source": "door", "message": f"User {user} signed in"} for user in users]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201


def patterns_of(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT template, skeleton_count FROM patterns").fetchall()


def test_what_landed_is_grouped_and_what_comes_later_joins(
    service: str,
    connection: psycopg.Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logstream.care.ROUND_SECONDS", 0.1)
    sign_in(service, *USERS[:7])
    with PatternCare(database_url):
        assert eventually(lambda: patterns_of(connection) == [("User <word> signed in", 7)])
        sign_in(service, USERS[7])
        assert eventually(lambda: patterns_of(connection) == [("User <word> signed in", 8)])
    [found] = httpx.get(f"{service}/logs/patterns").json()["patterns"]
    assert (found["template"], found["count"]) == ("User <word> signed in", 8)
    values = httpx.get(f"{service}/logs/patterns/{found['id']}/values").json()
    assert values["places"][0]["distinct"] == 8


def test_a_service_that_takes_long_is_not_grouped_all_the_time(
    service: str,
    connection: psycopg.Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logstream.pattern_care._QUICK_SECONDS", -1.0)
    monkeypatch.setattr("logstream.pattern_care._REST_FACTOR", 1_000_000.0)
    care = PatternCare(database_url)
    sign_in(service, *USERS[:2])
    assert not care.work(connection)
    sign_in(service, *USERS[2:])
    care.work(connection)
    assert connection.execute(GROUPED).fetchone() == (2,)


@pytest.mark.slow
def test_a_worker_killed_between_leaves_nothing_half_done(
    service: str, connection: psycopg.Connection, database_url: str
) -> None:
    sign_in(service, *USERS)
    with psycopg.connect(database_url) as holder:
        # Skeletons can be written, the patterns that they name cannot.
        holder.execute("LOCK TABLE patterns IN SHARE MODE")
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
        # Landing goes on meanwhile, new skeletons included.
        sign_in(service, "someone new and else")
    assert eventually(
        lambda: (
            connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'logstream-patterns' AND datname = current_database()"
            ).fetchone()
            == (0,)
        )
    )
    assert connection.execute(GROUPED).fetchone() == (0,)
    assert patterns_of(connection) == []
    for name in pattern_upkeep.waiting_services(connection):
        pattern_upkeep.group_service(connection, name)
    assert sorted(patterns_of(connection)) == [
        ("User <word> signed in", 8),
        ("User someone new and else signed in", 1),
    ]
