"""A writer and a reader over one fresh database."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from logstream.land.group_commit import GroupCommit
from logstream.land.postgres import PostgresWriter
from logstream.land.spool import Spool
from logstream.model import LogRecord
from logstream.ports import Batch, Landed
from logstream.query.reader import PostgresReader
from logstream.query.trace_reader import PostgresTraceReader
from logstream.wiring import open_engine
from tests.counted_services import CountedServices
from tests.segmented_store import SegmentedStore
from tests.system_postgres import system_binaries
from tests.trace_store import TraceStore


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the store runs on the embedded server and on an installed older one."""
    if "postgres_url" in metafunc.fixturenames:
        servers = ["embedded", "system"] if system_binaries() else ["embedded"]
        metafunc.parametrize("postgres_url", servers, indirect=True, scope="session")


@pytest.fixture
def reader(database_url: str) -> Iterator[PostgresReader]:
    engine = open_engine(database_url, statement_timeout_seconds=10, read_only=True)
    opened = PostgresReader(engine)
    yield opened
    opened.close()


@pytest.fixture
def trace_reader(database_url: str) -> Iterator[PostgresTraceReader]:
    engine = open_engine(database_url, statement_timeout_seconds=10, read_only=True)
    opened = PostgresTraceReader(engine)
    yield opened
    opened.close()


@pytest.fixture
def traces(database_url: str) -> Iterator[TraceStore]:
    """Spans and the summaries of their traces, written at once."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield TraceStore(connection)


@pytest.fixture
def segments(database_url: str) -> Iterator[SegmentedStore]:
    """Lines in segments that a test closes and seals as it likes."""
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield SegmentedStore(connection)


@pytest.fixture
def counted(database_url: str) -> Iterator[CountedServices]:
    """Counts of services and calls, put where landing and the worker put them."""
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield CountedServices(connection)


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    """A connection as questions have it."""
    engine = open_engine(database_url, statement_timeout_seconds=10, read_only=True)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@dataclass
class Store:
    """A started writer and what it announced."""

    writer: GroupCommit
    announced: list[tuple[int, list[LogRecord]]]

    async def land(self, *records: LogRecord, key: str | None = None) -> Landed:
        return await self.writer.land(Batch(records, key=key, environment="production"))


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    announced: list[tuple[int, list[LogRecord]]] = []
    writer = GroupCommit(
        PostgresWriter(database_url),
        Spool(tmp_path / "spool", max_bytes=1024 * 1024),
        on_landed=lambda first_id, records: announced.append((first_id, list(records))),
        max_pending_bytes=1024 * 1024,
        land_timeout_seconds=5,
    )
    writer.start()
    yield Store(writer, announced)
    await writer.close()
