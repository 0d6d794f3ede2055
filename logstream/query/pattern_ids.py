"""Which pattern the skeleton of a line is in: a small map, shared by all who ask."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pattern_of: dict[int, int] = {}
        self._state: object = None
        self._fresh_until = 0.0

    def of(self, skeleton_id: int) -> int:
        """The pattern of a skeleton as last read; without asking the database."""
        return self._pattern_of.get(skeleton_id, skeleton_id)

    def named(self, connection: sa.Connection, lines: Sequence[LogLine]) -> list[LogLine]:
        """The lines with their pattern's id."""
        self._refresh(connection)
        known = self._pattern_of
        return [
            line
            if (pattern := known.get(line.skeleton_id)) is None
            else replace(line, pattern_id=pattern)
            for line in lines
        ]

    def _refresh(self, connection: sa.Connection) -> None:
        with self._lock:
            if time.monotonic() < self._fresh_until:
                return
            state = tuple(connection.execute(_STATE).one())
            if state != self._state:
                members = connection.execute(_MEMBERS)
                self._pattern_of = {skeleton: pattern for skeleton, pattern in members if pattern}
                self._state = state
            self._fresh_until = time.monotonic() + FRESH_SECONDS
