"""Time as the pages use it: presets, zones, the words for a range, trend bucket widths."""

import math
from datetime import datetime, timedelta, tzinfo

from logstream.filter import LogFilter, range_seconds
from logstream.show.words import clock_time

DEFAULT_RANGE = "15m"
PRESETS = ("5m", "15m", "1h", "24h", "7d")
MORE_PRESETS = ("30m", "3h", "6h", "12h", "2d", "30d")
UNIT_WORDS = {"s": "s", "m": "min", "h": "h", "d": "days", "w": "weeks"}
# The rollup counts by the minute; 15 to 60 buckets draw well at any width.
BUCKET_SECONDS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
BUCKET_DAYS = (2, 3, 7, 14, 30, 60, 90, 180, 365)
MAX_BUCKETS = 60


def preset_words(range_text: str) -> str:
    """`15 min` for `15m`, `1 day` for `1d`."""
    amount, unit = range_text[:-1], UNIT_WORDS[range_text[-1]]
    return f"{amount} {unit[:-1] if amount == '1' and len(unit) > 3 else unit}"


def range_words(log_filter: LogFilter, zone: tzinfo, now: datetime) -> str:
    """`last 15 min`, `10:05 – 10:20`, `since 2026-01-31 10:05`, or `all time`."""
    if log_filter.range_text:
        return f"last {preset_words(log_filter.range_text)}"
    start, end = log_filter.start, log_filter.end
    if start is not None and end is not None:
        return f"{clock_time(start, zone, near=now)} – {clock_time(end, zone, near=now)}"
    if start is not None:
        return f"since {clock_time(start, zone, near=now)}"
    return "all time" if end is None else f"until {clock_time(end, zone, near=now)}"


def bucket_seconds(log_filter: LogFilter, now: datetime) -> int:
    """The narrowest bucket that gives at most 60 of them; at least a minute, whole days at most.

    An open start counts as a week before the end.
    """
    if log_filter.range_text:
        length = float(range_seconds(log_filter.range_text))
    else:
        end = log_filter.end or now
        start = log_filter.start or end - timedelta(days=7)
        length = (min(end, now) - start).total_seconds()
    for seconds in BUCKET_SECONDS:
        if length <= seconds * MAX_BUCKETS:
            return seconds
    days = math.ceil(length / (86_400 * MAX_BUCKETS))
    return next((wide for wide in BUCKET_DAYS if days <= wide), days) * 86_400


def bucket_words(seconds: int) -> str:
    """`per minute`, `per 5 minutes`, `per hour`, `per day`."""
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % length == 0:
            amount = seconds // length
            return f"per {name}" if amount == 1 else f"per {amount} {name}s"
    return f"per {seconds} seconds"
