"""The service starts without a database, loses it, gets another: nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from logstream.addresses import answers
from logstream.cli import APP
from logstream.land.embedded import EmbeddedPostgres
from tests.conftest import with_database
from tests.integration.test_up import RunningUp, up  # noqa: F401
from tests.service_thread import free_port, running_service, settings_for

PATIENCE_SECONDS = 30
_numbers = count(1)


@dataclass
class Server:
    """A PostgreSQL that a test may stop and start, and an empty database in it, not migrated."""

    postgres: EmbeddedPostgres
    name: str

    @property
    def url(self) -> str:
        return with_database(self.postgres.url, self.name)

    def start(self) -> None:
        self.postgres.start()

    def stop(self) -> None:
        self.postgres.stop()

    def execute(self, *statements: str) -> None:
        """Run statements from another database, in a session that may write."""
        with psycopg.connect(
            with_database(self.postgres.url, "template1"),
            autocommit=True,
            options="-c default_transaction_read_only=off",
        ) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), "the fault tests") as running:
        yield running


@pytest.fixture
def server(postgres: EmbeddedPostgres) -> Server:
    if not postgres.is_running():
        postgres.start()
    server = Server(postgres, f"fault_{next(_numbers)}")
    server.execute(f"CREATE DATABASE {server.name}")
    return server


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it comes true before our patience ends."""
    pause = threading.Event()
    return any(is_so() or pause.wait(0.1) for _ in range(PATIENCE_SECONDS * 10))


def post(base: str, message: str, key: str | None = None, **fields: object) -> dict[str, Any]:
    line = {"source": "checkout", "severity": "info", "message": message, **fields}
    headers = {} if key is None else {"Idempotency-Key": key}
    reply = httpx.post(f"{base}/logs/ingest", json=line, headers=headers, timeout=30)
    assert reply.status_code == 201, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def health(base: str) -> int:
    try:
        return httpx.get(f"{base}/health/ready", timeout=30).status_code
    except httpx.TransportError:
        return 0


def stored(url: str) -> list[str]:
    """Every stored message; the rollup must agree at any moment."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        messages = [row[0] for row in connection.execute("SELECT body FROM logs ORDER BY body")]
        [(counted,)] = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM log_counts"
        ).fetchall()
    assert counted == len(messages)
    return messages


def started(command: str, url: str, data_dir: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "logstream", command],
        cwd=APP.parent,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "LOGSTREAM_DATA_DIR": str(data_dir),
            "LOGSTREAM_PORT": str(port),
            "LOGSTREAM_LAND_TIMEOUT_SECONDS": "0.3",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def test_service_and_worker_start_without_a_database_and_heal_when_it_comes(
    server: Server, tmp_path: Path
) -> None:
    server.stop()
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    parts = [started(name, server.url, tmp_path, port) for name in ("serve", "worker")]
    try:
        assert eventually(lambda: health(base) == 503)
        assert httpx.get(f"{base}/health/live").status_code == 200
        assert [post(base, f"away {n}")["durable"] for n in range(5)] == ["spool"] * 5
        reply = httpx.get(f"{base}/health/ready").json()
        assert reply["error"]["code"] == "not_ready"
        assert reply["database"]["state"] == "away"
        assert reply["spool"]["lines"] == 5

        server.start()
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: stored(server.url) == [f"away {n}" for n in range(5)])
        assert post(base, "back")["durable"] == "database"
        assert stored(server.url) == [*(f"away {n}" for n in range(5)), "back"]
        assert all(part.poll() is None for part in parts)
    finally:
        for part in parts:
            part.send_signal(signal.SIGTERM)
        words = [part.communicate(timeout=PATIENCE_SECONDS)[1] for part in parts]
    assert "Traceback" not in "".join(words)
    assert "lines go into the spool until it is there" in words[0]
    assert {part.returncode for part in parts} <= {0, -signal.SIGTERM}


def test_a_service_killed_while_the_database_is_away_counts_and_lands_what_it_had_accepted(
    server: Server, tmp_path: Path
) -> None:
    server.stop()
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    first = started("serve", server.url, tmp_path, port)
    assert eventually(lambda: health(base) == 503)
    for n in range(8):
        assert post(base, f"line {n:02d}")["durable"] == "spool"
    first.kill()
    first.communicate()
    second = started("serve", server.url, tmp_path, port)
    try:
        assert eventually(lambda: health(base) == 503)
        assert httpx.get(f"{base}/health/ready").json()["spool"]["lines"] == 8
        server.start()
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: stored(server.url) == [f"line {n:02d}" for n in range(8)])
    finally:
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=PATIENCE_SECONDS)


def test_up_starts_without_its_database_and_is_ready_when_it_comes(
    server: Server,
    up: Callable[..., RunningUp],  # noqa: F811
) -> None:
    server.stop()
    running = up(DATABASE_URL=server.url)
    running.wait_for("lines are kept on disk until it is there")
    base = f"http://127.0.0.1:{running.port}"
    assert eventually(lambda: health(base) == 503)
    assert post(base, "early")["durable"] == "spool"
    # The dashboard is there as well, and says what it knows.
    dashboard = f"http://127.0.0.1:{running.dashboard_port}/_stcore/health"
    assert eventually(lambda: answers(dashboard))
    server.start()
    running.wait_until_ready()
    assert eventually(lambda: stored(server.url) == ["early"])


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_does_not_exist_stops_the_process_with_one_line(
    server: Server, tmp_path: Path, command: str
) -> None:
    url = with_database(server.url, "no_such_database")
    part = started(command, url, tmp_path, free_port())
    words = part.communicate(timeout=PATIENCE_SECONDS)[1]
    assert part.returncode == 2
    [line] = [line for line in words.splitlines() if line.startswith("logstream: ")]
    assert 'database "no_such_database" does not exist' in line


def test_questions_are_answered_from_memory_while_the_database_is_away(
    server: Server, tmp_path: Path
) -> None:
    settings = settings_for(server.url, tmp_path, land_timeout_seconds=0.3)
    with running_service(settings, has_database=False) as base:
        assert eventually(lambda: health(base) == 200)
        assert post(base, "landed", severity="error")["ids"] is not None
        server.stop()
        post(base, "spooled", severity="warn")
        post(base, "of another", source="cart", key="once")
        post(base, "of another", source="cart", key="once")

        recent = httpx.get(f"{base}/logs/recent")
        assert recent.status_code == 200
        assert recent.headers["X-LogStream-Source"] == "memory"
        lines = recent.json()
        assert [line["message"] for line in lines] == ["of another", "spooled", "landed"]
        assert [line["id"] is None for line in lines] == [True, True, False]
        filtered = httpx.get(f"{base}/logs/recent?service=checkout&severity=warn").json()
        assert [line["message"] for line in filtered] == ["spooled"]
        assert httpx.get(f"{base}/logs/{lines[2]['id']}").json()["message"] == "landed"

        breakdown = httpx.get(f"{base}/logs/severity-breakdown")
        assert breakdown.headers["X-LogStream-Source"] == "memory"
        assert [(part["severity"], part["count"]) for part in breakdown.json()] == [
            ("fatal", 0), ("error", 1), ("warn", 1), ("info", 1), ("debug", 0), ("trace", 0),
        ]  # fmt: skip

        trend = httpx.get(f"{base}/logs/trend")
        assert trend.status_code == 503
        # The batch that was sent twice is in the spool twice; it lands once.
        assert "3 lines are safe in the spool" in trend.json()["error"]["message"]
        assert "away since 20" in trend.json()["error"]["message"]

        facts = httpx.get(f"{base}/system").json()["service"]
        assert facts["database"]["state"] == "away"
        assert facts["spool"]["lines"] == 3
        assert facts["spool"]["bytes"] > 0
        assert facts["spool"]["oldestAt"] is not None
        metrics = httpx.get(f"{base}/metrics").text
        for line in (
            "logstream_spool_lines 3.0",
            "logstream_spool_nearly_full 0.0",
            "logstream_database_up 0.0",
        ):
            assert f"\n{line}\n" in metrics

        server.start()
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: stored(server.url) == ["landed", "of another", "spooled"])
        healed = httpx.get(f"{base}/logs/recent")
        assert "X-LogStream-Source" not in healed.headers
        assert len(healed.json()) == 3
        assert all(line["id"] for line in healed.json())


def test_a_database_that_comes_back_empty_gets_the_schema_and_the_lines_of_the_spool(
    server: Server, tmp_path: Path
) -> None:
    settings = settings_for(server.url, tmp_path, land_timeout_seconds=0.3)
    with running_service(settings, has_database=False) as base:
        assert eventually(lambda: health(base) == 200)
        post(base, "gone with the old database")
        server.execute(f"DROP DATABASE {server.name} WITH (FORCE)")
        assert post(base, "while there was none")["durable"] == "spool"
        server.execute(f"CREATE DATABASE {server.name}")
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: stored(server.url) == ["while there was none"])
        assert post(base, "with the new one")["durable"] == "database"
        assert stored(server.url) == ["while there was none", "with the new one"]


def test_tables_that_vanish_under_a_connection_are_made_again_and_no_line_is_refused(
    server: Server, tmp_path: Path
) -> None:
    settings = settings_for(server.url, tmp_path, land_timeout_seconds=0.3)
    with running_service(settings, has_database=False) as base:
        assert eventually(lambda: health(base) == 200)
        assert post(base, "in tables that vanish")["durable"] == "database"
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        assert post(base, "without tables")["rejected"] == []
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: stored(server.url) == ["without tables"])


def test_a_read_only_database_takes_no_lines_and_loses_none(server: Server, tmp_path: Path) -> None:
    settings = settings_for(server.url, tmp_path, land_timeout_seconds=0.3)
    with running_service(settings, has_database=False) as base:
        assert eventually(lambda: health(base) == 200)
        post(base, "before")
        server.execute(
            "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"
        )
        try:
            assert eventually(lambda: post(base, "during")["durable"] == "spool")
            assert health(base) == 503
            # It can still be read, so nothing is answered from memory.
            assert "X-LogStream-Source" not in httpx.get(f"{base}/logs/recent").headers
        finally:
            server.execute(
                "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"
            )
        assert eventually(lambda: health(base) == 200)
        assert httpx.get(f"{base}/health/ready").json()["spool"]["lines"] == 0
        assert stored(server.url)[0] == "before"


def test_two_services_with_one_data_directory_land_their_spools_once(
    server: Server, tmp_path: Path
) -> None:
    server.stop()
    both = [settings_for(server.url, tmp_path, land_timeout_seconds=0.3) for _ in range(2)]
    with (
        running_service(both[0], has_database=False) as first,
        running_service(both[1], has_database=False) as second,
    ):
        for n in range(10):
            assert post(first, f"of the first {n}")["durable"] == "spool"
            assert post(second, f"of the second {n}")["durable"] == "spool"
            # A sender whose answer was lost asks the other one.
            post(first, f"sent to both {n}", key=f"key-{n}")
            post(second, f"sent to both {n}", key=f"key-{n}")
        server.start()
        assert eventually(lambda: health(first) == health(second) == 200)
        assert eventually(lambda: len(stored(server.url)) >= 30)
        for base in (first, second):
            assert eventually(
                lambda base=base: httpx.get(f"{base}/health/ready").json()["spool"]["lines"] == 0  # type: ignore[misc]
            )
    assert stored(server.url) == sorted(
        f"{kind} {n}"
        for n in range(10)
        for kind in ("of the first", "of the second", "sent to both")
    )


def test_a_spool_that_cannot_be_written_refuses_and_takes_again_when_it_can(
    server: Server, tmp_path: Path
) -> None:
    server.stop()
    settings = settings_for(server.url, tmp_path, land_timeout_seconds=0.3, spool_max_bytes=2_400)
    with running_service(settings, has_database=False) as base:
        line = {"source": "checkout", "message": "x" * 700}
        answers = [httpx.post(f"{base}/logs/ingest", json=line, timeout=30) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 503, 503]
        assert answers[2].headers["Retry-After"] == "2"
        assert httpx.get(f"{base}/health/ready").json()["spool"]["isNearlyFull"] is True
        assert "\nlogstream_spool_nearly_full 1.0\n" in httpx.get(f"{base}/metrics").text
        server.start()
        assert eventually(lambda: health(base) == 200)
        assert eventually(lambda: len(stored(server.url)) == 2)
        assert httpx.post(f"{base}/logs/ingest", json=line, timeout=30).status_code == 201
    assert len(stored(server.url)) == 3
