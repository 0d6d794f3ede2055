"""What the pages of traces ask; the reader shares its answers among all viewers."""

from logstream.filter import Choice, LogFilter
from logstream.show import session
from logstream.trace_port import SlowFast, TracePage, TraceShape, TraceSort, WholeTrace

# More are drawn as an even sample.
MOST_POINTS = 2_000
# Of more requests of an operation only the newest are compared.
MOST_REQUESTS = 2_000
# Of a comparison: more than that nobody reads side by side.
MOST_SPANS, MOST_LINES = 10_000, 1_000


def traces(
    log_filter: LogFilter, sort: TraceSort, limit: int, now_unix_nano: int, cursor: str | None
) -> TracePage:
    """A page of the traces meant."""
    return session.ask_traces(
        lambda ask: ask.traces(
            log_filter, sort=sort, limit=limit, now_unix_nano=now_unix_nano, cursor=cursor
        )
    )


def shape(log_filter: LogFilter, now_unix_nano: int) -> TraceShape:
    """All traces meant, as points and counts."""
    return session.ask_traces(
        lambda ask: ask.trace_shape(log_filter, points=MOST_POINTS, now_unix_nano=now_unix_nano)
    )


def slow_and_fast(
    log_filter: LogFilter, service: str, operation: str, now_unix_nano: int
) -> SlowFast:
    """What distinguishes the slow requests of an operation."""
    return session.ask_traces(
        lambda ask: ask.slow_and_fast(
            log_filter, service, operation, limit=MOST_REQUESTS, now_unix_nano=now_unix_nano
        )
    )


def typical_trace(
    log_filter: LogFilter, service: str, operation: str, now_unix_nano: int
) -> str | None:
    """The id of the trace of this root whose duration is the median."""
    return session.ask_traces(
        lambda ask: ask.typical_trace(log_filter, service, operation, now_unix_nano=now_unix_nano)
    )


def whole_trace(trace_id: str, environment: Choice) -> WholeTrace | None:
    """One trace; None when nothing is stored of it."""
    return session.ask_traces(
        lambda ask: ask.trace(
            trace_id, environment=environment, max_spans=MOST_SPANS, max_lines=MOST_LINES
        )
    )
