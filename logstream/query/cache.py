"""CachedReader: one answer for all who ask the same within a second, see SharedAnswers.

What a live feed asks (`recent`, lines by id) is cheap and never shared: a viewer who has just
subscribed must find every line that was announced before.
"""

from datetime import datetime
from typing import Any

from logstream.filter import LogFilter
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.model import LogLine, TrendBucket
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
from logstream.query.shared_answers import SharedAnswers
from logstream.saved_view import SavedView


class CachedReader:
    """A LogReader in front of another; safe to share between threads.

    The moment of asking is not part of a question: a relative range may be a second old.
    Answers are shared, so nobody may change them.
    """

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._answers = SharedAnswers()
        self._shared = self._answers.of

    def forget(self) -> None:
        """Something landed in this process: see SharedAnswers."""
        self._answers.forget()

    def close(self) -> None:
        """Close the reader behind."""
        self._reader.close()

    def recent(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
    ) -> list[LogLine]:
        """See LogReader; never shared."""
        return self._reader.recent(
            log_filter, limit=limit, now_unix_nano=now_unix_nano, before=before
        )

    def search(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
        budget_seconds: float | None = 2.0,
    ) -> SearchPage:
        """See LogReader."""
        return self._shared(
            ("search", log_filter, limit, before, budget_seconds),
            lambda: self._reader.search(
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                before=before,
                budget_seconds=budget_seconds,
            ),
            log_filter.at_unix_nano,
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
        """See LogReader."""
        return self._shared(
            ("context", line_id, before, after, within, at),
            lambda: self._reader.context(line_id, before=before, after=after, within=within, at=at),
        )

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """See LogReader; never shared."""
        return self._reader.lines_by_id_range(
            log_filter, first_id, last_id, limit=limit, now_unix_nano=now_unix_nano
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
        """See LogReader."""
        return self._shared(
            ("received", log_filter, start_unix_nano, end_unix_nano, limit, slots),
            lambda: self._reader.received(
                log_filter, start_unix_nano, end_unix_nano, limit=limit, slots=slots
            ),
            end_unix_nano,
        )

    def line(self, line_id: int) -> LogLine | None:
        """See LogReader; never shared."""
        return self._reader.line(line_id)

    def why_missing(self, line_id: int) -> tuple[str, str]:
        """See LogReader; never shared."""
        return self._reader.why_missing(line_id)

    def segment_care(self) -> dict[str, Any]:
        """See LogReader."""
        return self._shared(("segment_care",), self._reader.segment_care)

    def rejects(
        self, wanted: RejectFilter, *, limit: int, before_id: int | None = None
    ) -> list[KeptReject]:
        """See LogReader; never shared: who sent one wants to see it."""
        return self._reader.rejects(wanted, limit=limit, before_id=before_id)

    def reject(self, reject_id: int) -> KeptReject | None:
        """See LogReader; never shared."""
        return self._reader.reject(reject_id)

    def reject_counts(self, wanted: RejectFilter) -> list[RejectCount]:
        """See LogReader."""
        return self._shared(("reject_counts", wanted), lambda: self._reader.reject_counts(wanted))

    def saved_views(self) -> list[SavedView]:
        """See LogReader; never shared: who saved one wants to see it."""
        return self._reader.saved_views()

    def saved_view(self, view_id: str) -> SavedView | None:
        """See LogReader; never shared."""
        return self._reader.saved_view(view_id)

    def severity_breakdown(
        self, log_filter: LogFilter, *, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """See LogReader."""
        return self._shared(
            ("severity_breakdown", log_filter),
            lambda: self._reader.severity_breakdown(log_filter, now_unix_nano=now_unix_nano),
            log_filter.at_unix_nano,
        )

    def trend(
        self, log_filter: LogFilter, *, bucket_seconds: int, now_unix_nano: int
    ) -> list[TrendBucket]:
        """See LogReader."""
        return self._shared(
            ("trend", log_filter, bucket_seconds),
            lambda: self._reader.trend(
                log_filter, bucket_seconds=bucket_seconds, now_unix_nano=now_unix_nano
            ),
            log_filter.at_unix_nano,
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
        """See LogReader."""
        return self._shared(
            ("trend_by_severity", log_filter, bucket_seconds, zone, with_previous),
            lambda: self._reader.trend_by_severity(
                log_filter,
                bucket_seconds=bucket_seconds,
                now_unix_nano=now_unix_nano,
                zone=zone,
                with_previous=with_previous,
            ),
            log_filter.at_unix_nano,
        )

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """See LogReader."""
        return self._shared(
            ("facet", log_filter, field, limit),
            lambda: self._reader.facet(log_filter, field, limit=limit, now_unix_nano=now_unix_nano),
            log_filter.at_unix_nano,
        )

    def facets(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        fields: tuple[str, ...] = FACETS,
    ) -> dict[str, list[tuple[str, int]]]:
        """See LogReader."""
        return self._shared(
            ("facets", log_filter, limit, fields),
            lambda: self._reader.facets(
                log_filter, limit=limit, now_unix_nano=now_unix_nano, fields=fields
            ),
            log_filter.at_unix_nano,
        )

    def fields(
        self, log_filter: LogFilter, *, values: int, now_unix_nano: int, most_lines: int = 20_000
    ) -> Fields:
        """See LogReader."""
        return self._shared(
            ("fields", log_filter, values, most_lines),
            lambda: self._reader.fields(
                log_filter, values=values, now_unix_nano=now_unix_nano, most_lines=most_lines
            ),
            log_filter.at_unix_nano,
        )

    def patterns(
        self, log_filter: LogFilter, *, limit: int, buckets: int, now_unix_nano: int
    ) -> Patterns:
        """See LogReader."""
        return self._shared(
            ("patterns", log_filter, limit, buckets),
            lambda: self._reader.patterns(
                log_filter, limit=limit, buckets=buckets, now_unix_nano=now_unix_nano
            ),
            log_filter.at_unix_nano,
        )

    def pattern_values(
        self, log_filter: LogFilter, pattern_id: int, *, values: int, now_unix_nano: int
    ) -> PatternValues | None:
        """See LogReader."""
        return self._shared(
            ("pattern_values", log_filter, pattern_id, values),
            lambda: self._reader.pattern_values(
                log_filter, pattern_id, values=values, now_unix_nano=now_unix_nano
            ),
            log_filter.at_unix_nano,
        )

    def differences(
        self, log_filter: LogFilter, baseline: LogFilter, *, limit: int, now_unix_nano: int
    ) -> Differences:
        """See LogReader."""
        return self._shared(
            ("differences", log_filter, baseline, limit),
            lambda: self._reader.differences(
                log_filter, baseline, limit=limit, now_unix_nano=now_unix_nano
            ),
            log_filter.at_unix_nano,
        )

    def environments(self) -> list[str]:
        """See LogReader."""
        return self._shared(("environments",), self._reader.environments)

    def system(self) -> dict[str, Any]:
        """See LogReader."""
        return self._shared(("system",), self._reader.system)
