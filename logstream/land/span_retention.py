"""Retention of spans: by segment and environment, as that of lines is.

Spans are due once their segment has been closed for as long as their environment keeps them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land import leaves
from logstream.land.retention import REWRITE_SHARE
from logstream.land.seal import byte_count, taking_care
from logstream.land.segment_faults import told_and_passed_over
from logstream.land.segments import SPANS
from logstream.retention_rules import RetentionRules

log = logging.getLogger(__name__)

_KEPT = """
SELECT first_id, end_id, name, state, environments,
       extract(epoch FROM now() - closed_at) / 86400 AS days_closed
FROM span_segments
WHERE state IN ('closed', 'sealed') AND environments IS NOT NULL
    AND first_id = coalesce(%s, first_id)
ORDER BY first_id
"""
_IS_DUE = sql.SQL("(environment = ANY(%(environments)s))")
_DELETE_PAGES = """
DELETE FROM {leaf} WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid AND {is_due}
"""
_NOTE = """
UPDATE span_segments SET byte_count = %(bytes)s, environments = kept.environments,
    row_count = (SELECT coalesce(sum(value::bigint), 0) FROM json_each_text(kept.environments))
FROM (
    SELECT (environments::jsonb - %(gone)s::text[])::json AS environments
    FROM span_segments WHERE first_id = %(first_id)s
) kept
WHERE first_id = %(first_id)s
"""


@dataclass(frozen=True)
class DueSegment:
    """A segment with spans to remove: of which environments, and how many it keeps."""

    first_id: int
    end_id: int
    name: str
    environments: list[str]
    spans: int
    kept: int


def due(
    connection: psycopg.Connection, rules: RetentionRules, only_first_id: int | None = None
) -> list[DueSegment]:
    """What the rules remove now, oldest segment first; of all segments or of one."""
    default_days, days_of = rules.span_days()
    found = []
    for first_id, end_id, name, state, environments, days_closed in connection.execute(
        _KEPT, [only_first_id]
    ).fetchall():
        gone = [
            environment
            for environment in environments
            if 0 < days_of.get(environment, default_days) <= days_closed
        ]
        spans = sum(environments[environment] for environment in gone)
        kept = sum(environments.values()) - spans
        # Nothing is in it (any more): it goes when it is a day old and sealed.
        is_empty = not kept and state == "sealed" and days_closed >= 1
        if gone or is_empty:
            found.append(DueSegment(first_id, end_id, name, gone, spans, kept))
    return found


def enforce(
    connection: psycopg.Connection, rules: RetentionRules, pause: Callable[[], None]
) -> int:
    """Remove what is due; how many spans went. `pause` may raise between two pieces of work."""
    removed = 0
    for candidate in due(connection, rules):
        pause()
        with (
            told_and_passed_over(connection, f"removing spans of {candidate.name}"),
            taking_care(connection, candidate.first_id, SPANS) as is_ours,
        ):
            # Somebody else may have been quicker: look again, now that nobody else can.
            for segment in due(connection, rules, candidate.first_id) if is_ours else ():
                try:
                    _remove(connection, segment, pause)
                    removed += segment.spans
                except pg_errors.LockNotAvailable:
                    log.info("segment %s is in use; its spans are removed later", segment.name)
    return removed


def _remove(connection: psycopg.Connection, segment: DueSegment, pause: Callable[[], None]) -> None:
    if not segment.kept:
        with connection.transaction():
            connection.execute(
                "UPDATE span_segments SET state = 'dropped', dropped_at = now(), row_count = 0,"
                " byte_count = 0, environments = '{}' WHERE first_id = %s",
                [segment.first_id],
            )
            leaves.drop(connection, segment.name)
    elif segment.spans >= REWRITE_SHARE * (segment.spans + segment.kept):
        values = {"environments": segment.environments}
        leaves.fill_anew(connection, SPANS, segment, _IS_DUE, values)
        with connection.transaction():
            _note(connection, segment, None)
            connection.execute(
                "UPDATE span_segments SET state = 'closed', sealed_at = NULL WHERE first_id = %s",
                [segment.first_id],
            )
            leaves.put_in_place(connection, SPANS, segment)
    else:
        leaf = sql.Identifier(segment.name)
        statement = sql.SQL(_DELETE_PAGES).format(leaf=leaf, is_due=_IS_DUE)
        for pages in leaves.page_ranges(connection, segment.name):
            pause()
            connection.execute(statement, {**pages, "environments": segment.environments})
        connection.execute(sql.SQL("VACUUM {}").format(leaf))
        _note(connection, segment, byte_count(connection, segment.name))
    log.info("removed %s spans of %s", f"{segment.spans:,}", segment.name)


def _note(connection: psycopg.Connection, segment: DueSegment, size: int | None) -> None:
    connection.execute(
        _NOTE, {"bytes": size, "gone": segment.environments, "first_id": segment.first_id}
    )
