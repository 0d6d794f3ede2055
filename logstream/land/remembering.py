"""A LogReader for the time when the database is away: memory answers what it can.

Its lines are this process's own and few, so such an answer is marked: `FromMemory`.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.land.memory import RecentLines
from logstream.land.watch import Away
from logstream.model import LogLine, Severity, TrendBucket
from logstream.ports import LogReader

Answer = TypeVar("Answer")
TRY_AGAIN_SECONDS = 2.0


class FromMemory(list[Any]):
    """An answer from the last lines of this process, while the database does not answer."""


class RememberingReader:
    """A LogReader that answers what it can from memory while the database is away.

    What memory cannot know stays StoreUnavailable, which then says since when, and how many
    lines are safe in the spool. While the database is away one question every two seconds
    tries it, so nobody waits for it in a queue.
    """

    def __init__(
        self,
        reader: LogReader,
        lines: RecentLines,
        *,
        away: Callable[[], Away | None],
        spooled_lines: Callable[[], int],
        on_missed: Callable[[str], None],
    ) -> None:
        self._reader = reader
        self._lines = lines
        self._away = away
        self._spooled_lines = spooled_lines
        self._on_missed = on_missed
        self._missed_since: float | None = None
        self._next_try = 0.0
        self._lock = threading.Lock()

    def recent(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
    ) -> list[LogLine]:
        """From memory (`FromMemory`) while the database is away."""
        try:
            return self._ask(
                lambda: self._reader.recent(
                    log_filter, limit=limit, now_unix_nano=now_unix_nano, before=before
                )
            )
        except StoreUnavailable:
            found = self._lines.matching(log_filter, now_unix_nano)
            if before is not None:
                found = [line for line in found if (line.timestamp_unix_nano, line.id) < before]
            return FromMemory(found[:limit])

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """Never from memory: it may lack lines of the range."""
        return self._ask(
            lambda: self._reader.lines_by_id_range(
                log_filter, first_id, last_id, limit=limit, now_unix_nano=now_unix_nano
            )
        )

    def line(self, line_id: int) -> LogLine | None:
        """From memory when it is there and the database is away."""
        try:
            return self._ask(lambda: self._reader.line(line_id))
        except StoreUnavailable:
            line = self._lines.line(line_id)
            if line is None:
                raise
            return line

    def severity_breakdown(
        self, log_filter: LogFilter, *, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """From memory (`FromMemory`) while the database is away."""
        try:
            return self._ask(
                lambda: self._reader.severity_breakdown(log_filter, now_unix_nano=now_unix_nano)
            )
        except StoreUnavailable:
            counts = Counter(
                Severity.of(line.severity_number)
                for line in self._lines.matching(log_filter, now_unix_nano)
            )
            gravest_first = sorted(Severity, reverse=True)
            return FromMemory((severity.word, counts[severity]) for severity in gravest_first)

    def trend(
        self, log_filter: LogFilter, *, bucket_seconds: int, now_unix_nano: int
    ) -> list[TrendBucket]:
        """From the database only."""
        return self._ask(
            lambda: self._reader.trend(
                log_filter, bucket_seconds=bucket_seconds, now_unix_nano=now_unix_nano
            )
        )

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """From the database only."""
        return self._ask(
            lambda: self._reader.facet(log_filter, field, limit=limit, now_unix_nano=now_unix_nano)
        )

    def environments(self) -> list[str]:
        """From the database only."""
        return self._ask(self._reader.environments)

    def system(self) -> dict[str, Any]:
        """From the database only."""
        return self._ask(self._reader.system)

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        with self._lock:
            if self._missed_since is not None:
                if time.monotonic() < self._next_try:
                    raise self._unavailable("the database does not answer")
                self._next_try = time.monotonic() + TRY_AGAIN_SECONDS
        try:
            answer = question()
        except StoreUnavailable as error:
            with self._lock:
                self._missed_since = self._missed_since or time.time()
                self._next_try = time.monotonic() + TRY_AGAIN_SECONDS
            self._on_missed(error.message)
            raise self._unavailable(error.message) from error
        self._missed_since = None
        return answer

    def _unavailable(self, reason: str) -> StoreUnavailable:
        away = self._away()
        since = away.since_unix if away is not None else self._missed_since or time.time()
        moment = datetime.fromtimestamp(since, UTC)
        return StoreUnavailable(
            f"{reason}; it has been away since {moment:%Y-%m-%d %H:%M:%S} UTC, and "
            f"{self._spooled_lines():,} lines are safe in the spool",
            "try again soon; /logs/recent and /logs/severity-breakdown answer from memory",
        )
