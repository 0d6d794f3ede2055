"""Periods in a question that have a name: this morning, last week, in March 2026, the weekend."""

import re
from datetime import date, datetime, time, timedelta

from logstream.explain.ask.clock import monday_of, month_start
from logstream.explain.ask.moments import MONTHS
from logstream.explain.ask.phrase import Phrase

_PARTS = {
    **{"morning": (time(5), time(12)), "afternoon": (time(12), time(18))},
    **{"evening": (time(18), time(0)), "night": (time(20), time(6))},
}
PART_OF_DAY = re.compile(r" ?(?:in the |at )?(?P<part>morning|afternoon|evening|night)(?![\w-])")
_THIS = re.compile(r"(?:in |during )?this (?P<unit>hour|week|month|year)(?![\w-])")
_LAST_NIGHT = re.compile(r"(?:last night|overnight)(?![\w-])")
_TODAY_PART = re.compile(
    r"(?:earlier )?(?:this (?P<part>morning|afternoon|evening)|(?P<tonight>tonight))(?![\w-])"
)
_WEEKEND = re.compile(
    r"(?:over |on |at |during )?(?:the |this |last )?(?:past |last )?weekend(?!\w)"
)
_MONTH_NAMES = "|".join(MONTHS)
_MONTH = re.compile(
    rf"(?:(?P<lead>in|during|for|of|throughout) )?(?:(?P<last>last) )?(?P<month>{_MONTH_NAMES})"
    r"(?:,? (?P<year>(?:19|20)\d\d))?(?![\w-])"
)
_YEAR = re.compile(r"(?:in|during|for|of|throughout) (?P<year>(?:19|20)\d\d)(?![\w:.-])")


def last_calendar(unit: str, match: re.Match[str], now: datetime) -> Phrase:
    """The week, month or year before this one."""
    today = now.date()
    if unit == "w":
        last = monday_of(today)
        first = last - timedelta(days=7)
    elif unit == "o":
        last = today.replace(day=1)
        first = month_start(last.year, last.month - 1)
    else:
        first, last = date(today.year - 1, 1, 1), date(today.year, 1, 1)
    return _days(match, first, last)


def period_at(text: str, start: int, now: datetime) -> Phrase | None:
    """The period that begins at a position of a text in lower case."""
    today = now.date()
    if match := _TODAY_PART.match(text, start):
        part = match["part"] or "evening"
        return part_of_day(match.start(), match.end(), today, part)
    if match := _LAST_NIGHT.match(text, start):
        return part_of_day(match.start(), match.end(), today - timedelta(days=1), "night")
    if match := _THIS.match(text, start):
        if match["unit"] == "hour":
            wall = now.replace(tzinfo=None, minute=0, second=0, microsecond=0)
            return Phrase("period", start, match.end(), wall_start=wall)
        first = {"week": monday_of(today), "month": today.replace(day=1)}.get(
            match["unit"], date(today.year, 1, 1)
        )
        return _days(match, first, None)
    if match := _WEEKEND.match(text, start):
        saturday = monday_of(today) + timedelta(days=5 if today.weekday() >= 5 else -2)
        return _days(match, saturday, saturday + timedelta(days=2))
    if match := _YEAR.match(text, start):
        year = int(match["year"])
        return _days(match, date(year, 1, 1), date(year + 1, 1, 1))
    match = _MONTH.match(text, start)
    if match and (match["lead"] or match["year"] or match["last"]):
        number = MONTHS.index(match["month"]) + 1
        year = int(match["year"] or today.year)
        if not match["year"] and date(year, number, 1) > today:
            year -= 1
        return _days(match, date(year, number, 1), month_start(year, number + 1))
    return None


def _days(match: re.Match[str], first: date, last: date | None) -> Phrase:
    return Phrase(
        "period",
        match.start(),
        match.end(),
        wall_start=datetime.combine(first, time()),
        wall_end=None if last is None else datetime.combine(last, time()),
    )


def part_of_day(start: int, end: int, day: date, part: str) -> Phrase:
    """A day's morning, afternoon, evening or night; `start` and `end` are where it is said."""
    opens, closes = _PARTS[part]
    last = day if closes > opens else day + timedelta(days=1)
    return Phrase(
        "period",
        start,
        end,
        wall_start=datetime.combine(day, opens),
        wall_end=datetime.combine(last, closes),
    )
