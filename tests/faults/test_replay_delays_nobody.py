"""While the spool is being moved into a database that stands still, senders are answered."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from tests.faults.test_database_away import group_commit, land, stored, until_empty


@pytest.mark.xfail(
    reason="the landing loop waits for the replay, up to REPLAY_TIMEOUT_SECONDS", strict=True
)
async def test_a_line_is_spooled_while_an_earlier_one_waits_for_the_database(
    database_url: str, tmp_path: Path
) -> None:
    writer = group_commit(database_url, tmp_path / "spool")
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        # As an ALTER TABLE or a VACUUM FULL would.
        await other.execute("LOCK TABLE logs IN ACCESS EXCLUSIVE MODE")
        try:
            assert (await land(writer, "first")).durable == "spool"
            await until_somebody_waits(database_url)
            async with asyncio.timeout(20):  # of 60 that the replay may take
                assert (await land(writer, "second")).durable == "spool"
        finally:
            await other.rollback()
            await until_empty(writer)
            await writer.close()
    assert stored(database_url) == ["first", "second"]


async def until_somebody_waits(database_url: str) -> None:
    """Until a session waits for a lock: the replay has begun."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as looking:
        while True:
            cursor = await looking.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if (await cursor.fetchone()) != (0,):
                return
            await asyncio.sleep(0.05)
