"""Which pattern the skeleton of a line is in: a small map, shared by all who ask."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import exc

from logstream.model import LogLine
from logstream.tables import patterns, skeletons

FRESH_SECONDS = 5.0
_STATE = sa.select(sa.func.max(patterns.c.changed_at), sa.func.count()).select_from(patterns)
_MEMBERS = sa.select(skeletons.c.skeleton_id, skeletons.c.pattern_id).where(
    skeletons.c.pattern_id != skeletons.c.skeleton_id
)


class PatternIds:
    """The groups of more than one skeleton; read again within seconds of their change.

    A line may carry the id of its skeleton for so long: that names the same pattern.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._pattern_of: dict[int, int] = {}
        self._state: object = None
        self._fresh_until = 0.0

    def of(self, skeleton_id: int) -> int:
        """The pattern of a skeleton as last read: never waits, but has it read again beside."""
        if time.monotonic() >= self._fresh_until:
            self._fresh_until = time.monotonic() + FRESH_SECONDS
            threading.Thread(target=self._read_beside, name="pattern ids", daemon=True).start()
        return self._pattern_of.get(skeleton_id, skeleton_id)

    def named(self, connection: sa.Connection, lines: Sequence[LogLine]) -> list[LogLine]:
        """The lines with their pattern's id."""
        if time.monotonic() >= self._fresh_until:
            self._fresh_until = time.monotonic() + FRESH_SECONDS
            self._read(connection)
        known = self._pattern_of
        return [
            line
            if (pattern := known.get(line.skeleton_id)) is None
            else replace(line, pattern_id=pattern)
            for line in lines
        ]

    def _read(self, connection: sa.Connection) -> None:
        with self._lock:
            state = tuple(connection.execute(_STATE).one())
            if state != self._state:
                members = connection.execute(_MEMBERS)
                self._pattern_of = {skeleton: pattern for skeleton, pattern in members if pattern}
                self._state = state

    def _read_beside(self) -> None:
        # A database that is away is told of by those who ask it something.
        with suppress(exc.SQLAlchemyError), self._engine.connect() as connection:
            self._read(connection)
