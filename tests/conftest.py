"""One real PostgreSQL for the whole session, a fresh database for each test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlsplit

import psycopg
import pytest

from logstream.land.embedded import EmbeddedPostgres
from tests.system_postgres import system_binaries, system_postgres

OTHER_SERVER = "LOGSTREAM_TEST_DATABASE_URL"
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server's maintenance URL: the embedded one, or LOGSTREAM_TEST_DATABASE_URL's.

    The contract tests ask for `system` too: the PostgreSQL that is installed here.
    """
    given = os.environ.get(OTHER_SERVER)
    if getattr(request, "param", "embedded") == "system":
        binaries = system_binaries()
        assert binaries is not None
        with system_postgres(binaries) as url:
            yield url
        return
    if given:
        yield given
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("data"), "the tests") as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """Name of a migrated, empty database that `CREATE DATABASE … TEMPLATE` copies."""
    from logstream.wiring import migrate  # here: unit tests start without the whole library

    name = f"logstream_template_{os.getpid()}"
    _run(postgres_url, f'CREATE DATABASE "{name}"')
    try:
        migrate(with_database(postgres_url, name))
        _run(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        yield name
    finally:
        _run(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """URL of a database of this test's own, migrated and empty; dropped afterwards."""
    with new_database(postgres_url, migrated_template) as url:
        yield url


@contextmanager
def new_database(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """URL of a database that exists as long as the block, migrated and empty."""
    name = f"logstream_test_{os.getpid()}_{next(_numbers)}"
    _run(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
    try:
        yield with_database(postgres_url, name)
    finally:
        _run(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def with_database(url: str, name: str) -> str:
    """The same server's URL for another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
