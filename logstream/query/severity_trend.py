"""How many lines of each severity over time, beside the time before, as a clock cuts it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, Severity, to_datetime
from logstream.ports import SeverityBucket
from logstream.query.catalogue import Segment
from logstream.query.counted import counted
from logstream.query.periods import (
    DAY,
    bucket_edges,
    edges_before,
    of_time,
)
from logstream.query.scope import resolve
from logstream.query.trends import bounded, refuse_many
from logstream.zones import read_zone

GRAVEST_FIRST = sorted(Severity, reverse=True)
# Calendars and zones end before time does.
_FIRST_DAY, _LAST_DAY = -62_100_000_000, 253_300_000_000


def trend_by_severity(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    bucket_seconds: int,
    now_unix_nano: int,
    zone: str,
    with_previous: bool,
) -> list[SeverityBucket]:
    """See LogReader.trend_by_severity. Without a time range the last 15 minutes are meant."""
    clock = read_zone(zone)
    if bucket_seconds > DAY and bucket_seconds % DAY:
        raise FilterError(
            "bucket", f"bucket={bucket_seconds} is not whole days", "use 86400 or 604800"
        )
    log_filter, start, end = bounded(log_filter, now_unix_nano)
    first, last = start // NANOS_PER_SECOND, -(-end // NANOS_PER_SECOND)
    refuse_many((last - first) // bucket_seconds, bucket_seconds)
    if first < _FIRST_DAY or last > _LAST_DAY:
        raise FilterError("from", "no chart reaches that far", "use years from 3 to 9990")
    edges = bucket_edges(first, last, bucket_seconds, clock)
    counts = _counts(connection, segments, log_filter, edges, now_unix_nano)
    previous: list[int | None] = [None] * len(counts)
    if with_previous:
        before = edges_before(edges, bucket_seconds, clock)
        meant = _same_part(log_filter, start, end, edges, before)
        previous = [
            sum(one.values()) for one in _counts(connection, segments, meant, before, now_unix_nano)
        ]
    return [
        SeverityBucket(
            edges[n], edges[n + 1], {one.word: counts[n][one] for one in GRAVEST_FIRST}, previous[n]
        )
        for n in range(len(counts))
    ]


def _same_part(
    log_filter: LogFilter, start: int, end: int, edges: list[int], before: list[int]
) -> LogFilter:
    """The time before, from as far in its first bucket to as far in its last; whole minutes."""
    into_first = start - edges[0] * NANOS_PER_SECOND
    into_last = (before[-1] - before[-2]) * NANOS_PER_SECOND
    if end < edges[-1] * NANOS_PER_SECOND:
        into_last = min(into_last, end - edges[-2] * NANOS_PER_SECOND)
    return of_time(
        log_filter,
        to_datetime(
            before[0] * NANOS_PER_SECOND + into_first // NANOS_PER_MINUTE * NANOS_PER_MINUTE
        ),
        to_datetime(
            before[-2] * NANOS_PER_SECOND + -(-into_last // NANOS_PER_MINUTE) * NANOS_PER_MINUTE
        ),
    )


def _counts(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    edges: list[int],
    now_unix_nano: int,
) -> list[dict[Severity, int]]:
    scope = resolve(connection, log_filter, now_unix_nano)
    lines = counted(connection, scope, segments, edges=edges)
    begins = sa.literal(
        [to_datetime(edge * NANOS_PER_SECOND) for edge in edges[:-1]],
        ARRAY(sa.DateTime(timezone=True)),
    )
    # Lines stamped ahead of the clock are counted in the newest bucket: they must neither
    # stretch the chart nor be missing from it.
    bucket = sa.func.width_bucket(lines.c.bucket, begins, type_=sa.Integer).label("number")
    statement = sa.select(
        bucket, lines.c.severity_number, sa.func.sum(lines.c.count).label("count")
    ).group_by(bucket, lines.c.severity_number)
    counts = [dict.fromkeys(Severity, 0) for _ in edges[:-1]]
    for number, severity_number, count in connection.execute(statement):
        counts[number - 1][Severity.of(severity_number)] += int(count)
    return counts
