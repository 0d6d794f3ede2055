"""The store's contract is held on every PostgreSQL there is here."""

import psycopg

from tests.system_postgres import OLDEST_MAJOR


def test_the_server_is_one_that_we_support(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.info.server_version // 10_000 >= OLDEST_MAJOR
