"""Retention: lines that were received too long ago go, and their counts with them.

It goes by segments: what a closed segment holds was counted when it was closed, and a kind
of line (environment and severity) is due once the segment has been closed for as long as
the kind is kept. When everything in it is due, the segment is dropped. When much of it is,
the rest is written anew, because deleting gives no disk space back, and sealed again. When
little of it is, the due lines are deleted page by page. What goes is counted into
`log_counts` with a minus sign in the same transaction, so that the counts equal the rows at
every moment.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land import leaves
from logstream.land.seal import byte_count, taking_care
from logstream.land.segment_faults import told_and_passed_over
from logstream.land.segments import LOGS
from logstream.retention_rules import RetentionRules

log = logging.getLogger(__name__)

# From this share of due lines on a segment is written anew instead.
REWRITE_SHARE = 0.2

_KEPT = """
SELECT s.first_id, s.end_id, s.name, s.row_count, s.state,
       c.environment, c.severity_number, c.line_count,
       extract(epoch FROM now() - s.closed_at) / 86400 AS days_closed
FROM segments s LEFT JOIN segment_contents c ON c.first_id = s.first_id AND c.removed_at IS NULL
WHERE s.state IN ('closed', 'sealed') AND s.hours IS NOT NULL
    AND s.first_id = coalesce(%s, s.first_id)
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
    DELETE FROM {leaf} WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {is_due}
    RETURNING timestamp, environment, service_name, severity_number, skeleton_id
), lost AS (
    {subtract} RETURNING count
)
UPDATE segments SET row_count = row_count + (SELECT coalesce(sum(count), 0) FROM lost)
WHERE first_id = %(first_id)s
"""
_IS_DUE = """
(environment, severity_number)
    IN (SELECT * FROM unnest(%(environments)s::text[], %(severities)s::smallint[]))
"""
_REOPEN_FOR_SEALING = """
UPDATE segments SET state = 'closed', sealed_at = NULL, seal_seconds = NULL, byte_count = NULL,
    has_trigram = false, has_attribute_index = false, row_count = %s
WHERE first_id = %s
"""
_MARK_REMOVED = """
UPDATE segment_contents SET removed_at = now()
WHERE first_id = %(first_id)s AND removed_at IS NULL AND {is_due}
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
    end_id: int
    name: str
    row_count: int
    kinds: tuple[Kind, ...]
    is_whole: bool

    @property
    def lines(self) -> int:
        """How many lines are due."""
        return sum(kind.lines for kind in self.kinds)

    @property
    def is_worth_rewriting(self) -> bool:
        """True when so much is due that its disk space is wanted back."""
        return self.lines >= REWRITE_SHARE * self.row_count

    def kinds_due(self) -> dict[str, list[str] | list[int]]:
        """The parameters of _IS_DUE."""
        return {
            "environments": [kind.environment for kind in self.kinds],
            "severities": [kind.severity_number for kind in self.kinds],
        }


def due(
    connection: psycopg.Connection, rules: RetentionRules, only_first_id: int | None = None
) -> list[DueSegment]:
    """What the rules remove now, oldest segment first; of all segments or of one."""
    found = []
    rows = connection.execute(_KEPT, [only_first_id]).fetchall()
    for (first_id, end_id, name, row_count, state), group in groupby(rows, lambda row: row[:5]):
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
            found.append(DueSegment(first_id, end_id, name, row_count, tuple(kinds), is_whole))
    return found


def enforce(
    connection: psycopg.Connection, rules: RetentionRules, pause: Callable[[], None]
) -> int:
    """Remove what is due; how many lines went. `pause` may raise between two pieces of work."""
    removed = 0
    for candidate in due(connection, rules):
        pause()
        with (
            told_and_passed_over(connection, f"removing lines of {candidate.name}"),
            taking_care(connection, candidate.first_id) as is_ours,
        ):
            # Somebody else may have been quicker: look again, now that nobody else can.
            for segment in due(connection, rules, candidate.first_id) if is_ours else ():
                try:
                    _remove(connection, segment, pause)
                    removed += segment.lines
                except pg_errors.LockNotAvailable:
                    log.info("segment %s is in use; its lines are removed later", segment.name)
    return removed


def _remove(connection: psycopg.Connection, segment: DueSegment, pause: Callable[[], None]) -> None:
    if segment.is_whole:
        drop(connection, segment)
    elif segment.is_worth_rewriting:
        rewrite(connection, segment)
    else:
        delete_kinds(connection, segment, pause)


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
        leaves.drop(connection, segment.name)
    log.info("dropped %s: %s lines past their retention", segment.name, f"{segment.lines:,}")


def rewrite(connection: psycopg.Connection, segment: DueSegment) -> None:
    """Replace a segment by one without its due lines, to be sealed again; its care lock held.

    LockNotAvailable when it is in use just now.
    """
    due_kinds = segment.kinds_due()
    leaf, is_due = sql.Identifier(segment.name), sql.SQL(_IS_DUE)
    kept = leaves.fill_anew(connection, LOGS, segment, is_due, due_kinds)
    with connection.transaction():
        gone = sql.SQL("(SELECT * FROM {} WHERE {}) gone").format(leaf, is_due)
        connection.execute(sql.SQL(_SUBTRACT).format(source=gone), due_kinds)
        connection.execute("DELETE FROM token_filters WHERE first_id = %s", [segment.first_id])
        connection.execute(_REOPEN_FOR_SEALING, [kept, segment.first_id])
        _mark_removed(connection, segment)
        leaves.put_in_place(connection, LOGS, segment)
    log.info("wrote %s anew without %s lines", segment.name, f"{segment.lines:,}")


def delete_kinds(
    connection: psycopg.Connection, segment: DueSegment, pause: Callable[[], None]
) -> None:
    """Delete the due kinds of a segment that keeps others, its care lock held."""
    due_kinds = segment.kinds_due()
    leaf = sql.Identifier(segment.name)
    statement = sql.SQL(_DELETE_PAGES).format(
        leaf=leaf,
        is_due=sql.SQL(_IS_DUE),
        subtract=sql.SQL(_SUBTRACT).format(source=sql.Identifier("gone")),
    )
    for pages in leaves.page_ranges(connection, segment.name):
        pause()
        connection.execute(statement, {**due_kinds, **pages, "first_id": segment.first_id})
    _mark_removed(connection, segment)
    connection.execute(sql.SQL("VACUUM {}").format(leaf))
    connection.execute(
        "UPDATE segments SET byte_count = %s WHERE first_id = %s",
        [byte_count(connection, segment.name), segment.first_id],
    )
    log.info("removed %s lines of %s", f"{segment.lines:,}", segment.name)


def _mark_removed(connection: psycopg.Connection, segment: DueSegment) -> None:
    connection.execute(
        sql.SQL(_MARK_REMOVED).format(is_due=sql.SQL(_IS_DUE)),
        {"first_id": segment.first_id, **segment.kinds_due()},
    )
