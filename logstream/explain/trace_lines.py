"""Log lines tell traces: what carries a trace id is counted in `trace_summaries`, once.

Ids come in blocks and one process owns a block (see `land.id_blocks`), so ids commit in order
within a block, and in no order across blocks. `trace_line_marks` holds up to which id a block
was counted; the mark moves in the transaction that counts. A block is done when its last id
was counted, or when its segment takes no more lines. Of those done only the highest mark stays
below which nothing is missing.
"""

from typing import Any, LiteralString

import psycopg

from logstream.land.id_blocks import IDS_PER_BLOCK
from logstream.model import Severity

# Where to begin in a database in which nothing was counted yet.
FIRST_BLOCKS = 20
# Held while lines are counted: an old leader may be in its last transaction.
COUNT_LOCK = 0x5472_4C69
# Of a line that stands for the name of its trace.
NAME_CHARACTERS = 120
# A line that says it took longer is not believed.
MAX_LATENCY_MS = 86_400_000
# Longer ones no index holds.
MAX_TRACE_ID_BYTES = 512
# A trace id that more share is no request.
MAX_SERVICES = 200

_BEGIN = """
INSERT INTO trace_line_marks (block, last_id)
SELECT block, (block + 1) * %(size)s - 1
FROM (SELECT greatest(-1, last_value - %(blocks)s) AS block FROM log_id_blocks WHERE is_called) b
WHERE NOT EXISTS (SELECT FROM trace_line_marks)
"""
# The newest first: what people look at is right soon, however much waits behind it.
_WAITING = """
SELECT block FROM generate_series(
    (SELECT min(block) + 1 FROM trace_line_marks), (SELECT last_value FROM log_id_blocks)
) AS block LEFT JOIN trace_line_marks USING (block)
WHERE last_id IS NULL OR last_id < (block + 1) * %(size)s - 1
ORDER BY block DESC
"""
# In a statement of its own: its snapshot is newer than the lock, and older than the one that
# counts, so what had landed before a segment was closed is counted before its blocks are done.
_MARK = """
SELECT coalesce((SELECT last_id FROM trace_line_marks WHERE block = %(block)s), %(first)s - 1),
    EXISTS (SELECT FROM segments
        WHERE first_id <= %(first)s AND end_id > %(first)s AND state <> 'open')
"""
_MOVE = """
INSERT INTO trace_line_marks (block, last_id) VALUES (%(block)s, %(last)s)
ON CONFLICT (block) DO UPDATE SET last_id = excluded.last_id
"""
_TIDY = """
WITH done AS (
    SELECT coalesce(
        (SELECT min(first.block) - 1 FROM generate_series(
            (SELECT min(block) FROM trace_line_marks), (SELECT max(block) FROM trace_line_marks)
        ) AS first (block) LEFT JOIN trace_line_marks AS mark USING (block)
        WHERE mark.last_id IS NULL OR mark.last_id < (block + 1) * %(size)s - 1),
        (SELECT max(block) FROM trace_line_marks)
    ) AS block
)
DELETE FROM trace_line_marks USING done WHERE trace_line_marks.block < done.block
"""
# Traces in the order in which landing writes them, or the two would deadlock. While a trace has
# no span, its lines say when it was and what it is called.
_COUNT = """
WITH lines AS MATERIALIZED (
    SELECT id, environment, trace_id, service_name, severity_number, left(body, %(characters)s)
        AS name, timestamp AS last, greatest('0001-01-01 00:00:00+00', timestamp - CASE
            WHEN duration_ms > 0 AND duration_ms <= %(longest)s THEN duration_ms ELSE 0
        END * interval '1 millisecond') AS first
    FROM logs WHERE id > %(after)s AND id < %(end)s
), told AS (
    SELECT trace_id, environment, min(first) AS first, max(last) AS last,
        (array_agg(service_name))[1] AS service, (array_agg(name))[1] AS name,
        count(*) AS lines, count(*) FILTER (WHERE severity_number >= %(error)s) AS errors,
        array_agg(service_name) AS services
    FROM (
        SELECT trace_id COLLATE "C" AS trace_id, environment COLLATE "C" AS environment,
            service_name, severity_number, name, first, last
        FROM lines WHERE trace_id IS NOT NULL AND octet_length(trace_id) <= %(id_bytes)s
        ORDER BY 1, 2, first, id
    ) AS sorted
    GROUP BY trace_id, environment
    ORDER BY trace_id, environment
), counted AS (
    INSERT INTO trace_summaries AS known (trace_id, environment, start, duration_ns,
        root_service, root_name, line_count, error_line_count, services)
    SELECT trace_id, environment, first,
        least(9.2e18, extract(epoch FROM last - first) * 1e9), service, name, lines, errors,
        ARRAY(SELECT DISTINCT unnest(services) ORDER BY 1 LIMIT %(services)s)
    FROM told
    ON CONFLICT (trace_id, environment) DO UPDATE SET
        line_count = least(2147483647, known.line_count::bigint + excluded.line_count),
        error_line_count =
            least(2147483647, known.error_line_count::bigint + excluded.error_line_count),
        services = CASE WHEN known.services @> excluded.services THEN known.services ELSE
            ARRAY(SELECT DISTINCT unnest(known.services || excluded.services)
                  ORDER BY 1 LIMIT %(services)s) END,
        start = CASE WHEN known.span_count > 0 THEN known.start
            ELSE least(known.start, excluded.start) END,
        duration_ns = CASE WHEN known.span_count > 0 THEN known.duration_ns
            ELSE least(9.2e18, greatest(
                known.duration_ns + 1e9
                    * extract(epoch FROM known.start - least(known.start, excluded.start)),
                excluded.duration_ns + 1e9
                    * extract(epoch FROM excluded.start - least(known.start, excluded.start))
            )) END,
        root_service = CASE WHEN known.span_count > 0 OR known.start <= excluded.start
            THEN known.root_service ELSE excluded.root_service END,
        root_name = CASE WHEN known.span_count > 0 OR known.start <= excluded.start
            THEN known.root_name ELSE excluded.root_name END,
        touched_at = CASE WHEN known.span_count > 0
            THEN known.touched_at ELSE excluded.touched_at END,
        needs_review = known.needs_review OR known.span_count = 0
)
SELECT max(id), count(*) FROM lines
"""
_LIMITS = {
    "characters": NAME_CHARACTERS,
    "longest": MAX_LATENCY_MS,
    "error": int(Severity.ERROR),
    "id_bytes": MAX_TRACE_ID_BYTES,
    "services": MAX_SERVICES,
}


def waiting_blocks(connection: psycopg.Connection) -> list[int]:
    """The blocks that may hold lines which are not counted, the newest first."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [COUNT_LOCK])
        connection.execute(_BEGIN, {"size": IDS_PER_BLOCK, "blocks": FIRST_BLOCKS})
        connection.execute(_TIDY, {"size": IDS_PER_BLOCK})
    return [int(block) for (block,) in connection.execute(_WAITING, {"size": IDS_PER_BLOCK})]


def count_block(connection: psycopg.Connection, block: int) -> int:
    """Tell traces the lines of a block that landed since it was last counted; how many lines."""
    first, end = block * IDS_PER_BLOCK, (block + 1) * IDS_PER_BLOCK
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [COUNT_LOCK])
        after, is_closed = _only_row(connection, _MARK, {"block": block, "first": first})
        newest, lines = _only_row(connection, _COUNT, {**_LIMITS, "after": after, "end": end})
        last = end - 1 if is_closed else newest
        if last is not None:
            connection.execute(_MOVE, {"block": block, "last": last})
    return int(lines)


def _only_row(
    connection: psycopg.Connection, statement: LiteralString, values: dict[str, int]
) -> tuple[Any, ...]:
    return next(connection.execute(statement, values))
