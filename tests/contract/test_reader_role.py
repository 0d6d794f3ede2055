"""Readers work as a role that can read and nothing else."""

import psycopg
import pytest
import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.query.reader import PostgresReader
from logstream.wiring import migrate, open_engine
from tests.conftest import with_database
from tests.contract.conftest import Store
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore


async def test_a_reader_sees_lines_of_segments_made_after_the_role(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(a_record())
    with reader._engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_user")) == "logstream_reader"
        assert connection.scalar(sa.text("SELECT count(*) FROM logs")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM logs",
        "INSERT INTO services (environment, service_name) VALUES ('a', 'b')",
        "DROP TABLE segments",
        "CREATE TABLE mine (id int)",
        "COPY logs TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT hash FROM api_keys",
    ],
)
def test_what_a_reader_smuggles_in_is_refused(reader: PostgresReader, statement: str) -> None:
    with reader._engine.connect() as connection:
        connection.execute(sa.text("SET TRANSACTION READ WRITE"))
        with pytest.raises(sa.exc.ProgrammingError) as refused:
            connection.execute(sa.text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_a_reader_knows_the_facts_about_the_store(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    segments.land([a_record() for _ in range(3)], 0)
    segments.fold()
    segments.land([a_record()], 0)
    facts = reader.system()
    assert facts["lines"] == 4
    assert facts["logsBytes"] > 0


def test_migrating_again_and_beside_another_database_changes_nothing(
    postgres_url: str, database_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE logstream_beside")
        try:
            migrate(with_database(postgres_url, "logstream_beside"))
            migrate(database_url)
            for url in (database_url, with_database(postgres_url, "logstream_beside")):
                reader = PostgresReader(
                    open_engine(url, statement_timeout_seconds=10, read_only=True)
                )
                assert reader.recent(LogFilter(), limit=1, now_unix_nano=NOON) == []
                reader.close()
        finally:
            connection.execute("DROP DATABASE logstream_beside WITH (FORCE)")


def test_who_may_not_make_roles_migrates_and_reads_all_the_same(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain_owner LOGIN")
        try:
            connection.execute("CREATE DATABASE logstream_plain OWNER plain_owner")
            plain = with_database(postgres_url, "logstream_plain").replace(
                "//logstream@", "//plain_owner@"
            )
            migrate(plain)
            engine = open_engine(plain, statement_timeout_seconds=10, read_only=True)
            with engine.connect() as asking:
                assert asking.scalar(sa.text("SELECT current_user")) == "plain_owner"
                with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
                    asking.execute(sa.text("DELETE FROM logs"))
            engine.dispose()
        finally:
            connection.execute("DROP DATABASE IF EXISTS logstream_plain WITH (FORCE)")
            connection.execute("DROP ROLE plain_owner")


def test_a_migrated_database_that_is_read_only_now_is_left_as_it_is(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
            " current_database()); END $$"
        )
    migrate(database_url)
