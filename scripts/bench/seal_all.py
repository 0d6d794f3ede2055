"""The worker's upkeep at once: counts folded, all segments but the newest closed and sealed."""

import psycopg

from logstream.land import close_segments, seal, upkeep
from logstream.land.id_blocks import IDS_PER_BLOCK
from logstream.land.segments import IDS_PER_SEGMENT

_BLOCKS_PER_SEGMENT = IDS_PER_SEGMENT // IDS_PER_BLOCK


def next_segment(connection: psycopg.Connection) -> None:
    """Let the next block of ids be the first of a segment; nobody may be landing."""
    connection.execute(
        "SELECT setval('log_id_blocks', (last_value / %(blocks)s + 1) * %(blocks)s - 1)"
        " FROM log_id_blocks",
        {"blocks": _BLOCKS_PER_SEGMENT},
    )


def seal_all(connection: psycopg.Connection) -> None:
    """Leave the segment that lands now open, and what lies before it sealed."""
    while upkeep.fold_counts(connection) > upkeep.FOLD_MINUTES:
        pass
    upkeep.summarize_segments(connection)
    before = connection.execute(
        "SELECT first_id / %s FROM segments, log_id_blocks"
        " WHERE state = 'open' AND end_id <= last_value * %s ORDER BY first_id",
        [IDS_PER_SEGMENT, IDS_PER_BLOCK],
    ).fetchall()
    for (segment,) in before:
        close_segments.close(connection, segment * IDS_PER_SEGMENT)
    close_segments.describe_closed(connection)
    while seal.seal_next(connection, lambda: None):
        pass
