"""Keeping patterns up to date in the database: examples are gathered, services grouped.

Everything is told by the rows themselves (`is_grouped`, `looks`), and each step is one
transaction, so it may end at any point and any worker goes on. Landing never waits for it.
"""

from collections import defaultdict
from collections.abc import Iterable

import psycopg
from psycopg.rows import class_row

from logstream.explain.patterns.grouping import Group, Skeleton, grouped
from logstream.land.id_blocks import IDS_PER_BLOCK
from logstream.template import MAX_CHARACTERS

# Of one skeleton, the first sight included; found among so many of its lines.
MAX_EXAMPLES = 5
MAX_LOOKS = 20
# Looked at in one round: ids of the newest blocks, and lines of them.
NEWEST_IDS = 30_000
MOST_LINES = 2_000
# Examples read for one service, so that one with very many skeletons is not too much.
MOST_EXAMPLES_READ = 20_000

_NEWEST_ID = "SELECT max(id) FROM logs WHERE id >= %s"
_NEWEST = """
SELECT skeleton_id, environment, left(body, %(characters)s)
FROM logs JOIN (SELECT skeleton_id FROM skeletons WHERE looks < %(looks)s AND NOT is_overflow)
    AS wanting USING (skeleton_id)
WHERE id BETWEEN %(first)s AND %(last)s
LIMIT %(lines)s
"""
_KNOWN = """
SELECT skeleton_id, example FROM skeletons WHERE skeleton_id = ANY(%(ids)s)
UNION ALL SELECT skeleton_id, example FROM skeleton_examples WHERE skeleton_id = ANY(%(ids)s)
"""
_ADD_EXAMPLES = """
INSERT INTO skeleton_examples (skeleton_id, place, environment, example)
SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
_NOTE_LOOKS = """
UPDATE skeletons SET looks = looks + looked.times, is_grouped = is_grouped AND NOT looked.has_more
FROM unnest(%s::bigint[], %s::smallint[], %s::boolean[]) AS looked (id, times, has_more)
WHERE skeleton_id = looked.id
"""
_SKELETONS = """
SELECT skeleton_id AS id, pattern_id,
    array_prepend(left(example, %(characters)s), ARRAY(
        SELECT example FROM skeleton_examples AS more
        WHERE more.skeleton_id = skeletons.skeleton_id AND place < %(places)s ORDER BY place
    )) AS examples
FROM skeletons WHERE service_name = %(service)s AND NOT is_overflow
"""
_SET_PATTERNS = """
UPDATE skeletons SET pattern_id = found.pattern_id, is_grouped = true
FROM unnest(%s::bigint[], %s::bigint[]) AS found (skeleton_id, pattern_id)
WHERE skeletons.skeleton_id = found.skeleton_id
    AND (skeletons.pattern_id IS DISTINCT FROM found.pattern_id OR NOT is_grouped)
"""
_STORE_PATTERNS = """
INSERT INTO patterns AS known (pattern_id, service_name, template, skeleton_count, first_seen)
SELECT id, %(service)s, template, size,
    (SELECT min(first_seen) FROM skeletons WHERE skeletons.pattern_id = id)
FROM unnest(%(ids)s::bigint[], %(templates)s::text[], %(sizes)s::int[])
    AS found (id, template, size)
ON CONFLICT (pattern_id) DO UPDATE SET template = excluded.template,
    skeleton_count = excluded.skeleton_count, service_name = excluded.service_name,
    first_seen = least(known.first_seen, excluded.first_seen), changed_at = now()
WHERE (known.template, known.skeleton_count, known.service_name)
    IS DISTINCT FROM (excluded.template, excluded.skeleton_count, excluded.service_name)
"""


def gather_examples(connection: psycopg.Connection, after: int) -> int:
    """Look at the newest lines of ids above `after`; the highest id that was seen.

    A sample: of much that landed meanwhile the newest, and not what landed beside it late.
    """
    block = connection.execute("SELECT last_value FROM log_id_blocks").fetchone()
    blocks_end = (block[0] + 1) * IDS_PER_BLOCK if block else 0
    first = max(after + 1, blocks_end - NEWEST_IDS)
    newest = connection.execute(_NEWEST_ID, [first]).fetchone()
    if newest is None or newest[0] is None:
        return after
    last = int(newest[0])
    rows = connection.execute(
        _NEWEST,
        {
            "first": first,
            "last": last,
            "characters": MAX_CHARACTERS,
            "looks": MAX_LOOKS,
            "lines": MOST_LINES,
        },
    )
    seen: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for skeleton_id, environment, example in rows:
        if len(seen[skeleton_id]) < MAX_LOOKS:
            seen[skeleton_id].append((environment, example))
    if seen:
        with connection.transaction():
            _keep_examples(connection, seen)
    return last


def waiting_services(connection: psycopg.Connection) -> list[str]:
    """Services with skeletons that are new or better known since they were grouped."""
    rows = connection.execute(
        "SELECT DISTINCT service_name FROM skeletons WHERE NOT is_grouped ORDER BY service_name"
    )
    return [service for (service,) in rows]


def group_service(connection: psycopg.Connection, service: str) -> int:
    """Group the skeletons of a service anew; how many patterns it has.

    What lands meanwhile stays ungrouped for the next time.
    """
    count = connection.execute(
        "SELECT count(*) FROM skeletons WHERE service_name = %s", [service]
    ).fetchone()
    examples = min(MAX_EXAMPLES, MOST_EXAMPLES_READ // max(1, count[0] if count else 0))
    with connection.cursor(row_factory=class_row(Skeleton)) as cursor:
        skeletons = cursor.execute(
            _SKELETONS,
            {"service": service, "characters": MAX_CHARACTERS, "places": max(1, examples)},
        ).fetchall()
    groups = grouped(skeletons)
    with connection.transaction():
        _store(connection, service, groups)
    return len(groups)


def _store(connection: psycopg.Connection, service: str, groups: Iterable[Group]) -> None:
    groups = list(groups)
    pairs = [(skeleton, group.id) for group in groups for skeleton in group.skeleton_ids]
    connection.execute(
        _SET_PATTERNS, [[skeleton for skeleton, _ in pairs], [pattern for _, pattern in pairs]]
    )
    connection.execute(
        "UPDATE skeletons SET is_grouped = true"
        " WHERE service_name = %s AND is_overflow AND NOT is_grouped",
        [service],
    )
    connection.execute(
        _STORE_PATTERNS,
        {
            "service": service,
            "ids": [group.id for group in groups],
            "templates": [group.template for group in groups],
            "sizes": [len(group.skeleton_ids) for group in groups],
        },
    )
    connection.execute(
        "DELETE FROM patterns WHERE service_name = %s AND NOT EXISTS"
        " (SELECT FROM skeletons WHERE skeletons.pattern_id = patterns.pattern_id)",
        [service],
    )


def _keep_examples(connection: psycopg.Connection, seen: dict[int, list[tuple[str, str]]]) -> None:
    ids = sorted(seen)
    known: dict[int, list[str]] = defaultdict(list)
    for skeleton_id, example in connection.execute(_KNOWN, {"ids": ids}):
        known[skeleton_id].append(example)
    added: list[tuple[int, int, str, str]] = []
    has_more = []
    for skeleton_id in ids:
        before = len(known[skeleton_id])
        for environment, example in seen[skeleton_id]:
            if len(known[skeleton_id]) < MAX_EXAMPLES and example not in known[skeleton_id]:
                added.append((skeleton_id, len(known[skeleton_id]), environment, example))
                known[skeleton_id].append(example)
        has_more.append(len(known[skeleton_id]) > before)
    connection.execute(
        _ADD_EXAMPLES, [list(column) for column in zip(*added, strict=True)] or [[]] * 4
    )
    connection.execute(_NOTE_LOOKS, [ids, [len(seen[one]) for one in ids], has_more])
