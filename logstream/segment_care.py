"""The worker's slow work on segments: closing, sealing, retention, on a thread of its own."""

import time

import psycopg

from logstream.care import Care
from logstream.land import (
    close_segments,
    receipts,
    retention,
    seal,
    span_retention,
    span_segments,
)
from logstream.settings import Settings

RETENTION_SECONDS = 300.0
# A minute in which landing took no new block of ids had at most one block of lines.
QUIET_SECONDS = 60.0


class SegmentCare(Care):
    """Cares for the segments of one database while its `with` block runs."""

    def __init__(self, url: str, settings: Settings) -> None:
        super().__init__(url, "seal", seal.SESSION)
        self._settings = settings
        self._rules = settings.retention
        self._retention_at = 0.0
        self._last_block: tuple[object, float] = (None, 0.0)

    def work(self, connection: psycopg.Connection) -> bool:
        """Close what is due, seal, and then whatever is less urgent."""
        close_segments.close_due(connection, self._settings.seal_after_seconds)
        span_segments.close_due(connection, self._settings.seal_after_seconds)
        if time.monotonic() >= self._retention_at:
            retention.enforce(connection, self._rules, self.pause)
            span_retention.enforce(connection, self._rules, self.pause)
            self._retention_at = time.monotonic() + RETENTION_SECONDS
        # Quick beside lines: never behind a backlog of those.
        has_sealed_spans = span_segments.seal_next(connection, self.pause)
        if seal.seal_next(connection, self.pause) or has_sealed_spans:
            return True
        if receipts.describe_next(connection):
            return True
        if self._settings.trigram == "idle" and self._is_quiet(connection):
            return seal.add_next_trigram(connection)
        return False

    def _is_quiet(self, connection: psycopg.Connection) -> bool:
        row = connection.execute("SELECT last_value FROM log_id_blocks").fetchone()
        block, since = self._last_block
        if row != block:
            self._last_block = (row, time.monotonic())
            return False
        return time.monotonic() - since >= QUIET_SECONDS
