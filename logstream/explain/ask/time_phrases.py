"""Expressions of time in a question: where each stands and what it says.

Nothing is resolved here: see `times.py`. Times are looked for in lower case; what is quoted
was blanked out before.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from logstream.explain.ask.moments import (
    NUMBER,
    UNIT,
    UNIT_SECONDS,
    Moment,
    date_at,
    moment_at,
    read_number,
    read_unit,
)
from logstream.explain.ask.phrase import Kind, Phrase
from logstream.explain.ask.time_periods import PART_OF_DAY, last_calendar, part_of_day, period_at

_ROLLING = re.compile(
    r"(?P<lead>(?:(?:in|over|during|within|for|of|from|since|across|throughout) )?)"
    r"(?P<the>(?:the |my |these |this )?)"
    r"(?P<which>last|past|previous|preceding|prior|latest|trailing)[ -]"
    rf"(?:{NUMBER}[ -]?)?(?:of )?{UNIT}(?P<half> and a half)?"
)
_WITHIN = re.compile(
    rf"(?:within|in under|over(?= \d+ (?:days|weeks|months))) {NUMBER}[ -]?{UNIT}"
    r"(?! (?:of|before|after|from|around))"
)
_NEAR = re.compile(r"(?:(?:at )?(?:around|about|approximately|circa|near)(?: at)? |~ ?)")
_EVENTS = (
    r"(?:deploy(?:ment)?|release|rollout|restart|reboot|outage|incident|upgrade|migration|rollback"
    r"|crash|failover|maintenance|alert|change|push|backup|spike|start)"
)
_EVENT = (
    r"(?:(?:the|our|my|that|last|latest|yesterday's) )*(?:[\w-]+ ){0,2}?"
    rf"{_EVENTS} (?:at|of|on|from) "
)
_SINCE = re.compile(
    r"(?P<word>since|ever since|on or after|at or after|after|from|starting(?: at| from| on)?"
    rf"|beginning(?: at| on)?|as of|later than|newer than|not before)(?: the)? (?P<event>{_EVENT})?"
)
_SINCE_PERIOD = re.compile(r"(?:ever )?since (?:the )?")
_BEFORE = re.compile(
    r"(?P<word>before|until|till|up to|up until|by|prior to|earlier than|older than"
    rf"|no later than|ending(?: at| on)?)(?: the)? (?P<event>{_EVENT})?"
)
_UNKNOWN_EVENT = re.compile(
    r"(?:since|after|before|until) (?:(?:the|our|last|latest|previous|yesterday's) )*"
    rf"(?P<event>{_EVENTS})(?![\w-])"
)
_BETWEEN = re.compile(r"(?P<lead>(?:in )?between|from|within)(?: the)? ")
_TO = re.compile(r"(?P<mark> ?(?:and|to|until|till|through|thru|-|–|—|\.\.) ?)(?:the )?")
_AT = re.compile(r"(?:(?:on|at|for|of|in|dated|exactly)(?: the)? )")
_OFFSET = re.compile(
    rf"(?:within |in the |the |plus minus |plus or minus |plus/minus |\+/- ?|± ?)?"
    rf"{NUMBER}[ -]?{UNIT}"
    r" (?P<side>before or after|before and after|around|of|before|after|leading up to|prior to"
    r"|following|either side of)(?: the)? "
)
_TRAILING_DAY = re.compile(r",? (?:on |of |at )?")
_STARTS = re.compile(r"(?<![\w.:/@'’-])(?=[\w@~±+])")


def phrases_in(text: str, now: datetime) -> list[Phrase]:
    """Every expression of time, from left to right; `now` carries the viewer's zone."""
    found: list[Phrase] = []
    position = 0
    while match := _STARTS.search(text, position):
        start = match.start()
        phrase = next((one for rule in _RULES if (one := rule(text, start, now))), None)
        if phrase is not None and phrase.end > start:
            found.append(phrase)
            position = phrase.end
        else:
            word = re.compile(r"[\w@~±+]+").match(text, start)
            position = word.end() if word else start + 1
    return found


def _between(text: str, start: int, now: datetime) -> Phrase | None:
    lead = _BETWEEN.match(text, start)
    begin = lead.end() if lead else start
    if lead and (event := re.compile(_EVENT).match(text, begin)):
        begin = event.end()
    first = moment_at(text, begin, now)
    day: Moment | None = None
    if first and first[0].is_day and not lead:
        # "Monday 10:00 - 11:00", "yesterday from 2 to 3 pm"
        inner = _between(text, _skip(text, first[1]), now) if first[1] < len(text) else None
        if inner and inner.kind == "between" and inner.first.clock and inner.first.day is None:
            return replace(inner, start=start, first=replace(inner.first, day=first[0].day))
    if first is None:
        return None
    joint = _TO.match(text, first[1])
    if joint is None or (joint["mark"].strip() == "and" and not (lead and "bet" in lead["lead"])):
        return None
    last = moment_at(text, joint.end(), now)
    if last is None:
        return None
    is_mixed = (first[0].clock is None) != (last[0].clock is None)
    if is_mixed and not (first[0].instant or last[0].instant):
        return None  # a day and a time of day make no range
    end = last[1]
    opening, closing = first[0], last[0]
    if closing.zone is not None and opening.zone is None:
        opening = replace(opening, zone=closing.zone)
    if opening.day is None and closing.day is None and closing.clock:
        trailing = _TRAILING_DAY.match(text, end)
        day_found = (
            date_at(text, trailing.end(), now) if trailing and trailing.end() > end else None
        )
        if day_found:
            day, end = day_found[0], day_found[1]
            opening = replace(opening, day=day.day, notes=day.notes)
    elif opening.day is None and closing.day is not None and opening.clock:
        opening = replace(opening, day=closing.day)
        closing = replace(closing, day=None)
    has_day = opening.day is not None or _day_before(text, start, now)
    if opening.hour12 and closing.hour12 and not has_day:
        return None
    if opening.hour12 and closing.clock and not closing.hour12:
        opening = _same_half(opening, closing)
    return Phrase("between", start, end, opening, closing)


def _same_half(opening: Moment, closing: Moment) -> Moment:
    """`2` of "2 and 3 pm" in the afternoon, `11` of "11 and 1 pm" in the morning."""
    if opening.clock is None or closing.clock is None or closing.clock.hour < 12:
        return opening
    hour = opening.clock.hour
    later = opening.clock.replace(hour=hour + 12) if 1 <= hour < 12 else opening.clock
    return replace(opening, clock=later if later < closing.clock else opening.clock)


def _since(text: str, start: int, now: datetime) -> Phrase | None:
    return _open_ended(text, start, now, _SINCE, "since", ("since", "ever since"))


def _since_period(text: str, start: int, now: datetime) -> Phrase | None:
    """Since this morning: from its beginning on, not to its end."""
    match = _SINCE_PERIOD.match(text, start)
    found = period_at(text, match.end(), now) if match else None
    return found and replace(found, start=start, wall_end=None)


def _before(text: str, start: int, now: datetime) -> Phrase | None:
    return _open_ended(text, start, now, _BEFORE, "before", ("until", "till"))


def _open_ended(
    text: str,
    start: int,
    now: datetime,
    pattern: re.Pattern[str],
    kind: Kind,
    sure: tuple[str, ...],
) -> Phrase | None:
    match = pattern.match(text, start)
    if match is None:
        return None
    for begin in dict.fromkeys(
        (match.start("event") if match["event"] else match.end(), match.end())
    ):
        found = moment_at(text, begin, now)
        if found and not (found[0].hour12 and match["word"] not in sure):
            event = match["event"] or "" if begin == match.end() else ""
            return Phrase(
                kind,
                start,
                found[1],
                found[0],
                side=match["word"].split(" ")[-1 if "after" in match["word"] else 0],
                event=event,
            )
    return None


def _near(text: str, start: int, now: datetime) -> Phrase | None:
    match = _NEAR.match(text, start)
    found = moment_at(text, match.end(), now) if match else None
    if found is None or found[0].hour12 or found[0].is_day:
        return None
    return Phrase("near", start, found[1], found[0])


def _offset(text: str, start: int, now: datetime) -> Phrase | None:
    match = _OFFSET.match(text, start)
    if match is None:
        return None
    found = moment_at(text, match.end(), now)
    if found is None:
        event = re.compile(_EVENT).match(text, match.end())
        found = moment_at(text, event.end(), now) if event else None
    if found is None or found[0].hour12:
        return None
    unit, factor = read_unit(match["unit"])
    seconds = read_number(match["number"]) * factor * UNIT_SECONDS[unit]
    side = {"b": "before", "p": "before", "l": "before", "f": "after", "a": "after"}
    word = match["side"]
    is_both = word in ("of", "around") or word.startswith(("either", "before or", "before and"))
    return Phrase(
        "near", start, found[1], found[0], seconds=seconds, side="" if is_both else side[word[0]]
    )


def _rolling(text: str, start: int, now: datetime) -> Phrase | None:
    match = _ROLLING.match(text, start) or _WITHIN.match(text, start)
    if match is None:
        return None
    said = match.groupdict()
    unit, factor = read_unit(match["unit"])
    is_bare = said.get("number") is None and said["which"] in ("last", "previous")
    is_bare = is_bare and not said["the"] and not match["unit"].startswith(("fort", "quar"))
    if is_bare and unit in "woy":
        calendar = last_calendar(unit, match, now)
        return replace(calendar, wall_end=None) if said["lead"] == "since " else calendar
    number = read_number(match["number"]) if match["number"] else 1
    if said.get("number") is None and match["unit"].endswith("s") and len(match["unit"]) > 1:
        number = 5  # "the last minutes"
    number = number * factor + (0.5 if said.get("half") else 0)
    return Phrase(
        "rolling", start, match.end(), unit=unit, number=number, seconds=number * UNIT_SECONDS[unit]
    )


def _at(text: str, start: int, now: datetime) -> Phrase | None:
    lead = _AT.match(text, start)
    found = moment_at(text, lead.end() if lead else start, now)
    if found is None:
        return None
    moment, end = found
    if moment.is_day and moment.day is not None:
        if part := PART_OF_DAY.match(text, end):
            return part_of_day(start, part.end(), moment.day, part["part"])
        return Phrase("period", start, end, moment, is_day=True)
    if moment.hour12 and moment.day is None:
        return None
    if moment.instant is not None:
        is_epoch = text[lead.end() if lead else start :][:1] in "1@" and "-" not in text[start:end]
        if "now" in text[start:end] or (is_epoch and "ago" not in text[start:end] and not lead):
            return None
    return Phrase("at", start, end, moment)


def _unknown(text: str, start: int, now: datetime) -> Phrase | None:
    match = _UNKNOWN_EVENT.match(text, start)
    return match and Phrase("unknown", start, match.end(), event=match["event"])


def _skip(text: str, position: int) -> int:
    match = re.compile(r",? ?").match(text, position)
    return match.end() if match else position


def _day_before(text: str, start: int, now: datetime) -> bool:
    """True when a day ends right before `start`: "yesterday between 2 and 3"."""
    before = text[:start].rstrip(" ,")
    for begin in re.finditer(r"(?<![\w-])(?=\w)", before[-40:]):
        found = date_at(before[-40:], begin.start(), now)
        if found and found[1] == len(before[-40:]):
            return True
    return False


_Rule = Callable[[str, int, datetime], Phrase | None]
_RULES: tuple[_Rule, ...] = (
    _offset,
    _between,
    _since,
    _since_period,
    _before,
    _near,
    _unknown,
    _rolling,
    period_at,
    _at,
)
