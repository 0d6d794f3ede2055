"""The worker process in front of a database that is not as it should be."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from logstream.cli import APP
from tests.integration.test_up import eventually

pytestmark = pytest.mark.slow

UNFOLDED = "SELECT count(*) FROM log_counts WHERE NOT is_folded"


@pytest.fixture
def worker(database_url: str, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A running worker; calling it gives what it said so far."""
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "logstream", "worker"],
            cwd=APP.parent,
            env={**os.environ, "DATABASE_URL": database_url, "LOGSTREAM_DATA_DIR": str(tmp_path)},
            stderr=output,
        )
    yield said.read_text
    assert process.poll() is None, said.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def count_two_lines(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO log_counts (bucket, environment, service_name, severity_number, count)"
        " SELECT date_trunc('minute', now()), 'production', 'checkout', 9, 1"
        " FROM generate_series(1, 2)"
    )


def has_folded(connection: psycopg.Connection) -> bool:
    row = connection.execute(UNFOLDED).fetchone()
    return row == (0,)


@pytest.fixture
def read_only(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection that may write to a database whose sessions begin read-only."""
    with psycopg.connect(
        database_url, autocommit=True, options="-c default_transaction_read_only=off"
    ) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        yield connection


def test_a_read_only_database_is_waited_for(
    read_only: psycopg.Connection, worker: Callable[[], str]
) -> None:
    count_two_lines(read_only)
    assert eventually(lambda: "the database is read-only" in worker())
    read_only.execute(
        f'ALTER DATABASE "{read_only.info.dbname}" RESET default_transaction_read_only'
    )
    assert eventually(lambda: has_folded(read_only))
    assert "Traceback" not in worker()


def test_a_fault_of_upkeep_is_told_and_does_not_end_the_worker(
    database_url: str, worker: Callable[[], str]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE log_counts RENAME TO elsewhere")
        assert eventually(lambda: "upkeep failed" in worker())
        connection.execute("ALTER TABLE elsewhere RENAME TO log_counts")
        count_two_lines(connection)
        assert eventually(lambda: has_folded(connection))
