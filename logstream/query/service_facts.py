"""Rate, errors and durations of every service, beside the same time a day earlier."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from logstream.durations import percentile_nano
from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, to_datetime
from logstream.query.counts import HOUR, MINUTE
from logstream.query.known_services import known_services
from logstream.query.patterns import width_for
from logstream.query.periods import bucket_edges
from logstream.query.service_counts import ServiceCounts, count_services
from logstream.query.whole_time import WholeTime, minutes_since, whole_time
from logstream.tables import (
    log_counts,
    log_counts_hourly,
    operation_counts,
    operation_counts_hourly,
)
from logstream.trace_port import ServiceFacts, Services
from logstream.zones import read_zone

# So many minutes of one service, or fewer of more, are read for a trend; beyond, hours are.
_MOST_MINUTES = 15_000
# Calendars and zones end before time does.
_FIRST_DAY, _LAST_DAY = -62_100_000_000, 253_300_000_000


def services(
    connection: sa.Connection,
    log_filter: LogFilter,
    *,
    buckets: int,
    now_unix_nano: int,
    zone: str,
) -> Services:
    """See TraceReader.services. Without a time range the last 15 minutes are meant."""
    time = whole_time(log_filter, now_unix_nano)
    before = time.day_before
    has_history = _reaches_back(connection, before)
    first_seen = known_services(connection, log_filter.environment)
    meant = sum(map(log_filter.service.allows, first_seen))
    edges, width, by_minute = _pieces(time, buckets, zone, meant, now_unix_nano)
    now, then = count_services(
        connection,
        log_filter,
        first_seen,
        time,
        before if has_history else None,
        begins=edges[:-1],
        by_minute=by_minute,
    )
    end_before = before.end * NANOS_PER_SECOND
    facts = []
    for name, counts in now.items():
        if not counts.is_anything:
            continue
        seen = first_seen.get(name)
        # Nothing of a service that was there already is a zero, and of a new one not known.
        was_there = has_history and (name in then or (seen is not None and seen < end_before))
        facts.append(
            _facts(name, counts, then.get(name, ServiceCounts()) if was_there else None, len(edges))
        )
    facts.sort(key=lambda one: (-one.calls, -one.lines, one.service))
    return Services(facts, width, edges[:-1])


def _facts(
    name: str, counts: ServiceCounts, then: ServiceCounts | None, edges: int
) -> ServiceFacts:
    told_by = counts.told_by
    calls = counts.calls(told_by)
    if then is not None and told_by != "lines" and then.told_by == "lines" and then.lines.calls:
        # It sent lines then and no spans yet: that is no call fewer.
        then = None
    earlier = None if then is None else then.calls(told_by)
    pieces = range(1, edges)
    return ServiceFacts(
        service=name,
        told_by="lines" if told_by == "lines" else "spans",
        calls=calls.calls,
        errors=calls.errors,
        lines=counts.lines.calls,
        error_lines=counts.lines.errors,
        p50_nano=percentile_nano(calls.steps, 0.5),
        p95_nano=percentile_nano(calls.steps, 0.95),
        p99_nano=percentile_nano(calls.steps, 0.99),
        calls_before=None if earlier is None else earlier.calls,
        errors_before=None if earlier is None else earlier.errors,
        p95_before_nano=None if earlier is None else percentile_nano(earlier.steps, 0.95),
        trend=[calls.pieces.get(piece, 0) for piece in pieces],
        error_trend=[calls.error_pieces.get(piece, 0) for piece in pieces],
    )


def _pieces(
    time: WholeTime, buckets: int, zone: str, service_count: int, now_unix_nano: int
) -> tuple[list[int], int, bool]:
    """Edges of the trend's pieces, their width, and whether they are counted by the minute."""
    clock = read_zone(zone)
    if time.start < _FIRST_DAY or time.until > _LAST_DAY:
        raise FilterError("from", "no chart reaches that far", "use years from 3 to 9990")
    length = time.until - time.start
    width = width_for(length, buckets)
    has_minutes = time.start >= minutes_since(now_unix_nano)
    is_little = length // MINUTE * service_count <= _MOST_MINUTES
    by_minute = width < HOUR and has_minutes and is_little
    if not by_minute:
        width = max(width, HOUR)
    edges = bucket_edges(time.start, time.until, width, clock)
    return edges, width, by_minute


def _reaches_back(connection: sa.Connection, before: WholeTime) -> bool:
    """Whether anything is stored from the beginning of that time, to the hour."""
    oldest: Sequence[datetime] = [
        found
        for table in (log_counts, log_counts_hourly, operation_counts, operation_counts_hourly)
        if (found := connection.scalar(sa.select(sa.func.min(table.c.bucket)))) is not None
    ]
    start = to_datetime(before.start * NANOS_PER_SECOND)
    return bool(oldest) and min(oldest) <= start
