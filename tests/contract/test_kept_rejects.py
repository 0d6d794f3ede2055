"""What is kept of refused records stays within bounds, the newest first."""

import psycopg

from logstream.land import upkeep
from logstream.land.kept_rejects import mark_resent


def test_the_oldest_go_when_there_are_too_many_or_too_large_ones(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO rejects (environment, record_index, error, raw)"
            " SELECT 'production', n, 'bad', repeat('x', 97)::bytea FROM generate_series(1, 10) n"
        )

        def left() -> list[int]:
            rows = connection.execute("SELECT record_index FROM rejects ORDER BY id").fetchall()
            return [row[0] for row in rows]

        assert upkeep.trim_rejects(connection) == 0
        assert upkeep.trim_rejects(connection, max_rows=6) == 4
        assert left() == [5, 6, 7, 8, 9, 10]
        # 97 bytes and "bad": three of them are 300.
        assert upkeep.trim_rejects(connection, max_bytes=350) == 3
        assert left() == [8, 9, 10]


def test_sending_again_is_noted_once(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO rejects (environment, record_index, error, raw)"
            " VALUES ('production', 0, 'bad', 'x')"
        )
        moments = []
        for _ in range(2):
            mark_resent(database_url, 1)
            moments += connection.execute("SELECT resent_at FROM rejects").fetchall()
    assert moments[0] == moments[1] != (None,)
