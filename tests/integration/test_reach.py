"""Which databases are waited for, and which addresses are wrong."""

import psycopg
import pytest

from logstream.errors import SettingsError, StoreUnavailable
from logstream.wiring import migrate
from tests.conftest import with_database
from tests.service_thread import free_port


def test_a_server_that_refuses_connections_is_waited_for() -> None:
    with pytest.raises(StoreUnavailable, match="Connection refused"):
        migrate(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/logs")


def test_a_host_without_an_address_is_waited_for() -> None:
    """In Compose and Kubernetes a name is there only as long as its container."""
    with pytest.raises(StoreUnavailable, match=r"nowhere\.invalid"):
        migrate("postgresql://me:s3cret@nowhere.invalid/logs")


def test_a_database_that_does_not_exist_is_a_wrong_setting(postgres_url: str) -> None:
    with pytest.raises(SettingsError, match='database "no_such" does not exist'):
        migrate(with_database(postgres_url, "no_such"))


def test_a_role_that_does_not_exist_is_a_wrong_setting(postgres_url: str) -> None:
    stranger = postgres_url.replace("postgresql://logstream@", "postgresql://stranger@", 1)
    assert stranger != postgres_url
    with pytest.raises(SettingsError, match="DATABASE_URL cannot be used"):
        migrate(stranger)


def test_a_server_with_no_connection_left_is_waited_for(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE one_at_a_time LOGIN CONNECTION LIMIT 0")
        try:
            limited = database_url.replace("postgresql://logstream@", "postgresql://one_at_a_time@")
            with pytest.raises(StoreUnavailable, match="too many connections"):
                migrate(limited)
        finally:
            connection.execute("DROP ROLE one_at_a_time")


def test_a_read_only_database_without_the_schema_is_waited_for(postgres_url: str) -> None:
    name = "read_only_and_empty"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            with pytest.raises(StoreUnavailable, match="read-only"):
                migrate(with_database(postgres_url, name))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
