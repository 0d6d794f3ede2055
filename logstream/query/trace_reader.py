"""PostgresTraceReader: the TraceReader over PostgreSQL, read-only and with a time limit."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import msgspec
import sqlalchemy as sa

from logstream.filter import Choice, LogFilter
from logstream.query.asking import asking
from logstream.query.catalogue import Catalogue
from logstream.query.duration_trend import duration_trend
from logstream.query.known_services import known_services
from logstream.query.operations import durations, operations
from logstream.query.pattern_ids import PatternIds
from logstream.query.service_facts import services
from logstream.query.service_map import service_map
from logstream.query.slow_fast import slow_and_fast
from logstream.query.span_facts import span_facts
from logstream.query.trace_list import traces
from logstream.query.trace_shape import trace_shape
from logstream.query.typical_trace import typical_trace
from logstream.query.whole_trace import whole_trace
from logstream.trace_port import (
    DurationTrend,
    OperationFacts,
    ServiceMap,
    Services,
    SlowFast,
    TracePage,
    TraceShape,
    TraceSort,
    WholeTrace,
)


class PostgresTraceReader:
    """Asks one database; safe to share between threads. See TraceReader for the contract.

    `watched` surrounds each question: whoever watches the database may refuse it there.
    """

    def __init__(
        self,
        engine: sa.Engine,
        watched: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._engine = engine
        self._watched = watched
        self._catalogue = Catalogue()
        self._pattern_ids = PatternIds(engine)

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def traces(
        self,
        log_filter: LogFilter,
        *,
        sort: TraceSort = "newest",
        limit: int,
        now_unix_nano: int,
        cursor: str | None = None,
    ) -> TracePage:
        """A page of the traces meant, in the order asked for."""
        with self._asking("traces") as connection:
            return traces(
                connection,
                log_filter,
                sort=sort,
                limit=limit,
                now_unix_nano=now_unix_nano,
                cursor=cursor,
            )

    def trace_shape(self, log_filter: LogFilter, *, points: int, now_unix_nano: int) -> TraceShape:
        """All traces meant, as points and counts."""
        with self._asking("trace_shape") as connection:
            return trace_shape(connection, log_filter, points=points, now_unix_nano=now_unix_nano)

    def trace(
        self, trace_id: str, *, environment: Choice, max_spans: int, max_lines: int
    ) -> WholeTrace | None:
        """Everything of one trace, or None."""
        with self._asking("trace") as connection:
            found = whole_trace(
                connection,
                self._catalogue.segments(connection),
                trace_id,
                environment=environment,
                max_spans=max_spans,
                max_lines=max_lines,
                now_unix_nano=time.time_ns(),
            )
            if found is None:
                return None
            lines = self._pattern_ids.named(connection, found.lines)
        return msgspec.structs.replace(found, lines=lines)

    def services(
        self, log_filter: LogFilter, *, buckets: int, now_unix_nano: int, zone: str = "UTC"
    ) -> Services:
        """Every service that sent anything in the time meant, busiest first."""
        with self._asking("services") as connection:
            return services(
                connection, log_filter, buckets=buckets, now_unix_nano=now_unix_nano, zone=zone
            )

    def duration_trend(
        self, log_filter: LogFilter, service: str, like: Services, *, now_unix_nano: int
    ) -> DurationTrend:
        """Durations of one service over time."""
        with self._asking("duration_trend") as connection:
            return duration_trend(
                connection, log_filter, service, like, now_unix_nano=now_unix_nano
            )

    def operations(
        self, log_filter: LogFilter, service: str, *, limit: int, now_unix_nano: int
    ) -> Sequence[OperationFacts]:
        """The operations of one service, those with the most time first."""
        with self._asking("operations") as connection:
            return operations(
                connection, log_filter, service, limit=limit, now_unix_nano=now_unix_nano
            )

    def service_map(self, log_filter: LogFilter, *, now_unix_nano: int) -> ServiceMap:
        """Services and the calls between them."""
        with self._asking("service_map") as connection:
            return service_map(connection, log_filter, now_unix_nano=now_unix_nano)

    def durations(
        self, service: str, operation: str, kind: str, *, environment: Choice, now_unix_nano: int
    ) -> Mapping[int, int]:
        """Durations of one kind of span in the last 24 hours, counted by step."""
        with self._asking("durations") as connection:
            return durations(
                connection,
                service,
                operation,
                kind,
                environment=environment,
                now_unix_nano=now_unix_nano,
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
        """What distinguishes the slowest of an operation's requests."""
        with self._asking("slow_and_fast") as connection:
            return slow_and_fast(
                connection,
                self._catalogue.segments(connection),
                log_filter,
                service,
                operation,
                slow_share=slow_share,
                limit=limit,
                now_unix_nano=now_unix_nano,
            )

    def typical_trace(
        self, log_filter: LogFilter, service: str, operation: str, *, now_unix_nano: int
    ) -> str | None:
        """The id of the trace of this root whose duration is the median."""
        with self._asking("typical_trace") as connection:
            return typical_trace(
                connection, log_filter, service, operation, now_unix_nano=now_unix_nano
            )

    def known_services(self, environment: Choice) -> Mapping[str, int]:
        """Every service ever seen, with when it was first."""
        with self._asking("known_services") as connection:
            return known_services(connection, environment)

    def system(self) -> Mapping[str, Any]:
        """Facts about stored spans."""
        with self._asking("system") as connection:
            return span_facts(connection)

    @contextmanager
    def _asking(self, question: str) -> Iterator[sa.Connection]:
        with self._watched(), asking(self._engine, question) as connection:
            yield connection
