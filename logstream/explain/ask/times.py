"""Time in a question: expressions resolved to one range, in the viewer's zone."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from logstream.explain.ask.clock import day_start, moment_of
from logstream.explain.ask.moments import Moment
from logstream.explain.ask.phrase import Phrase
from logstream.explain.ask.time_phrases import phrases_in

_NEAR_MINUTES = {1: 2, 60: 5, 3600: 5}
_AROUND_MINUTES = {1: 5, 60: 10, 3600: 30}
_RANGE_LETTERS = {"s": ("s", 1), "m": ("m", 1), "h": ("h", 1), "d": ("d", 1), "w": ("d", 7)}
_RANGE_LETTERS.update({"o": ("d", 30), "y": ("d", 365)})
_LONGEST_DAYS = 36_500


@dataclass(frozen=True)
class TimeReading:
    """What a question says of time.

    `spans` are the characters used. `range_text` or `start`/`end` (UTC) as in LogFilter; all
    empty when nothing was understood. `unread` are expressions that were not used.
    """

    spans: tuple[tuple[int, int], ...] = ()
    range_text: str = ""
    start: datetime | None = None
    end: datetime | None = None
    is_likely: bool = False
    alternatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.range_text or self.start or self.end)


def read_times(text: str, now: datetime, zone: tzinfo) -> TimeReading:
    """The one range that a question (in lower case, what is quoted blanked out) speaks of."""
    local = now.astimezone(zone)
    found = phrases_in(text, local)
    unknown = [phrase for phrase in found if phrase.kind == "unknown"]
    phrases = _merged([phrase for phrase in found if phrase.kind != "unknown"])
    unread = [(phrase.start, phrase.end) for phrase in unknown]
    notes = [
        f"when the {phrase.event} was is not known here; give a time, as in “since 14:05”"
        for phrase in unknown
    ]
    reading = TimeReading()
    for phrase, spans in phrases:
        if not reading:
            try:
                reading = replace(_resolved(phrase, local, zone, notes), spans=tuple(spans))
            except (OverflowError, ValueError):
                reading = TimeReading()
            if reading:
                continue
            notes.append(f"“{text[phrase.start : phrase.end]}” is no time that can be searched")
        else:
            notes.append("only one time range is used; the other is left out")
        unread += spans
    return replace(
        reading, notes=(*reading.notes, *dict.fromkeys(notes)), unread=tuple(sorted(unread))
    )


_Spanned = tuple[Phrase, list[tuple[int, int]]]


def _merged(phrases: list[Phrase]) -> list[_Spanned]:
    """Phrases that complete each other made one: a day and hours, a start and an end."""
    spanned: list[_Spanned] = [(phrase, [(phrase.start, phrase.end)]) for phrase in phrases]
    position = 0
    while position + 1 < len(spanned):
        (one, spans), (other, others) = spanned[position], spanned[position + 1]
        merged = _merge(one, other) or _merge(other, one)
        if merged is None:
            position += 1
        else:
            spanned[position : position + 2] = [(merged, spans + others)]
    return spanned


def _merge(one: Phrase, other: Phrase) -> Phrase | None:
    if one.is_day and other.kind in ("between", "since", "before", "near", "at"):
        moment = other.first
        if moment.clock is not None and moment.day is None and moment.instant is None:
            return replace(
                other,
                start=min(one.start, other.start),
                end=max(one.end, other.end),
                first=replace(moment, day=one.first.day),
                side="after" if other.kind in ("since", "before") else other.side,
                is_day=True,
            )
    if one.kind == "since" and other.kind == "before":
        return Phrase("between", one.start, other.end, one.first, other.first, side="open")
    return None


def _resolved(phrase: Phrase, now: datetime, zone: tzinfo, notes: list[str]) -> TimeReading:
    notes.extend(phrase.first.notes)
    notes.extend(phrase.last.notes)
    match phrase.kind:
        case "rolling":
            return _rolling(phrase)
        case "between":
            start, end, alternatives = _between(phrase, now, zone, notes)
        case "near" | "at":
            start, end, alternatives = _around(phrase, now, zone, notes)
        case "since":
            start, end, alternatives = _since(phrase, now, zone, notes)
        case "before":
            start, end, alternatives = _before(phrase, now, zone, notes)
        case _:
            start, end, alternatives = _period(phrase, zone, notes)
    if start is not None and end is not None and start >= end:
        notes.append("the range ends before it begins")
        return TimeReading()
    if start is not None and start > now.astimezone(UTC):
        notes.append("this range lies ahead of now: no line is to be expected yet")
    is_likely = phrase.kind in ("near", "at") or bool(alternatives)
    return TimeReading((), "", start, end, is_likely, alternatives)


def _rolling(phrase: Phrase) -> TimeReading:
    letter, factor = _RANGE_LETTERS[phrase.unit]
    number = phrase.number * factor
    if number != int(number):
        for smaller in ("h", "m", "s"):
            letter, seconds = smaller, {"h": 3600, "m": 60, "s": 1}[smaller]
            if phrase.seconds % seconds == 0:
                break
        number = phrase.seconds // seconds
    if number <= 0:
        return TimeReading(notes=("a range of no length holds no line",))
    days = phrase.seconds / 86_400
    if days > _LONGEST_DAYS or number > 999_999:
        return TimeReading((), f"{_LONGEST_DAYS}d", notes=("read as the longest range there is",))
    return TimeReading((), f"{int(number)}{letter}")


_Range = tuple[datetime | None, datetime | None, tuple[str, ...]]


def _between(phrase: Phrase, now: datetime, zone: tzinfo, notes: list[str]) -> _Range:
    opening, closing = phrase.first, phrase.last
    day = opening.day or _latest_day(opening, now, zone, notes)
    start = _moment(opening, day, zone, notes)
    if closing.instant is not None or closing.day is not None:
        end = _moment(closing, closing.day or day, zone, notes, is_end=True)
        if end <= start and opening.is_day and closing.is_day:  # Monday to Friday
            start -= timedelta(days=7)
        return start, end, ()
    last_day = day
    if opening.clock and closing.clock and closing.clock <= opening.clock:
        if opening.hour12 and closing.hour12:  # from 9 to 5
            closing = replace(closing, clock=closing.clock.replace(hour=closing.clock.hour + 12))
        else:
            last_day = day + timedelta(days=1)
    end = _moment(closing, last_day, zone, notes, is_end=True)
    alternatives: tuple[str, ...] = ()
    if opening.hour12 and closing.hour12 and opening.clock and closing.clock:
        alternatives = (f"{opening.clock.hour + 12}:00 to {closing.clock.hour + 12}:00",)
        notes.append(
            f"{opening.clock:%H:%M} to {closing.clock:%H:%M} is read by the 24-hour clock; "
            "write pm for the afternoon"
        )
    return start, end, alternatives


def _around(phrase: Phrase, now: datetime, zone: tzinfo, notes: list[str]) -> _Range:
    moment = phrase.first
    if moment.instant is not None and moment.day is not None and phrase.kind == "at":
        return day_start(moment.day, zone), day_start(moment.day + timedelta(days=1), zone), ()
    day = moment.day or _latest_day(moment, now, zone, notes)
    instant = _moment(moment, day, zone, notes)
    if phrase.seconds:
        distance = timedelta(seconds=phrase.seconds)
    else:
        minutes = (_AROUND_MINUTES if phrase.kind == "near" else _NEAR_MINUTES).get(
            moment.grain_seconds, 5
        )
        distance = timedelta(minutes=minutes)
        notes.append(f"read as {minutes} minutes before and after {_shown(instant, zone)}")
    start = instant if phrase.side == "after" else instant - distance
    end = instant if phrase.side == "before" else instant + distance
    return start, end, ()


def _since(phrase: Phrase, now: datetime, zone: tzinfo, notes: list[str]) -> _Range:
    moment = phrase.first
    day = moment.day or _latest_day(moment, now, zone, notes)
    start = _moment(moment, day, zone, notes)
    if moment.is_day and phrase.side == "after":
        start = day_start(day + timedelta(days=1), zone)
    is_bound = phrase.is_day or (moment.is_clock_first and phrase.side != "since")
    is_bound = is_bound and moment.day is not None and day < now.date()
    return start, day_start(day + timedelta(days=1), zone) if is_bound else None, ()


def _before(phrase: Phrase, now: datetime, zone: tzinfo, notes: list[str]) -> _Range:
    moment = phrase.first
    day = moment.day or _latest_day(moment, now, zone, notes)
    if moment.is_day and phrase.side in ("until", "till", "up", "by", "no", "ending"):
        return None, day_start(day + timedelta(days=1), zone), ()
    end = _moment(moment, day, zone, notes, is_end=True) if moment.clock or moment.instant else None
    is_bound = phrase.is_day or moment.is_clock_first
    is_bound = is_bound or (moment.clock is not None and moment.day is None)
    start = day_start(day, zone) if is_bound and moment.instant is None else None
    return start, end or day_start(day, zone), ()


def _period(phrase: Phrase, zone: tzinfo, notes: list[str]) -> _Range:
    if phrase.first.day is not None:
        day = phrase.first.day
        return day_start(day, zone), day_start(day + timedelta(days=1), zone), ()
    start, end = phrase.wall_start, phrase.wall_end
    return (
        None if start is None else moment_of(start, zone, notes=notes),
        None if end is None else moment_of(end, zone, is_end=True, notes=notes),
        (),
    )


def _moment(
    moment: Moment, day: date, zone: tzinfo, notes: list[str], *, is_end: bool = False
) -> datetime:
    """The instant; of a day alone its beginning, or as an end that of the next day."""
    if moment.instant is not None and (moment.day is None or moment.grain_seconds < 86_400):
        return moment.instant
    if moment.clock is None:
        if moment.instant is not None:
            return moment.instant
        return day_start(day + timedelta(days=1) if is_end else day, zone)
    wall = datetime.combine(day, moment.clock)
    return moment_of(wall, moment.zone or zone, is_end=is_end, notes=notes)


def _latest_day(moment: Moment, now: datetime, zone: tzinfo, notes: list[str]) -> date:
    """The last day on which the moment's time of day has already come."""
    if moment.instant is not None:
        return moment.instant.astimezone(zone).date()
    own = now.astimezone(moment.zone) if moment.zone else now
    today = own.date()
    clock = moment.clock or time()
    if datetime.combine(today, clock) > own.replace(tzinfo=None):
        notes.append(f"{clock:%H:%M} is still to come today, so yesterday's is meant")
        return today - timedelta(days=1)
    return today


def _shown(instant: datetime, zone: tzinfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")
