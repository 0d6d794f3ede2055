"""CachedTraceReader: one answer for all who ask the same of traces within a second."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from logstream.filter import Choice, LogFilter
from logstream.query.shared_answers import SharedAnswers
from logstream.trace_port import (
    DurationTrend,
    OperationFacts,
    ServiceMap,
    Services,
    SlowFast,
    TracePage,
    TraceReader,
    TraceShape,
    TraceSort,
    WholeTrace,
)


class _Closable(TraceReader, Protocol):
    def close(self) -> None: ...


class CachedTraceReader:
    """A TraceReader in front of another; safe to share between threads.

    As in CachedReader, the moment of asking is not part of a question.
    """

    def __init__(self, reader: _Closable) -> None:
        self._reader = reader
        self._answers = SharedAnswers()
        self._shared = self._answers.of

    def forget(self) -> None:
        """Something landed in this process: see SharedAnswers."""
        self._answers.forget()

    def close(self) -> None:
        """Close the reader behind."""
        self._reader.close()

    def traces(
        self,
        log_filter: LogFilter,
        *,
        sort: TraceSort = "newest",
        limit: int,
        now_unix_nano: int,
        cursor: str | None = None,
    ) -> TracePage:
        """See TraceReader."""
        return self._shared(
            ("traces", log_filter, sort, limit, cursor),
            lambda: self._reader.traces(
                log_filter, sort=sort, limit=limit, now_unix_nano=now_unix_nano, cursor=cursor
            ),
        )

    def trace_shape(self, log_filter: LogFilter, *, points: int, now_unix_nano: int) -> TraceShape:
        """See TraceReader."""
        return self._shared(
            ("trace_shape", log_filter, points),
            lambda: self._reader.trace_shape(
                log_filter, points=points, now_unix_nano=now_unix_nano
            ),
        )

    def trace(
        self, trace_id: str, *, environment: Choice, max_spans: int, max_lines: int
    ) -> WholeTrace | None:
        """See TraceReader; never shared: whoever waits for a span wants to see it."""
        return self._reader.trace(
            trace_id, environment=environment, max_spans=max_spans, max_lines=max_lines
        )

    def services(
        self, log_filter: LogFilter, *, buckets: int, now_unix_nano: int, zone: str = "UTC"
    ) -> Services:
        """See TraceReader."""
        return self._shared(
            ("services", log_filter, buckets, zone),
            lambda: self._reader.services(
                log_filter, buckets=buckets, now_unix_nano=now_unix_nano, zone=zone
            ),
        )

    def duration_trend(
        self, log_filter: LogFilter, service: str, like: Services, *, now_unix_nano: int
    ) -> DurationTrend:
        """See TraceReader."""
        return self._shared(
            ("duration_trend", log_filter, service, tuple(like.starts_unix_seconds)),
            lambda: self._reader.duration_trend(
                log_filter, service, like, now_unix_nano=now_unix_nano
            ),
        )

    def operations(
        self, log_filter: LogFilter, service: str, *, limit: int, now_unix_nano: int
    ) -> Sequence[OperationFacts]:
        """See TraceReader."""
        return self._shared(
            ("operations", log_filter, service, limit),
            lambda: self._reader.operations(
                log_filter, service, limit=limit, now_unix_nano=now_unix_nano
            ),
        )

    def service_map(self, log_filter: LogFilter, *, now_unix_nano: int) -> ServiceMap:
        """See TraceReader."""
        return self._shared(
            ("service_map", log_filter),
            lambda: self._reader.service_map(log_filter, now_unix_nano=now_unix_nano),
        )

    def durations(
        self, service: str, operation: str, kind: str, *, environment: Choice, now_unix_nano: int
    ) -> Mapping[int, int]:
        """See TraceReader."""
        return self._shared(
            ("durations", service, operation, kind, environment),
            lambda: self._reader.durations(
                service, operation, kind, environment=environment, now_unix_nano=now_unix_nano
            ),
        )

    def slow_and_fast(
        self,
        log_filter: LogFilter,
        service: str,
        operation: str,
        *,
        slow_share: float = 0.1,
        limit: int,
        now_unix_nano: int,
    ) -> SlowFast:
        """See TraceReader."""
        return self._shared(
            ("slow_and_fast", log_filter, service, operation, slow_share, limit),
            lambda: self._reader.slow_and_fast(
                log_filter,
                service,
                operation,
                slow_share=slow_share,
                limit=limit,
                now_unix_nano=now_unix_nano,
            ),
        )

    def typical_trace(
        self, log_filter: LogFilter, service: str, operation: str, *, now_unix_nano: int
    ) -> str | None:
        """See TraceReader."""
        return self._shared(
            ("typical_trace", log_filter, service, operation),
            lambda: self._reader.typical_trace(
                log_filter, service, operation, now_unix_nano=now_unix_nano
            ),
        )

    def known_services(self, environment: Choice) -> Mapping[str, int]:
        """See TraceReader."""
        return self._shared(
            ("known_services", environment), lambda: self._reader.known_services(environment)
        )

    def system(self) -> Mapping[str, Any]:
        """See TraceReader."""
        return self._shared(("system",), self._reader.system)
