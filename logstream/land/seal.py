"""Sealing: a closed segment gets its indexes, its token filter and its time check.

Every step looks whether it is done already, so whoever takes over after a kill goes on
where the work was left. Readers and landing never wait: nothing is written to a closed
segment, indexes are built beside reading, and the one lock that excludes readers is given
up at once when it cannot be had.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from logstream.land import token_filter
from logstream.land.segment_faults import told_and_passed_over
from logstream.land.segments import IDS_PER_SEGMENT, LOGS, SegmentedTable
from logstream.tables import INDEXED_ATTRIBUTES, STREAM

log = logging.getLogger(__name__)

TRIGRAM = "trigram"
# One process of the server at a time: landing has right of way. Whatever cannot have its
# lock soon is tried again in a later round.
SESSION = (
    "-c timezone=UTC -c synchronize_seqscans=off -c lock_timeout=5s -c maintenance_work_mem=256MB"
    " -c max_parallel_maintenance_workers=0"
)
_CHECK_WAIT = "100ms"

_NEWEST_CLOSED = """
SELECT first_id, name FROM segments WHERE state = 'closed' AND hours IS NOT NULL
ORDER BY first_id DESC
"""
_HAS_CHECK = """
SELECT convalidated FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s
"""
_MARK_SEALED = """
UPDATE segments SET state = 'sealed', sealed_at = now(), byte_count = %s,
    has_attribute_index = %s, seal_seconds = %s
WHERE first_id = %s AND state = 'closed'
"""

Pause = Callable[[], None]


class Stopped(Exception):
    """Raised by a `Pause` to end the work between two steps."""


@dataclass(frozen=True)
class Index:
    """An index of a sealed segment; its name is the segment's name and `suffix`."""

    step: str
    suffix: str
    definition: str


INDEXES = (
    Index("time", "timestamp", "(timestamp)"),
    Index("stream", "stream", f"(({STREAM}), timestamp)"),
    Index("trace", "trace_id", "(trace_id) WHERE trace_id IS NOT NULL"),
)
ATTRIBUTES = Index("attributes", "attributes", f"USING gin ({INDEXED_ATTRIBUTES} jsonb_path_ops)")
TRIGRAMS = Index(TRIGRAM, TRIGRAM, "USING gin (body gin_trgm_ops)")


def seal_next(connection: psycopg.Connection, pause: Pause) -> bool:
    """Seal the newest closed segment; False when none is left that could be sealed now.

    `pause` is called between pieces of work and may raise to end it.
    """
    for first_id, name in connection.execute(_NEWEST_CLOSED).fetchall():
        with (
            told_and_passed_over(connection, f"sealing {name}"),
            taking_care(connection, first_id) as is_ours,
        ):
            if is_ours and seal(connection, first_id, name, pause):
                return True
    return False


@contextmanager
def taking_care(
    connection: psycopg.Connection, first_id: int, table: SegmentedTable = LOGS
) -> Iterator[bool]:
    """The lock of everything slow that is done to one segment; False when another has it."""
    keys = [table.care_lock, first_id // IDS_PER_SEGMENT]
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", keys).fetchone()
    is_ours = bool(row and row[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


def seal(connection: psycopg.Connection, first_id: int, name: str, pause: Pause) -> bool:
    """Seal one closed segment, its care lock held; False when a lock could not be had."""
    row = connection.execute(
        "SELECT row_count, first_timestamp, last_timestamp FROM segments"
        " WHERE first_id = %s AND state = 'closed'",
        [first_id],
    ).fetchone()
    if row is None:
        return False
    row_count, first, last = row
    seconds: dict[str, float] = {}
    has_attribute_index = False
    try:
        if row_count:
            with _timed("freeze", seconds, pause):
                _on(connection, name, "VACUUM (FREEZE) {leaf}")
            for index in INDEXES:
                with _timed(index.step, seconds, pause):
                    _build(connection, name, index)
            with _timed(ATTRIBUTES.step, seconds, pause):
                has_attribute_index = _build_attributes(connection, name)
            with _timed("token filter", seconds, pause):
                if not token_filter.is_built(connection, first_id):
                    token_filter.build(connection, first_id, name, pause)
            with _timed("check", seconds, pause):
                _check_time(connection, name, first, last)
            with _timed("analyze", seconds, pause):
                _on(connection, name, "ANALYZE {leaf}")
    except pg_errors.LockNotAvailable:
        log.info("segment %s is in use; its sealing goes on later", name)
        return False
    connection.execute(
        _MARK_SEALED,
        [byte_count(connection, name), has_attribute_index, json.dumps(seconds), first_id],
    )
    log.info("sealed %s: %s lines in %.1f s", name, f"{row_count:,}", sum(seconds.values()))
    return True


def add_trigram(connection: psycopg.Connection, first_id: int, name: str) -> bool:
    """Index every three characters of a sealed segment's messages; False when it cannot be."""
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        _build(connection, name, TRIGRAMS)
    except (pg_errors.FeatureNotSupported, pg_errors.UndefinedFile,
            pg_errors.InsufficientPrivilege, pg_errors.LockNotAvailable) as error:  # fmt: skip
        log.warning("no trigram index: %s", error.diag.message_primary)
        return False
    connection.execute(
        "UPDATE segments SET has_trigram = true, byte_count = %s WHERE first_id = %s",
        [byte_count(connection, name), first_id],
    )
    return True


def add_next_trigram(connection: psycopg.Connection) -> bool:
    """`add_trigram` for the newest sealed segment without; False when there is none."""
    row = connection.execute(
        "SELECT first_id, name FROM segments WHERE state = 'sealed' AND NOT has_trigram"
        " AND row_count > 0 ORDER BY first_id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return False
    with taking_care(connection, row[0]) as is_ours:
        return is_ours and add_trigram(connection, row[0], row[1])


def byte_count(connection: psycopg.Connection, name: str) -> int:
    """Bytes of a segment's table with everything that belongs to it."""
    row = connection.execute("SELECT pg_total_relation_size(%s)", [_quoted(connection, name)])
    return int((row.fetchone() or (0,))[0])


@contextmanager
def _timed(step: str, seconds: dict[str, float], pause: Pause) -> Iterator[None]:
    pause()
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 3)


def _on(connection: psycopg.Connection, name: str, statement: str) -> None:
    connection.execute(sql.SQL(statement).format(leaf=sql.Identifier(name)))


def _build(connection: psycopg.Connection, name: str, index: Index) -> None:
    connection.execute(
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} " + index.definition).format(
            sql.Identifier(f"{name}_{index.suffix}"), sql.Identifier(name)
        )
    )


def _build_attributes(connection: psycopg.Connection, name: str) -> bool:
    """False when a line's attributes are JSON that jsonb cannot hold."""
    try:
        _build(connection, name, ATTRIBUTES)
    except (psycopg.DataError, pg_errors.ProgramLimitExceeded) as error:
        log.warning("%s gets no attribute index: %s", name, error.diag.message_primary)
        return False
    return True


def _check_time(connection: psycopg.Connection, name: str, first: object, last: object) -> None:
    """The times of the segment's lines as a constraint, so that planning can leave it out."""
    constraint = f"{name}_time"
    found = connection.execute(_HAS_CHECK, [_quoted(connection, name), constraint]).fetchone()
    if found is None:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{_CHECK_WAIT}'")
            connection.execute(
                sql.SQL(
                    "ALTER TABLE {} ADD CONSTRAINT {}"
                    " CHECK (timestamp >= {} AND timestamp <= {}) NOT VALID"
                ).format(
                    sql.Identifier(name),
                    sql.Identifier(constraint),
                    sql.Literal(first),
                    sql.Literal(last),
                )
            )
    if found is None or not found[0]:
        connection.execute(
            sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
                sql.Identifier(name), sql.Identifier(constraint)
            )
        )


def _quoted(connection: psycopg.Connection, name: str) -> str:
    return sql.Identifier(name).as_string(connection)
