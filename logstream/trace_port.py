"""The seam of traces and services: questions about requests, and what their answers hold.

Beside `ports.LogReader`, over the same database and with the same promises.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from logstream.filter import Choice, LogFilter
from logstream.model import LogLine, Span
from logstream.ports import Difference

TraceSort = Literal["newest", "longest", "errors", "spans"]


class TraceSummary(msgspec.Struct, frozen=True, gc=False):
    """One trace as a list shows it.

    `root_service` and `root_name` are None while no span without a parent has arrived. A trace
    that only log lines tell of is derived: `span_count` is 0, its duration that of its lines.
    """

    trace_id: str
    environment: str
    root_service: str | None
    root_name: str | None
    start_unix_nano: int
    duration_nano: int
    span_count: int
    error_count: int
    line_count: int
    error_line_count: int
    services: Sequence[str]

    @property
    def is_derived(self) -> bool:
        """True when it has log lines and no span."""
        return self.span_count == 0


class TracePage(msgspec.Struct, frozen=True):
    """Traces in the order asked for; `cursor` continues, None exactly when there are no more.

    `is_complete` is False when time was over before everything was looked at.
    """

    traces: Sequence[TraceSummary]
    cursor: str | None
    is_complete: bool = True


class TracePoint(msgspec.Struct, frozen=True, gc=False):
    """One trace as a point over time."""

    trace_id: str
    start_unix_nano: int
    duration_nano: int
    has_error: bool
    root_service: str | None
    root_name: str | None


class TraceShape(msgspec.Struct, frozen=True):
    """What the traces meant look like together.

    `points` are an even sample when they are fewer than `total`. `steps` counts all of them by
    duration (see `durations`); the percentiles, in nanoseconds, are exact, None of no trace.
    `is_complete` is False when time was over before all were looked at: then all of this is of
    the newest ones.
    """

    points: Sequence[TracePoint]
    total: int
    error_total: int
    steps: Mapping[int, int]
    p50_nano: float | None
    p95_nano: float | None
    p99_nano: float | None
    is_complete: bool = True


class WholeTrace(msgspec.Struct, frozen=True):
    """What is stored of a trace, oldest first, each span once; cut at the limits asked for."""

    trace_id: str
    spans: Sequence[Span]
    lines: Sequence[LogLine]
    has_more_spans: bool
    has_more_lines: bool
    has_copies: bool


class ServiceFacts(msgspec.Struct, frozen=True, gc=False):
    """Rate, errors and durations of one service in the time meant, and a day before.

    `calls` are its server and consumer spans, or all its spans when it has none of those, or,
    when it sends no spans (`told_by` is `lines`), its log lines; `errors` likewise (lines of
    ERROR or worse). Durations in nanoseconds, None where nothing carries one. `trend` and
    `error_trend` count by equal parts of the time, oldest first. `calls_before` and
    `errors_before` are of the same time a day earlier; None when there is no data of then.
    """

    service: str
    told_by: Literal["spans", "lines"]
    calls: int
    errors: int
    lines: int
    error_lines: int
    p50_nano: float | None
    p95_nano: float | None
    p99_nano: float | None
    calls_before: int | None
    errors_before: int | None
    p95_before_nano: float | None
    trend: Sequence[int]
    error_trend: Sequence[int]


class Services(msgspec.Struct, frozen=True):
    """Every service in the time meant; buckets of the trends begin at `starts_unix_seconds`."""

    services: Sequence[ServiceFacts]
    bucket_seconds: int
    starts_unix_seconds: Sequence[int]


class DurationTrend(msgspec.Struct, frozen=True, gc=False):
    """Durations of one service by parts of the time, in nanoseconds; None where nothing was."""

    p50_nano: Sequence[float | None]
    p95_nano: Sequence[float | None]
    p99_nano: Sequence[float | None]


class OperationFacts(msgspec.Struct, frozen=True, gc=False):
    """One operation (span name and kind) of a service."""

    operation: str
    kind: str
    calls: int
    errors: int
    p50_nano: float | None
    p95_nano: float | None
    p99_nano: float | None
    total_nano: float


class ServiceNode(msgspec.Struct, frozen=True, gc=False):
    """A service on the map; `kind` is `service`, or what it stands for: `database`, `queue`.

    `is_known`: it sent something itself once, so there is more to see of it.
    """

    service: str
    kind: str
    calls: int
    errors: int
    p95_nano: float | None
    is_known: bool = True


class ServiceEdge(msgspec.Struct, frozen=True, gc=False):
    """Calls from one service to another; `kind` is that of `call_counts`."""

    source: str
    target: str
    kind: str
    calls: int
    errors: int
    p95_nano: float | None


class ServiceMap(msgspec.Struct, frozen=True):
    """Who depends on whom in the time meant."""

    nodes: Sequence[ServiceNode]
    edges: Sequence[ServiceEdge]


class SlowFast(msgspec.Struct, frozen=True):
    """What the slow requests of an operation have more of than the fast ones.

    Slow are those that took longer than `slow_nano`. `differences` have as fields `attribute:NAME`,
    `call` (to a service and operation, or its share of the time), `pattern` (of log lines) and
    `error`; looked at are at most `looked` requests, the newest of `total`.
    """

    slow_nano: float
    slow: int
    fast: int
    looked: int
    total: int
    differences: Sequence[Difference]


class TraceReader(Protocol):
    """Answers about traces and services; sync, safe to call from many threads.

    Every method raises StoreUnavailable when the database cannot be reached and QueryTimeout
    when the statement timeout ends the question. Answers may be shared: nobody may change one.
    A filter means traces as docs/traces.md says.
    """

    def traces(
        self,
        log_filter: LogFilter,
        *,
        sort: TraceSort = "newest",
        limit: int,
        now_unix_nano: int,
        cursor: str | None = None,
    ) -> TracePage:
        """A page of the traces meant. Raises FilterError for a cursor that is none."""
        ...

    def trace_shape(self, log_filter: LogFilter, *, points: int, now_unix_nano: int) -> TraceShape:
        """All traces meant, as points (at most so many) and counts."""
        ...

    def trace(
        self, trace_id: str, *, environment: Choice, max_spans: int, max_lines: int
    ) -> WholeTrace | None:
        """Everything of one trace, the id as people write it; None when nothing is stored."""
        ...

    def known_services(self, environment: Choice) -> Mapping[str, int]:
        """Every service that ever sent anything there, and when that was first (Unix ns)."""
        ...

    def services(
        self, log_filter: LogFilter, *, buckets: int, now_unix_nano: int, zone: str = "UTC"
    ) -> Services:
        """Every service that sent anything in the time meant, busiest first."""
        ...

    def duration_trend(
        self, log_filter: LogFilter, service: str, like: Services, *, now_unix_nano: int
    ) -> DurationTrend:
        """Durations of one service, by the parts of the time that `like` counts by."""
        ...

    def operations(
        self, log_filter: LogFilter, service: str, *, limit: int, now_unix_nano: int
    ) -> Sequence[OperationFacts]:
        """The operations of one service, those with the most time first."""
        ...

    def service_map(self, log_filter: LogFilter, *, now_unix_nano: int) -> ServiceMap:
        """Services and the calls between them."""
        ...

    def durations(
        self, service: str, operation: str, kind: str, *, environment: Choice, now_unix_nano: int
    ) -> Mapping[int, int]:
        """Durations of one kind of span in the last 24 hours, counted by step."""
        ...

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
        """What distinguishes the slowest `slow_share` of the newest `limit` requests."""
        ...

    def typical_trace(
        self, log_filter: LogFilter, service: str, operation: str, *, now_unix_nano: int
    ) -> str | None:
        """The id of the trace of this root whose duration is the median of those in the time."""
        ...

    def system(self) -> Mapping[str, Any]:
        """Facts about stored spans for the System page: spans, segments, bytes, oldest."""
        ...
