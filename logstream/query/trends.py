"""How many lines over time, and of which severity."""

import sqlalchemy as sa

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, Severity, TrendBucket, to_datetime
from logstream.query.catalogue import Segment
from logstream.query.counted import counted
from logstream.query.scope import resolve

DEFAULT_RANGE = "15m"
MAX_BUCKETS = 2_000
_BUCKET_CHOICES = (60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800)


def bucket_for(span_seconds: float, most: int = 60) -> int:
    """The finest bucket, in seconds, that cuts a span into at most `most` pieces."""
    for seconds in _BUCKET_CHOICES:
        if span_seconds / seconds <= most:
            return seconds
    return _BUCKET_CHOICES[-1]


def span_seconds(log_filter: LogFilter, now_unix_nano: int) -> float:
    """How much time a trend of this filter shows, in seconds."""
    _, start, end = bounded(log_filter, now_unix_nano)
    return (end - start) / NANOS_PER_SECOND


def trend(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    bucket_seconds: int,
    now_unix_nano: int,
) -> list[TrendBucket]:
    """See LogReader.trend. Without a time range the last 15 minutes are meant."""
    log_filter, start, end = bounded(log_filter, now_unix_nano)
    first = start // NANOS_PER_SECOND // bucket_seconds * bucket_seconds
    last = -(-end // NANOS_PER_SECOND // bucket_seconds) * bucket_seconds
    refuse_many((last - first) // bucket_seconds, bucket_seconds)
    scope = resolve(connection, log_filter, now_unix_nano)
    lines = counted(connection, scope, segments, bucket_seconds=bucket_seconds)
    width = sa.func.make_interval(0, 0, 0, 0, 0, 0, bucket_seconds)
    newest = to_datetime((last - bucket_seconds) * NANOS_PER_SECOND)
    # Lines stamped ahead of the clock are counted in the newest bucket: they must neither
    # stretch the chart nor be missing from it.
    bucket = sa.func.least(sa.func.date_bin(width, lines.c.bucket, to_datetime(0)), newest).label(
        "start"
    )
    total = sa.func.sum(lines.c.count)
    number = lines.c.severity_number
    statement = sa.select(
        bucket,
        total.label("total"),
        total.filter(number >= Severity.ERROR).label("error"),
        total.filter(number.between(Severity.WARN, Severity.WARN.last_number)).label("warn"),
    ).group_by(bucket)
    found = {int(row.start.timestamp()): row for row in connection.execute(statement)}
    buckets = []
    for begin in range(first, last, bucket_seconds):
        row = found.get(begin)
        if row is None:
            buckets.append(TrendBucket(begin, 0, 0, 0))
        else:
            buckets.append(
                TrendBucket(begin, int(row.total), int(row.error or 0), int(row.warn or 0))
            )
    return buckets


def severity_breakdown(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    *,
    now_unix_nano: int,
) -> list[tuple[str, int]]:
    """See LogReader.severity_breakdown."""
    lines = counted(connection, resolve(connection, log_filter, now_unix_nano), segments)
    statement = sa.select(
        lines.c.severity_number, sa.func.sum(lines.c.count).label("count")
    ).group_by(lines.c.severity_number)
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for number, count in connection.execute(statement):
        counts[Severity.of(number)] += int(count)
    return [(severity.word, count) for severity, count in counts.items()]


def refuse_many(pieces: int, bucket_seconds: int) -> None:
    """Raises FilterError for more buckets than a chart has room for."""
    if pieces > MAX_BUCKETS:
        raise FilterError(
            "bucket",
            f"bucket={bucket_seconds} cuts the range into {pieces} pieces",
            f"at most {MAX_BUCKETS}; use a wider bucket or a shorter range",
        )


def bounded(log_filter: LogFilter, now_unix_nano: int) -> tuple[LogFilter, int, int]:
    """The filter with the time that a trend shows, and where that begins and ends."""
    now_unix_nano = log_filter.moment_unix_nano(now_unix_nano)
    start, end = log_filter.window_unix_nano(now_unix_nano)
    if start is None and end is None:
        log_filter = LogFilter.from_url({**log_filter.to_url(), "range": DEFAULT_RANGE})
        start, end = log_filter.window_unix_nano(now_unix_nano)
    if end is None or log_filter.range_text:
        end = max(now_unix_nano, start or 0) + 1
    if start is None:
        start = end - 15 * 60 * NANOS_PER_SECOND
        log_filter = LogFilter.from_url(
            {**log_filter.to_url(), "from": to_datetime(start).isoformat()}
        )
    return log_filter, start, end
