"""The worker's care for traces: log lines are told to them, and they are reviewed."""

import logging
import time

import psycopg

from logstream.care import Care
from logstream.explain import trace_lines, trace_review
from logstream.query.trace_backlog import WAITING

log = logging.getLogger(__name__)

# The tables are read by their indexes, of which the planner knows too little while they grow.
SESSION = "-c timezone=UTC -c enable_seqscan=off -c jit=off"
# Of one round. More than can stay unfinished: a process that died leaves the rest of its block
# empty, which is known only when the segment is closed.
MAX_BLOCKS = 200
MAX_REVIEWS = 20
# Waiting longer than this is told about, once; looked at only now and then.
BEHIND_SECONDS = 60.0
LOOK_SECONDS = 30.0


class TraceCare(Care):
    """Cares for the traces of one database while its `with` block runs."""

    def __init__(self, url: str, quiet_seconds: float = trace_review.QUIET_SECONDS) -> None:
        super().__init__(url, "traces", SESSION)
        self._quiet_seconds = quiet_seconds
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._is_behind = False

    def work(self, connection: psycopg.Connection) -> bool:
        """Count the lines that are new, then review the traces that have been quiet."""
        blocks = trace_lines.waiting_blocks(connection)
        for block in blocks[:MAX_BLOCKS]:
            self.pause()
            trace_lines.count_block(connection, block)
        has_more = len(blocks) > MAX_BLOCKS
        for number in range(MAX_REVIEWS):
            self.pause()
            if not trace_review.review_next(connection, self._quiet_seconds):
                break
            has_more = has_more or number == MAX_REVIEWS - 1
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self.tell(connection)
        return has_more

    def tell(self, connection: psycopg.Connection) -> None:
        """Say in the log when the review falls behind, and when it has caught up."""
        row = connection.execute(WAITING).fetchone()
        waiting, seconds = (0, 0.0) if row is None else row
        if seconds > BEHIND_SECONDS and not self._is_behind:
            self._is_behind = True
            log.warning(
                "the review of traces is behind: %d wait, the first for %.0f s", waiting, seconds
            )
        elif seconds <= BEHIND_SECONDS / 2 and self._is_behind:
            self._is_behind = False
            log.info("the review of traces has caught up")
