"""What distinguishes the slow requests of an operation: gathered, then compared."""

import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.query import latency_analysis
from logstream.query.catalogue import Segment
from logstream.query.pattern_facts import members_of, named_patterns
from logstream.query.slow_requests import newest_requests
from logstream.trace_port import SlowFast


def slow_and_fast(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    service: str,
    operation: str,
    *,
    slow_share: float,
    limit: int,
    now_unix_nano: int,
) -> SlowFast:
    """See TraceReader.slow_and_fast."""
    found = newest_requests(
        connection,
        segments,
        log_filter,
        service,
        operation,
        limit=limit,
        now_unix_nano=now_unix_nano,
    )
    patterns = sorted(set().union(*(request.patterns for request in found.requests)))
    named = named_patterns(connection, members_of(connection, patterns), log_filter.environment)
    return latency_analysis.slow_and_fast(
        found.requests,
        total=found.total,
        slow_share=slow_share,
        labels={one: pattern.template for one, pattern in named.items()},
    )
