"""Segments: the partitions of `logs`, each a range of one million ids.

A segment is made before the first id in it is used, one ahead, by whichever landing
process gets there first.
"""

import psycopg
from psycopg import sql

IDS_PER_SEGMENT = 1_000_000
SEGMENT_LOCK = 0x5365_676D
# With a segment's number the two keys of an advisory lock: shared by every transaction that
# lands in the segment, exclusive for the one that closes it.
WRITER_LOCK = 0x5367_5772


class Segments:
    """Knows which segments exist and makes the missing ones."""

    def __init__(self) -> None:
        self._end_id = 0

    async def ensure(self, connection: psycopg.AsyncConnection, last_id: int) -> None:
        """Make every segment up to the one after `last_id`'s; must run outside a transaction."""
        while last_id + IDS_PER_SEGMENT >= self._end_id:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", [SEGMENT_LOCK])
                cursor = await connection.execute("SELECT coalesce(max(end_id), 0) FROM segments")
                row = await cursor.fetchone()
                self._end_id = int(row[0]) if row else 0
                if last_id + IDS_PER_SEGMENT >= self._end_id:
                    # Never skips one: another process may still hold ids of a lower segment.
                    await _create(connection, self._end_id)
                    self._end_id += IDS_PER_SEGMENT


async def _create(connection: psycopg.AsyncConnection, first_id: int) -> None:
    name = f"logs_{first_id // IDS_PER_SEGMENT:06d}"
    table = sql.Identifier(name)
    # Made apart and then attached, because CREATE TABLE … PARTITION OF would lock out readers.
    await connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE logs INCLUDING DEFAULTS)").format(table)
    )
    await connection.execute(
        sql.SQL("ALTER TABLE logs ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            table, sql.Literal(first_id), sql.Literal(first_id + IDS_PER_SEGMENT)
        )
    )
    await connection.execute(
        "INSERT INTO segments (first_id, end_id, name) VALUES (%s, %s, %s)",
        [first_id, first_id + IDS_PER_SEGMENT, name],
    )
