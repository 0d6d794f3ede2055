"""Segments: the partitions of `logs` and of `spans`, each a range of one million ids.

A segment is made before the first id in it is used, one ahead, by whichever landing
process gets there first.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

IDS_PER_SEGMENT = 1_000_000


@dataclass(frozen=True)
class SegmentedTable:
    """A table in segments: its name, the table that lists them, the sequence of its id blocks."""

    name: str
    catalogue: str
    blocks: str
    # Advisory locks. Taken to make a segment:
    making_lock: int
    # The first of two keys, the second is the segment's number: shared by every transaction
    # that lands in the segment, exclusive for the one that closes it.
    writer_lock: int
    # Likewise: held by whoever seals it or removes rows from it.
    care_lock: int


LOGS = SegmentedTable("logs", "segments", "log_id_blocks", 0x5365_676D, 0x5367_5772, 0x5365_616C)
SPANS = SegmentedTable(
    "spans", "span_segments", "span_id_blocks", 0x5370_676D, 0x5370_5772, 0x5370_616C
)


class Segments:
    """Knows which segments of a table exist and makes the missing ones."""

    def __init__(self, table: SegmentedTable) -> None:
        self._table = table
        self._end_id = 0

    async def ensure(self, connection: psycopg.AsyncConnection, last_id: int) -> None:
        """Make every segment up to the one after `last_id`'s; must run outside a transaction."""
        while last_id + IDS_PER_SEGMENT >= self._end_id:
            async with connection.transaction():
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(%s)", [self._table.making_lock]
                )
                cursor = await connection.execute(
                    sql.SQL("SELECT coalesce(max(end_id), 0) FROM {}").format(
                        sql.Identifier(self._table.catalogue)
                    )
                )
                row = await cursor.fetchone()
                self._end_id = int(row[0]) if row else 0
                if last_id + IDS_PER_SEGMENT >= self._end_id:
                    # Never skips one: another process may still hold ids of a lower segment.
                    await _create(connection, self._table, self._end_id)
                    self._end_id += IDS_PER_SEGMENT


async def _create(
    connection: psycopg.AsyncConnection, table: SegmentedTable, first_id: int
) -> None:
    name = f"{table.name}_{first_id // IDS_PER_SEGMENT:06d}"
    leaf, parent = sql.Identifier(name), sql.Identifier(table.name)
    # Made apart and then attached, because CREATE TABLE … PARTITION OF would lock out readers.
    await connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(leaf, parent)
    )
    await connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            parent, leaf, sql.Literal(first_id), sql.Literal(first_id + IDS_PER_SEGMENT)
        )
    )
    await connection.execute(
        sql.SQL("INSERT INTO {} (first_id, end_id, name) VALUES (%s, %s, %s)").format(
            sql.Identifier(table.catalogue)
        ),
        [first_id, first_id + IDS_PER_SEGMENT, name],
    )
