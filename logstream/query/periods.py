"""Times beside the one asked about, and buckets of time as a clock on the wall cuts them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, to_datetime

DAY, HOUR = 86_400, 3_600


def period_before(log_filter: LogFilter, now_unix_nano: int) -> LogFilter:
    """The same lines in the time of equal length that ends where the filter's begins.

    A range that reaches to now is as long as it has lasted, in whole minutes: those are counted
    without reading a line. Raises FilterError when the filter names no beginning.
    """
    start, end = log_filter.window_unix_nano(now_unix_nano)
    if start is None:
        raise FilterError(
            "from",
            "there is no time before all time",
            "choose a time range, or say what to compare with",
        )
    if log_filter.range_text or end is None:
        now = log_filter.moment_unix_nano(now_unix_nano)
        end = start + max(1, -(-(now - start) // NANOS_PER_MINUTE)) * NANOS_PER_MINUTE
    return of_time(log_filter, to_datetime(2 * start - end), to_datetime(start))


def of_time(log_filter: LogFilter, start: datetime | None, end: datetime | None) -> LogFilter:
    """The same lines of start <= time < end."""
    return replace(log_filter, range_text="", start=start, end=end)


def bucket_edges(start: int, end: int, bucket_seconds: int, zone: tzinfo) -> list[int]:
    """Where the buckets of start <= time < end begin, and where the last one ends.

    All in Unix seconds. Each day of the zone is cut at midnight and at multiples of the bucket
    after it, so the day of a clock change has a longer or a shorter one. Weeks begin on Mondays.
    """
    edges = []
    for edge in _edges(start, bucket_seconds, zone):
        if edge <= start:
            edges = [edge]
            continue
        edges.append(edge)
        if edge >= end:
            break
    return edges


def edges_before(edges: list[int], bucket_seconds: int, zone: tzinfo) -> list[int]:
    """The edges of as many buckets, the last of which ends where the first of these begins."""
    # A clock change makes a bucket an hour longer, a calendar may leave out a day.
    margin = 2 * DAY + bucket_seconds
    length = max(edges[-1] - edges[0], (len(edges) - 1) * bucket_seconds) + margin
    before = bucket_edges(edges[0] - length, edges[0], bucket_seconds, zone)
    return before[-len(edges) :]


def _edges(start: int, bucket_seconds: int, zone: tzinfo) -> Iterator[int]:
    """Every edge in order, without end, from one at or before `start` on."""
    days = max(1, bucket_seconds // DAY)
    # Day 1 of the calendar was a Monday.
    ordinal = datetime.fromtimestamp(start, zone).toordinal()
    ordinal = (ordinal - 1) // days * days + 1
    last = None
    while True:
        midnight, next_midnight = _midnight(ordinal, zone), _midnight(ordinal + days, zone)
        for edge in _of_day(ordinal, midnight, next_midnight, bucket_seconds, zone):
            if last is None or edge > last:
                yield edge
                last = edge
        ordinal += days


def _of_day(
    ordinal: int, midnight: int, next_midnight: int, bucket_seconds: int, zone: tzinfo
) -> Iterator[int]:
    if bucket_seconds >= DAY:
        yield midnight
    elif bucket_seconds <= HOUR:
        yield from range(midnight, next_midnight, bucket_seconds)
    else:
        start = datetime.combine(date.fromordinal(ordinal), time())
        for seconds in range(0, DAY, bucket_seconds):
            wall = start + timedelta(seconds=seconds)
            yield int(wall.replace(tzinfo=zone).timestamp())


def _midnight(ordinal: int, zone: tzinfo) -> int:
    return int(datetime.combine(date.fromordinal(ordinal), time(), zone).timestamp())
