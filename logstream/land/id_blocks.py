"""Ids before rows: a landing process takes blocks of ids and hands them out itself.

So the reply names its ids without asking the database row by row, and ids grow with
arrival. What a dying process had left of its block is never used: ids have holes.
"""

import psycopg

from logstream.land.segments import SegmentedTable, Segments

IDS_PER_BLOCK = 10_000


class IdBlocks:
    """Hands out consecutive ids of a table, from blocks reserved through its sequence."""

    def __init__(self, table: SegmentedTable) -> None:
        self._sequence = table.blocks
        self._segments = Segments(table)
        self._next = 0
        self._end = 0

    async def take(self, connection: psycopg.AsyncConnection, count: int) -> int:
        """The first of `count` consecutive ids, never given to anybody before; 0 of none.

        The segments they lie in are there; must run outside a transaction.
        """
        if not count:
            return 0
        while self._end - self._next < count:
            await self._reserve(connection, count)
        first = self._next
        self._next += count
        await self._segments.ensure(connection, first + count - 1)
        return first

    def give_up(self) -> None:
        """Never use what is left: its segment takes no more lines."""
        self._next = self._end = 0

    async def _reserve(self, connection: psycopg.AsyncConnection, count: int) -> None:
        missing = count - (self._end - self._next)
        blocks = -(-missing // IDS_PER_BLOCK)
        cursor = await connection.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [self._sequence, blocks]
        )
        taken = [int(row[0]) for row in await cursor.fetchall()]
        for block in taken:
            # Another process may have taken a block in between; then the run starts anew,
            # and what was left of the old one is dropped.
            if block * IDS_PER_BLOCK != self._end or self._end == 0:
                self._next = block * IDS_PER_BLOCK or 1
            self._end = (block + 1) * IDS_PER_BLOCK
