"""Moving the spool into the database: senders do not wait for it, and no line comes twice."""

import asyncio
from pathlib import Path

import psycopg

from logstream.land.upkeep import forget_batches
from tests.faults.test_database_away import group_commit, land, stored, until_empty

SECONDS_OF_COMMIT = 1.0
# Runs in COMMIT, and is not to be cancelled: the group lands although nobody waits for it.
SLOW_COMMIT = f"""
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep({SECONDS_OF_COMMIT}); RETURN NULL;
EXCEPTION WHEN query_canceled THEN
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON batches DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION linger();
"""


async def test_a_line_is_spooled_while_an_earlier_one_waits_for_the_database(
    database_url: str, tmp_path: Path
) -> None:
    writer = group_commit(database_url, tmp_path / "spool")
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        # As an ALTER TABLE or a VACUUM FULL would.
        await other.execute("LOCK TABLE logs IN ACCESS EXCLUSIVE MODE")
        try:
            assert (await land(writer, "first")).durable == "spool"
            await until(database_url, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            async with asyncio.timeout(10):  # of 60 that the replay may take
                assert (await land(writer, "second")).durable == "spool"
        finally:
            await other.rollback()
            await until_empty(writer)
            await writer.close()
    assert stored(database_url) == ["first", "second"]


async def test_a_group_that_landed_unheard_days_ago_is_not_landed_again(
    database_url: str, tmp_path: Path
) -> None:
    """The service was away over the weekend, the database and the worker were not."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(SLOW_COMMIT)
        writer = group_commit(database_url, tmp_path / "spool")
        assert (await land(writer, "once")).durable == "spool"
        await writer.close()
        await until(database_url, "SELECT EXISTS (SELECT FROM logs)")
        database.execute("DROP FUNCTION linger CASCADE")
        database.execute("UPDATE batches SET landed_at = landed_at - interval '2 days'")
        forget_batches(database, 7)
    again = group_commit(database_url, tmp_path / "spool")
    await until_empty(again)
    await again.close()
    assert stored(database_url) == ["once"]


async def until(database_url: str, question: str) -> None:
    """Until the database answers true."""
    async with (
        asyncio.timeout(60),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as looking,
    ):
        while (await (await looking.execute(question)).fetchone()) != (True,):
            await asyncio.sleep(0.05)
