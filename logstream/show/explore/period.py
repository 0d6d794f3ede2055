"""The time shown, and what to call the time before it and the change since then."""

from datetime import UTC, datetime

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND
from logstream.show.time_range import preset_words
from logstream.show.words import percent, span, whole

# From here on a factor says more than percent.
LARGE_FACTOR = 3


def shown_time(log_filter: LogFilter, now: datetime) -> tuple[datetime, datetime] | None:
    """From when to when lines are shown, not beyond now; None when the beginning is open."""
    moment = log_filter.at or now
    start, end = log_filter.window_unix_nano(int(now.timestamp()) * NANOS_PER_SECOND)
    if start is None:
        return None
    begin = datetime.fromtimestamp(start / NANOS_PER_SECOND, UTC)
    if end is None:
        return (begin, moment) if begin < moment else None
    finish = min(datetime.fromtimestamp(end / NANOS_PER_SECOND, UTC), moment)
    return (begin, finish) if begin < finish else None


def before_words(log_filter: LogFilter, now: datetime) -> str:
    """`the hour before`, `the 15 min before`."""
    if log_filter.range_text:
        words = preset_words(log_filter.range_text)
    else:
        shown = shown_time(log_filter, now)
        words = "time" if shown is None else span((shown[1] - shown[0]).total_seconds())
    amount, _, unit = words.partition(" ")
    names = {"h": "hour", "min": "minute", "d": "day", "s": "second"}
    return f"the {names.get(unit, unit) if amount == '1' else words} before"


def change_words(count: int, before: int, words: str) -> str:
    """How a count compares: `+12 % against the hour before`; "" when both are none."""
    if not count and not before:
        return ""
    if not before:
        return f"none in {words}"
    if not count:
        return f"{whole(before)} in {words}"
    factor = count / before
    if factor >= LARGE_FACTOR:
        return f"{factor:.{0 if factor >= 10 else 1}f} × {words}"
    change = abs(count - before)
    if not change:
        return f"as many as in {words}"
    return f"{'+' if count > before else '−'}{percent(change, before)} against {words}"
