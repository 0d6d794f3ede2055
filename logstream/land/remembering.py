"""A LogReader for the time when the database is away: memory answers what it can.

Its lines are this service's own and few, so such an answer is marked: `FromMemory`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.land.memory import RecentLines
from logstream.land.watch import Away, DatabaseWatch
from logstream.model import LogLine, Severity, TrendBucket
from logstream.ports import (
    FACETS,
    Differences,
    Fields,
    LineContext,
    LogReader,
    Patterns,
    PatternValues,
    Received,
    SearchPage,
    SeverityBucket,
)
from logstream.saved_view import SavedView

Answer = TypeVar("Answer")


class FromMemory(list[Any]):
    """An answer from the last lines of this service, while the database does not answer."""


class Elsewhere(Protocol):
    """What other processes of this service remember; methods as those of RecentLines."""

    def matching(self, log_filter: LogFilter, now_unix_nano: int) -> list[LogLine]:
        """Lines that the filter means."""
        ...

    def line(self, line_id: int) -> LogLine | None:
        """The line with this id."""
        ...

    def spooled_lines(self) -> int:
        """How many lines wait in their spools."""
        ...


class RememberingReader:
    """A LogReader that answers what it can from memory while the database is away.

    What memory cannot know stays StoreUnavailable, which then says since when, and how many
    lines are safe in the spool. The watch alone tries a database that is away, so no question
    waits for it.
    """

    def __init__(
        self,
        reader: LogReader,
        lines: RecentLines,
        watch: DatabaseWatch,
        landing: Callable[[], tuple[Away | None, int]],
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`landing` gives how landing finds the database, and the lines in the spool."""
        self._reader = reader
        self._lines = lines
        self._watch = watch
        self._landing = landing
        self._elsewhere = elsewhere

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
            found = self._remembered(log_filter, now_unix_nano)
            if before is not None:
                found = [line for line in found if (line.timestamp_unix_nano, line.id) < before]
            return FromMemory(found[:limit])

    def search(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
        budget_seconds: float | None = 2.0,
    ) -> SearchPage:
        """Never from memory: what is not in it would seem not to exist."""
        return self._ask(
            lambda: self._reader.search(
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                before=before,
                budget_seconds=budget_seconds,
            )
        )

    def context(
        self,
        line_id: int,
        *,
        before: int,
        after: int,
        within: LogFilter | None = None,
        at: datetime | None = None,
    ) -> LineContext | None:
        """Never from memory."""
        return self._ask(
            lambda: self._reader.context(line_id, before=before, after=after, within=within, at=at)
        )

    def facets(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        fields: tuple[str, ...] = FACETS,
    ) -> dict[str, list[tuple[str, int]]]:
        """From the database only."""
        return self._ask(
            lambda: self._reader.facets(
                log_filter, limit=limit, now_unix_nano=now_unix_nano, fields=fields
            )
        )

    def close(self) -> None:
        """Close the reader behind."""
        self._reader.close()

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """Never from memory: it may lack lines of the range."""
        return self._ask(
            lambda: self._reader.lines_by_id_range(
                log_filter, first_id, last_id, limit=limit, now_unix_nano=now_unix_nano
            )
        )

    def received(
        self,
        log_filter: LogFilter,
        start_unix_nano: int,
        end_unix_nano: int,
        *,
        limit: int,
        slots: int,
    ) -> Received:
        """Never from memory: it may lack lines of the interval."""
        return self._ask(
            lambda: self._reader.received(
                log_filter, start_unix_nano, end_unix_nano, limit=limit, slots=slots
            )
        )

    def line(self, line_id: int) -> LogLine | None:
        """From memory when it is there and the database is away."""
        try:
            return self._ask(lambda: self._reader.line(line_id))
        except StoreUnavailable:
            line = self._lines.line(line_id)
            if line is None and self._elsewhere is not None:
                line = self._elsewhere.line(line_id)
            if line is None:
                raise
            return line

    def why_missing(self, line_id: int) -> tuple[str, str]:
        """From the database only."""
        return self._ask(lambda: self._reader.why_missing(line_id))

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
                for line in self._remembered(log_filter, now_unix_nano)
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

    def trend_by_severity(
        self,
        log_filter: LogFilter,
        *,
        bucket_seconds: int,
        now_unix_nano: int,
        zone: str = "UTC",
        with_previous: bool = False,
    ) -> list[SeverityBucket]:
        """From the database only."""
        return self._ask(
            lambda: self._reader.trend_by_severity(
                log_filter,
                bucket_seconds=bucket_seconds,
                now_unix_nano=now_unix_nano,
                zone=zone,
                with_previous=with_previous,
            )
        )

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """From the database only."""
        return self._ask(
            lambda: self._reader.facet(log_filter, field, limit=limit, now_unix_nano=now_unix_nano)
        )

    def fields(
        self, log_filter: LogFilter, *, values: int, now_unix_nano: int, most_lines: int = 20_000
    ) -> Fields:
        """From the database only."""
        return self._ask(
            lambda: self._reader.fields(
                log_filter, values=values, now_unix_nano=now_unix_nano, most_lines=most_lines
            )
        )

    def patterns(
        self, log_filter: LogFilter, *, limit: int, buckets: int, now_unix_nano: int
    ) -> Patterns:
        """From the database only."""
        return self._ask(
            lambda: self._reader.patterns(
                log_filter, limit=limit, buckets=buckets, now_unix_nano=now_unix_nano
            )
        )

    def pattern_values(
        self, log_filter: LogFilter, pattern_id: int, *, values: int, now_unix_nano: int
    ) -> PatternValues | None:
        """From the database only."""
        return self._ask(
            lambda: self._reader.pattern_values(
                log_filter, pattern_id, values=values, now_unix_nano=now_unix_nano
            )
        )

    def differences(
        self, log_filter: LogFilter, baseline: LogFilter, *, limit: int, now_unix_nano: int
    ) -> Differences:
        """From the database only."""
        return self._ask(
            lambda: self._reader.differences(
                log_filter, baseline, limit=limit, now_unix_nano=now_unix_nano
            )
        )

    def environments(self) -> list[str]:
        """From the database only."""
        return self._ask(self._reader.environments)

    def system(self) -> dict[str, Any]:
        """From the database only."""
        return self._ask(self._reader.system)

    def segment_care(self) -> dict[str, Any]:
        """From the database only."""
        return self._ask(self._reader.segment_care)

    def rejects(
        self, wanted: RejectFilter, *, limit: int, before_id: int | None = None
    ) -> list[KeptReject]:
        """From the database only."""
        return self._ask(lambda: self._reader.rejects(wanted, limit=limit, before_id=before_id))

    def reject(self, reject_id: int) -> KeptReject | None:
        """From the database only."""
        return self._ask(lambda: self._reader.reject(reject_id))

    def reject_counts(self, wanted: RejectFilter) -> list[RejectCount]:
        """From the database only."""
        return self._ask(lambda: self._reader.reject_counts(wanted))

    def saved_views(self) -> list[SavedView]:
        """From the database only."""
        return self._ask(self._reader.saved_views)

    def saved_view(self, view_id: str) -> SavedView | None:
        """From the database only."""
        return self._ask(lambda: self._reader.saved_view(view_id))

    def _remembered(self, log_filter: LogFilter, now_unix_nano: int) -> list[LogLine]:
        found = self._lines.matching(log_filter, now_unix_nano)
        if self._elsewhere is not None:
            found += self._elsewhere.matching(log_filter, now_unix_nano)
            found.sort(key=lambda line: line.timestamp_unix_nano, reverse=True)
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Surrounds a question to the database, another reader's too: refused while it is away."""
        missing = self._watch.away
        if missing is not None:
            raise self._unavailable(missing.reason)
        try:
            yield
        except StoreUnavailable as error:
            self._watch.miss(error.message)
            raise self._unavailable(error.message) from error

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        with self.watched():
            return question()

    def _unavailable(self, reason: str) -> StoreUnavailable:
        away, spooled_lines = self._landing()
        if self._elsewhere is not None:
            spooled_lines += self._elsewhere.spooled_lines()
        away = away or self._watch.away or Away(time.time(), reason)
        since = datetime.fromtimestamp(away.since_unix, UTC)
        return StoreUnavailable(
            f"{reason}; it has been away since {since:%Y-%m-%d %H:%M:%S} UTC, and "
            f"{spooled_lines:,} lines are safe in the spool",
            "try again soon; /logs/recent and /logs/severity-breakdown answer from memory",
        )
