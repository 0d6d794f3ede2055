"""The fence between landing and closing, under way at the same time."""

import asyncio

import psycopg

from logstream.land import close_segments, seal
from tests.contract.conftest import Store
from tests.records import a_record
from tests.segments import counts_equal_rows

ROUNDS = 6
_LINES_IN_THE_NEWEST = """
SELECT count(*) FROM logs WHERE id >= (
    SELECT max(first_id) FROM segments, log_id_blocks
    WHERE state = 'open' AND last_value * 10000 >= first_id
)
"""
_STORED = """
SELECT state, row_count, (SELECT count(*) FROM logs WHERE id >= first_id AND id < end_id)
FROM segments
"""


def close_and_seal(connection: psycopg.Connection) -> None:
    """Once the newest segment holds some lines and has become old."""
    while connection.execute(_LINES_IN_THE_NEWEST).fetchall()[0][0] < 200:
        pass
    connection.execute(
        "UPDATE segments SET created_at = created_at - interval '3 days',"
        " closed_at = closed_at - interval '3 days'"
    )
    assert close_segments.close_due(connection, 3600) == 1
    assert seal.seal_next(connection, lambda: None)


async def test_lines_never_land_in_a_closed_segment(store: Store, database_url: str) -> None:
    is_over = asyncio.Event()

    async def land_until_over() -> int:
        landed = 0
        while not is_over.is_set():
            await store.land(*(a_record() for _ in range(50)))
            landed += 50
        return landed

    def care() -> None:
        with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as connection:
            for _ in range(ROUNDS):
                close_and_seal(connection)

    senders = [asyncio.create_task(land_until_over()) for _ in range(4)]
    try:
        await asyncio.to_thread(care)
    finally:
        is_over.set()
    landed = sum(await asyncio.gather(*senders))
    with psycopg.connect(database_url, autocommit=True) as connection:
        stored = connection.execute(_STORED).fetchall()
        assert counts_equal_rows(connection)
    sealed = [(described, found) for state, described, found in stored if state == "sealed"]
    assert len(sealed) == ROUNDS
    assert all(described == found for described, found in sealed)
    assert sum(found for _, _, found in stored) == landed
