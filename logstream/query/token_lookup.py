"""Reading lines by the token filters of sealed segments; see docs/decisions/0002."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from logstream.query.catalogue import Segment, in_id_ranges
from logstream.query.conditions import Condition, time_conditions
from logstream.query.lines import WHOLE_LINES, Order, Reading
from logstream.tables import logs
from logstream.tokens import BLOCKS, IDS_PER_BLOCK, POSITIONS_PER_CHUNK, positions_of

_BYTES = BLOCKS // 8
_SEGMENTS_PER_STATEMENT = 8
# The slices of one segment's filter: for each position a bit for every block.
_SLICES = sa.text(
    """
    SELECT f.first_id, substring(f.bits FROM p.at FOR :bytes) AS bits
    FROM unnest(CAST(:chunks AS smallint[]), CAST(:offsets AS int[])) AS p (chunk, at)
    JOIN token_filters f ON f.chunk = p.chunk AND f.first_id = ANY(CAST(:segments AS bigint[]))
    """
)


def read_by_tokens(
    connection: sa.Connection,
    conditions: list[Condition],
    token_sets: list[set[str]],
    segments: list[Segment],
    order: Order,
    *,
    start: int | None,
    end: int | None,
    limit: int,
    reading: Reading = WHOLE_LINES,
) -> list[Any]:
    """The first `limit` lines that meet the conditions, in no particular order.

    Only blocks that may hold all tokens of one of the sets are read; segments without a filter
    are read whole.
    """
    blocks: dict[int, list[int]] = {}
    sealed = [one.first_id for one in segments if one.is_sealed]
    for tokens in token_sets:
        for first_id, found in surviving_blocks(connection, tokens, sealed).items():
            blocks[first_id] = sorted({*blocks.get(first_id, ()), *found})
    ranges = [
        [(segment.first_id, segment.end_id)]
        if segment.first_id not in blocks
        else [_ids(segment, block) for block in blocks[segment.first_id]]
        for segment in segments
    ]
    ranges = [found for found in ranges if found]
    meant = [*conditions, *order.conditions(), *time_conditions(logs.c.timestamp, start, end)]
    lines: list[Any] = []
    for at in range(0, len(ranges), _SEGMENTS_PER_STATEMENT):
        # An arm for each segment, so that each is planned for its own blocks only.
        arms = [
            sa.select(*reading.columns).where(in_id_ranges(found), *meant)
            for found in ranges[at : at + _SEGMENTS_PER_STATEMENT]
        ]
        both = sa.union_all(*arms).subquery()
        statement = sa.select(both).order_by(*order.columns(both)).limit(limit)
        lines += reading.read(connection, statement, order)
    return lines


def surviving_blocks(
    connection: sa.Connection, tokens: Iterable[str], first_ids: list[int]
) -> dict[int, list[int]]:
    """For each segment that has a filter: the blocks that may hold all tokens, in order."""
    positions = sorted({position for token in tokens for position in positions_of(token)})
    if not positions or not first_ids:
        return {}
    left: dict[int, int] = {}
    rows = connection.execute(
        _SLICES,
        {
            "chunks": [position // POSITIONS_PER_CHUNK for position in positions],
            "offsets": [position % POSITIONS_PER_CHUNK * _BYTES + 1 for position in positions],
            "segments": first_ids,
            "bytes": _BYTES,
        },
    )
    for first_id, bits in rows:
        left[first_id] = left.get(first_id, -1) & int.from_bytes(bits, "little")
    return {
        first_id: [block for block in range(BLOCKS) if bits >> block & 1]
        for first_id, bits in left.items()
    }


def _ids(segment: Segment, block: int) -> tuple[int, int]:
    first = segment.first_id + block * IDS_PER_BLOCK
    return first, min(first + IDS_PER_BLOCK, segment.end_id)
