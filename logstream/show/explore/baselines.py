"""What a time can be compared with, in words and as filters."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from logstream.filter import LogFilter
from logstream.show.words import clock_time, span

Time = tuple[datetime, datetime]


@dataclass(frozen=True)
class Baseline:
    """`name` is for the session, `words` for people."""

    name: str
    words: str
    start: datetime
    end: datetime

    def of(self, log_filter: LogFilter) -> LogFilter:
        """The same lines in this time."""
        return replace(log_filter, range_text="", start=self.start, end=self.end)


def baselines(time: Time, around: Time | None, zone: tzinfo, now: datetime) -> list[Baseline]:
    """What the time can be compared with, the usual choice first.

    `around` is the longer time it was chosen in: what of it lies before and after is usual, for
    more lines make a surer comparison.
    """
    start, end = time
    length = end - start

    def words(first: datetime, last: datetime) -> str:
        return f"{clock_time(first, zone, near=now)} – {clock_time(last, zone, near=now)}"

    found = []
    if around is not None and around[0] < start:
        found.append(
            Baseline(
                "earlier", f"the time shown before it, {words(around[0], start)}", around[0], start
            )
        )
    if around is not None and end < around[1]:
        found.append(
            Baseline("later", f"the time shown after it, {words(end, around[1])}", end, around[1])
        )
    before = Baseline(
        "before", f"the {span(length.total_seconds())} before it", start - length, start
    )
    is_enough = bool(found) and found[0].end - found[0].start >= length
    found.insert(1 if is_enough else 0, before)
    for days, name, what in (
        (1, "day", "the same time a day before"),
        (7, "week", "a week before"),
    ):
        if length <= timedelta(days=days):
            back = timedelta(days=days)
            found.append(Baseline(name, what, start - back, end - back))
    return found
