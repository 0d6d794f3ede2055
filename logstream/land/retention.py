"""Retention: lines that were received too long ago go, and their counts with them.

It goes by segments: what a closed segment holds was counted when it was closed, and a kind
of line (environment and severity) is due once the segment has been closed for as long as
the kind is kept. When everything in it is due, the segment is dropped; otherwise its due
kinds are deleted page by page. What goes is counted into `log_counts` with a minus sign in
the same transaction, so that the counts equal the rows at every moment.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land.seal import byte_count, taking_care
from logstream.retention_rules import RetentionRules

log = logging.getLogger(__name__)

# About 5,000 lines a transaction.
PAGES_AT_ONCE = 256
# Dropping excludes readers and landing for an instant; they never wait longer than this.
_DROP_WAIT = "200ms"
_DROP_TRIES = 5

_KEPT = """
SELECT s.first_id, s.name, s.state, c.environment, c.severity_number, c.line_count,
       extract(epoch FROM now() - s.closed_at) / 86400 AS days_closed
FROM segments s LEFT JOIN segment_contents c ON c.first_id = s.first_id AND c.removed_at IS NULL
WHERE s.state IN ('closed', 'sealed') AND s.hours IS NOT NULL
ORDER BY s.first_id, c.environment, c.severity_number
"""
_SUBTRACT = """
INSERT INTO log_counts
    (bucket, environment, service_name, severity_number, skeleton_id, count, is_folded)
SELECT date_bin('1 minute', timestamp, '0001-01-01 00:00:00+00'), environment, service_name,
       severity_number, skeleton_id, -count(*), false
FROM {source} GROUP BY 1, 2, 3, 4, 5
"""
_DELETE_PAGES = """
WITH gone AS (
    DELETE FROM {leaf} WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid
        AND (environment, severity_number)
            IN (SELECT * FROM unnest(%(environments)s::text[], %(severities)s::smallint[]))
    RETURNING timestamp, environment, service_name, severity_number, skeleton_id
), lost AS (
    {subtract} RETURNING count
)
UPDATE segments SET row_count = row_count + (SELECT coalesce(sum(count), 0) FROM lost)
WHERE first_id = %(first_id)s
"""
_MARK_REMOVED = """
UPDATE segment_contents SET removed_at = now()
WHERE first_id = %s AND removed_at IS NULL AND (environment, severity_number)
    IN (SELECT * FROM unnest(%s::text[], %s::smallint[]))
"""


@dataclass(frozen=True)
class Kind:
    """Lines of one environment and severity in a segment, and how long such are kept."""

    environment: str
    severity_number: int
    lines: int
    days: int


@dataclass(frozen=True)
class DueSegment:
    """A segment with lines to remove; `is_whole` when nothing in it is kept."""

    first_id: int
    name: str
    kinds: tuple[Kind, ...]
    is_whole: bool

    @property
    def lines(self) -> int:
        """How many lines are due."""
        return sum(kind.lines for kind in self.kinds)


def due(connection: psycopg.Connection, rules: RetentionRules) -> list[DueSegment]:
    """What the rules remove now, oldest segment first."""
    found = []
    rows = connection.execute(_KEPT).fetchall()
    for (first_id, name, state), group in groupby(rows, key=lambda row: row[:3]):
        kinds, is_whole = [], True
        for *_, environment, severity_number, lines, days_closed in group:
            if environment is None:
                # Nothing is in it (any more): it goes when it is a day old and sealed.
                is_whole = state == "sealed" and days_closed >= 1
                continue
            days = rules.days(environment, severity_number)
            if days and days_closed >= days:
                kinds.append(Kind(environment, severity_number, lines, days))
            else:
                is_whole = False
        if kinds or is_whole:
            found.append(DueSegment(first_id, name, tuple(kinds), is_whole))
    return found


def enforce(
    connection: psycopg.Connection, rules: RetentionRules, pause: Callable[[], None]
) -> int:
    """Remove what is due; how many lines went. `pause` may raise between two pieces of work."""
    removed = 0
    for segment in due(connection, rules):
        pause()
        with taking_care(connection, segment.first_id) as is_ours:
            if not is_ours:
                continue
            try:
                if segment.is_whole:
                    drop(connection, segment)
                else:
                    delete_kinds(connection, segment, pause)
                removed += segment.lines
            except pg_errors.LockNotAvailable:
                log.info("segment %s is in use; its lines are removed later", segment.name)
    return removed


def drop(connection: psycopg.Connection, segment: DueSegment) -> None:
    """Drop a whole segment, its care lock held; LockNotAvailable when it is in use just now."""
    leaf = sql.Identifier(segment.name)
    with connection.transaction():
        connection.execute(sql.SQL(_SUBTRACT).format(source=leaf))
        connection.execute("DELETE FROM token_filters WHERE first_id = %s", [segment.first_id])
        connection.execute(
            "UPDATE segment_contents SET removed_at = now()"
            " WHERE first_id = %s AND removed_at IS NULL",
            [segment.first_id],
        )
        connection.execute(
            "UPDATE segments SET state = 'dropped', dropped_at = now(), row_count = 0,"
            " byte_count = 0, has_trigram = false, has_attribute_index = false"
            " WHERE first_id = %s",
            [segment.first_id],
        )
        _drop_table(connection, leaf)
    log.info("dropped %s: %s lines past their retention", segment.name, f"{segment.lines:,}")


def delete_kinds(
    connection: psycopg.Connection, segment: DueSegment, pause: Callable[[], None]
) -> None:
    """Delete the due kinds of a segment that keeps others, its care lock held."""
    environments = [kind.environment for kind in segment.kinds]
    severities = [kind.severity_number for kind in segment.kinds]
    leaf = sql.Identifier(segment.name)
    statement = sql.SQL(_DELETE_PAGES).format(
        leaf=leaf, subtract=sql.SQL(_SUBTRACT).format(source=sql.Identifier("gone"))
    )
    for page in range(0, _pages(connection, leaf), PAGES_AT_ONCE):
        pause()
        connection.execute(
            statement,
            {
                "first": f"({page},0)",
                "end": f"({page + PAGES_AT_ONCE},0)",
                "environments": environments,
                "severities": severities,
                "first_id": segment.first_id,
            },
        )
    connection.execute(_MARK_REMOVED, [segment.first_id, environments, severities])
    connection.execute(sql.SQL("VACUUM {}").format(leaf))
    connection.execute(
        "UPDATE segments SET byte_count = %s WHERE first_id = %s",
        [byte_count(connection, segment.name), segment.first_id],
    )
    log.info("removed %s lines of %s", f"{segment.lines:,}", segment.name)


def _drop_table(connection: psycopg.Connection, leaf: sql.Identifier) -> None:
    connection.execute(f"SET LOCAL lock_timeout = '{_DROP_WAIT}'")
    for attempt in range(_DROP_TRIES):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("DROP TABLE {}").format(leaf))
            return
        except pg_errors.LockNotAvailable:
            if attempt == _DROP_TRIES - 1:
                raise


def _pages(connection: psycopg.Connection, leaf: sql.Identifier) -> int:
    row = connection.execute(
        "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::bigint",
        [leaf.as_string(connection)],
    ).fetchone()
    return int(row[0]) if row else 0
