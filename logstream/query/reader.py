"""PostgresReader: the LogReader over PostgreSQL, read-only and with a time limit."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from logstream import metrics
from logstream.filter import LogFilter
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter
from logstream.model import LogLine, TrendBucket
from logstream.ports import (
    FACETS,
    Differences,
    Fields,
    LineContext,
    Patterns,
    PatternValues,
    Received,
    SearchPage,
    SeverityBucket,
)
from logstream.query import (
    facets,
    feed,
    gone,
    rejects,
    segment_facts,
    severity_trend,
    store_facts,
    trends,
)
from logstream.query.asking import asking
from logstream.query.catalogue import Catalogue
from logstream.query.differences import differences
from logstream.query.fields import fields_of
from logstream.query.lines import Order
from logstream.query.pattern_ids import PatternIds
from logstream.query.patterns import pattern_values, patterns
from logstream.query.received import received
from logstream.query.search import search
from logstream.query.views import every_view, one_view
from logstream.saved_view import SavedView

QUESTIONS = (
    "recent", "search", "context", "id_range", "received", "line", "trace", "severity_breakdown",
    "trend", "trend_by_severity", "facet", "facets", "fields", "patterns", "pattern_values",
    "differences", "environments", "system", "rejects", "views", "export",
    "traces", "trace_shape", "services", "operations", "service_map", "durations",
    "slow_and_fast", "typical_trace", "known_services",
)  # fmt: skip


class PostgresReader:
    """Asks one database; safe to share between threads. See LogReader for the contract."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._catalogue = Catalogue()
        self._pattern_ids = PatternIds(engine)

    def pattern_of(self, skeleton_id: int) -> int:
        """The pattern of a skeleton as known now; never waits for the database."""
        return self._pattern_ids.of(skeleton_id)

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def recent(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
    ) -> list[LogLine]:
        """Newest matching lines first."""
        with self._asking("recent") as connection:
            lines = feed.recent(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                before=before,
            )
            return self._pattern_ids.named(connection, lines)

    def search(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        before: tuple[int, int] | None = None,
        budget_seconds: float | None = 2.0,
    ) -> SearchPage:
        """A page of matching lines and how far the search came."""
        with self._asking("search") as connection:
            page = search(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                order=Order(before),
                budget_seconds=budget_seconds,
            )
            lines = self._pattern_ids.named(connection, page.lines)
        return msgspec.structs.replace(page, lines=lines)

    def context(
        self,
        line_id: int,
        *,
        before: int,
        after: int,
        within: LogFilter | None = None,
        at: datetime | None = None,
    ) -> LineContext | None:
        """A line between its neighbours, or None."""
        with self._asking("context") as connection:
            found = feed.context(
                connection,
                self._catalogue.segments(connection),
                line_id,
                before=before,
                after=after,
                within=within,
                at=at,
            )
            if found is None:
                return None
            named = self._pattern_ids.named
            [line] = named(connection, [found.line])
            return LineContext(
                named(connection, found.before), line, named(connection, found.after)
            )

    def lines_by_id_range(
        self, log_filter: LogFilter, first_id: int, last_id: int, *, limit: int, now_unix_nano: int
    ) -> list[LogLine]:
        """Matching lines of an id range, newest id first."""
        with self._asking("id_range") as connection:
            lines = feed.lines_by_id_range(
                connection, log_filter, first_id, last_id, limit=limit, now_unix_nano=now_unix_nano
            )
            return self._pattern_ids.named(connection, lines)

    def received(
        self,
        log_filter: LogFilter,
        start_unix_nano: int,
        end_unix_nano: int,
        *,
        limit: int,
        slots: int,
    ) -> Received:
        """Lines by the time of their receipt, with counts of all of them."""
        with self._asking("received") as connection:
            found = received(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                start_unix_nano,
                end_unix_nano,
                limit=limit,
                slots=slots,
            )
            lines = self._pattern_ids.named(connection, found.lines)
        return msgspec.structs.replace(found, lines=lines)

    def line(self, line_id: int) -> LogLine | None:
        """One line, whole, or None."""
        with self._asking("line") as connection:
            found = feed.line(connection, line_id)
            return None if found is None else self._pattern_ids.named(connection, [found])[0]

    def why_missing(self, line_id: int) -> tuple[str, str]:
        """Whether retention removed it, or it never existed."""
        with self._asking("line") as connection:
            return gone.why_missing(connection, line_id)

    def severity_breakdown(
        self, log_filter: LogFilter, *, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """(severity word, count), gravest first, zeros included."""
        with self._asking("severity_breakdown") as connection:
            return trends.severity_breakdown(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                now_unix_nano=now_unix_nano,
            )

    def trend(
        self, log_filter: LogFilter, *, bucket_seconds: int, now_unix_nano: int
    ) -> list[TrendBucket]:
        """Counts by bucket, oldest first, empty buckets as zero."""
        with self._asking("trend") as connection:
            return trends.trend(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                bucket_seconds=bucket_seconds,
                now_unix_nano=now_unix_nano,
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
        """Counts by bucket of a zone's clock and severity, oldest first."""
        with self._asking("trend_by_severity") as connection:
            return severity_trend.trend_by_severity(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                bucket_seconds=bucket_seconds,
                now_unix_nano=now_unix_nano,
                zone=zone,
                with_previous=with_previous,
            )

    def facet(
        self, log_filter: LogFilter, field: str, *, limit: int, now_unix_nano: int
    ) -> list[tuple[str, int]]:
        """(value, count) of a field, most frequent first."""
        with self._asking("facet") as connection:
            return facets.facets(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                fields=(field,),
            )[field]

    def facets(
        self,
        log_filter: LogFilter,
        *,
        limit: int,
        now_unix_nano: int,
        fields: tuple[str, ...] = FACETS,
    ) -> dict[str, list[tuple[str, int]]]:
        """(value, count) of every facet, most frequent first."""
        with self._asking("facets") as connection:
            return facets.facets(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                limit=limit,
                now_unix_nano=now_unix_nano,
                fields=fields,
            )

    def fields(
        self, log_filter: LogFilter, *, values: int, now_unix_nano: int, most_lines: int = 20_000
    ) -> Fields:
        """Every attribute of the newest matching lines."""
        with self._asking("fields") as connection:
            return fields_of(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                values=values,
                now_unix_nano=now_unix_nano,
                most_lines=most_lines,
            )

    def patterns(
        self, log_filter: LogFilter, *, limit: int, buckets: int, now_unix_nano: int
    ) -> Patterns:
        """The most frequent patterns of the lines meant."""
        with self._asking("patterns") as connection:
            return patterns(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                limit=limit,
                buckets=buckets,
                now_unix_nano=now_unix_nano,
            )

    def pattern_values(
        self, log_filter: LogFilter, pattern_id: int, *, values: int, now_unix_nano: int
    ) -> PatternValues | None:
        """What stands at the places of one pattern."""
        with self._asking("pattern_values") as connection:
            return pattern_values(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                pattern_id,
                values=values,
                now_unix_nano=now_unix_nano,
            )

    def differences(
        self, log_filter: LogFilter, baseline: LogFilter, *, limit: int, now_unix_nano: int
    ) -> Differences:
        """What distinguishes the lines of one filter from those of another."""
        with self._asking("differences") as connection:
            return differences(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                baseline,
                limit=limit,
                now_unix_nano=now_unix_nano,
            )

    def environments(self) -> list[str]:
        """Every environment that has ever sent a line."""
        with self._asking("environments") as connection:
            return facets.environments(connection)

    def system(self) -> dict[str, Any]:
        """Facts about the store, with this process's own query times."""
        with self._asking("system") as connection:
            facts = store_facts.system(connection)
        return {**facts, "queryMs": query_times()}

    def segment_care(self) -> dict[str, Any]:
        """How far sealing and retention are."""
        with self._asking("system") as connection:
            return segment_facts.care(connection)

    def rejects(
        self, wanted: RejectFilter, *, limit: int, before_id: int | None = None
    ) -> list[KeptReject]:
        """Refused records, newest first."""
        with self._asking("rejects") as connection:
            return rejects.newest(connection, wanted, limit=limit, before_id=before_id)

    def reject(self, reject_id: int) -> KeptReject | None:
        """One refused record, whole, or None."""
        with self._asking("rejects") as connection:
            return rejects.one(connection, reject_id)

    def reject_counts(self, wanted: RejectFilter) -> list[RejectCount]:
        """Refused records by format, reason and sender, most first."""
        with self._asking("rejects") as connection:
            return rejects.summary(connection, wanted)

    def saved_views(self) -> list[SavedView]:
        """Every saved view, by name."""
        with self._asking("views") as connection:
            return every_view(connection)

    def saved_view(self, view_id: str) -> SavedView | None:
        """One saved view, or None."""
        with self._asking("views") as connection:
            return one_view(connection, view_id)

    def _asking(self, question: str) -> AbstractContextManager[sa.Connection]:
        return asking(self._engine, question)


def query_times() -> dict[str, dict[str, float]]:
    """p50 and p95 in milliseconds and the count of every question this process asked."""
    times = {}
    for question in QUESTIONS:
        histogram = metrics.QUERY_SECONDS.labels(question)
        p50, p95 = metrics.quantile(histogram, 0.5), metrics.quantile(histogram, 0.95)
        if p50 is not None and p95 is not None:
            count = metrics.sample_count(histogram)
            times[question] = {"p50": p50 * 1000, "p95": p95 * 1000, "count": count}
    return times
