"""Single moments in words: `14:05`, `2 pm`, `3 May 2026 at 10:00`, `Monday`, an ISO stamp.

A Moment says only what stands there; `times.py` fills in the day and makes it a range.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
NUMBERS = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6},
    **{"seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12},
    **{"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "fifty": 50},
    **{"sixty": 60, "ninety": 90, "hundred": 100, "couple": 2, "couple of": 2},
    **{"few": 5, "several": 5, "half": 0.5, "half a": 0.5, "half an": 0.5, "dozen": 12},
}
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "o": 2_592_000}
UNIT_SECONDS["y"] = 31_536_000
NUMBER = (
    r"(?P<number>\d{1,9}(?:\.\d{1,3})?"
    rf"|(?:a )?(?:{'|'.join(sorted(NUMBERS, key=len, reverse=True))})(?![\w]))"
)
UNIT = (
    r"(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w"
    r"|months?|mons?|years?|yrs?|y|fortnights?|quarters?)(?![\w])"
)
# Abbreviations that mean one offset everywhere; others (IST, CST of China) are left to names.
ZONES = {
    **{"utc": 0, "gmt": 0, "z": 0, "zulu": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2},
    **{"eet": 2, "eest": 3, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6},
    **{"pst": -8, "pdt": -7, "jst": 9, "aest": 10, "aedt": 11},
}
_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\.?"
_DAY_NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s*(?P<year>(?:19|20)\d\d)(?!\d|:))?"
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?P<long>day)?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?![\d])",
        r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>(?:19|20)\d\d)(?!\d)",
        rf"(?:the )?{_DAY_NUMBER}(?: of)?[ -]{_MONTH}(?![\w]){_YEAR}",
        rf"{_MONTH}[ ]{_DAY_NUMBER}(?![\w:]|\.\d){_YEAR}",
        r"(?P<word>the day before yesterday|day before yesterday|yesterday|today|tomorrow)"
        r"(?:'s|’s)?(?![\w-])",
        rf"(?:(?P<which>last|this|past|next) )?{_WEEKDAY}(?:'s|’s|s)?(?![\w-])",
    )
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[:h](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"|\.(?P<dotted>\d\d))?"
    r"\s?(?P<meridiem>[ap]\.?m\.?)?(?: ?o'?clock)?(?![\w:/-]|\.\d)"
)
_NAMED_CLOCK = re.compile(r"(?P<name>noon|midday|midnight)(?![\w])")
_ZONE = re.compile(
    r"\s?(?P<offset>(?:utc|gmt)?[+-]\d\d?(?::?\d\d)?(?![\w:]))"
    r"|\s?(?P<name>[a-z]{1,5})(?![\w/])|\s?(?P<place>[a-z]+/[a-z_]+(?:/[a-z_]+)?)(?![\w/])"
)
_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[t ](?P<clock>\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
    r"(?P<zone>z|[+-]\d\d:?\d\d)?(?![\w:])"
)
_EPOCH = re.compile(r"@?(?P<epoch>1\d{9}(?:\d{3}|\d{6}|\d{9})?)(?P<rest>\.\d{1,9})?(?![\w.-])")
_AGO = re.compile(rf"{NUMBER}[ -]?{UNIT} (?:ago|earlier|back)(?![\w])")
_JOINT = re.compile(r",? ?(?:at |on |the )*|t(?=\d)")


@dataclass(frozen=True)
class Moment:
    """A point of time as far as it is said: an instant, or a day and a time of day.

    `grain_seconds` is how exactly it was said: 86,400 for a day. `hour12` is set when an hour
    came without am, pm or minutes, `is_clock_first` when the day was said after it.
    """

    day: date | None = None
    clock: time | None = None
    zone: tzinfo | None = None
    instant: datetime | None = None
    grain_seconds: int = 60
    hour12: bool = False
    is_clock_first: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_day(self) -> bool:
        """True when only a day is said."""
        return self.day is not None and self.clock is None


def read_number(text: str) -> float:
    """The value of what NUMBER matches."""
    bare = text.removeprefix("a ") if text not in NUMBERS else text
    return float(NUMBERS[bare]) if bare in NUMBERS else float(bare)


def read_unit(text: str) -> tuple[str, float]:
    """(letter of a range unit or `o` for months, factor) of what UNIT matches."""
    if text.startswith("fortnight"):
        return "w", 2
    if text.startswith("quarter"):
        return "o", 3
    if text.startswith("mo"):
        return "o", 1
    return text[0], 1


def moment_at(text: str, position: int, now: datetime) -> tuple[Moment, int] | None:
    """The moment that begins at a position of a text in lower case, and where it ends.

    `now` carries the viewer's zone. Bare numbers are not moments, but `2` of `between 2 and 3
    pm` is: the caller decides whether an hour alone can be meant.
    """
    if found := _iso(text, position) or _ago(text, position, now) or _epoch(text, position):
        return found
    if text.startswith("now", position) and not text[position + 3 : position + 4].isalnum():
        return Moment(instant=now.astimezone(UTC), grain_seconds=1), position + 3
    day = _date(text, position, now)
    if day is not None:
        joint = _JOINT.match(text, day[1])
        clock = clock_at(text, joint.end()) if joint else None
        if clock is not None and not (clock[0].hour12 and "at" not in (joint or [""])[0]):
            merged = replace(clock[0], day=day[0].day, notes=day[0].notes)
            return merged, clock[1]
        return day
    clock = clock_at(text, position)
    if clock is None:
        return None
    joint = _JOINT.match(text, clock[1])
    day = _date(text, joint.end(), now) if joint and joint.end() > clock[1] else None
    if day is not None:
        merged = replace(clock[0], day=day[0].day, notes=day[0].notes, is_clock_first=True)
        return merged, day[1]
    return clock


def clock_at(text: str, position: int) -> tuple[Moment, int] | None:
    """A time of day, with its zone when one follows."""
    if named := _NAMED_CLOCK.match(text, position):
        hour = 0 if named["name"] == "midnight" else 12
        return Moment(clock=time(hour)), named.end()
    match = _CLOCK.match(text, position)
    if match is None:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    minute = int(match["dotted"] or minute)
    meridiem = (match["meridiem"] or "").replace(".", "")
    if meridiem:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if meridiem == "pm" else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return None
    is_bare = match["minute"] is None and not meridiem and "clock" not in match[0]
    grain = 1 if match["second"] else 3600 if is_bare and not match["dotted"] else 60
    moment = Moment(clock=time(hour % 24, minute, second), grain_seconds=grain, hour12=is_bare)
    zone, end = _zone(text, match.end())
    return (replace(moment, zone=zone), end) if zone else (moment, match.end())


def date_at(text: str, position: int, now: datetime) -> tuple[Moment, int] | None:
    """A day: a date, a weekday, `yesterday`."""
    return _date(text, position, now)


def _zone(text: str, position: int) -> tuple[tzinfo | None, int]:
    match = _ZONE.match(text, position)
    if match is None:
        return None, position
    if match["name"]:
        hours = ZONES.get(match["name"])
        return (None, position) if hours is None else (_fixed(hours * 60), match.end())
    if match["place"]:
        try:
            words = [part.title() for part in match["place"].replace("_", " ").split("/")]
            return ZoneInfo("/".join(words).replace(" ", "_")), match.end()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None, position
    digits = re.sub(r"[^\d+-]", "", match["offset"])
    sign, digits = (-1 if digits[0] == "-" else 1), digits[1:]
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0) if len(digits) > 2 else int(digits) * 60
    return (_fixed(sign * minutes), match.end()) if minutes < 900 else (None, position)


def _fixed(minutes: int) -> tzinfo:
    return UTC if minutes == 0 else timezone(timedelta(minutes=minutes))


def _iso(text: str, position: int) -> tuple[Moment, int] | None:
    match = _ISO.match(text, position)
    if match is None:
        return None
    clock = match["clock"].replace(",", ".")
    try:
        wall = datetime.fromisoformat(f"{match['date']}T{clock[:8]}")
    except ValueError:
        return None
    zone: tzinfo | None = UTC if match["zone"] == "z" else None
    end = match.end()
    if zone is UTC:
        end = _zone(text, end)[1]
    else:
        zone, end = _zone(text, match.start("zone") if match["zone"] else match.end())
    fraction = clock[8:]
    if fraction:
        wall = wall.replace(microsecond=int(f"{fraction[1:]:0<6}"[:6]))
    grain = 60 if len(clock) == 5 else 1
    if zone is None:
        return Moment(day=wall.date(), clock=wall.time(), grain_seconds=grain), end
    return Moment(instant=wall.replace(tzinfo=zone).astimezone(UTC), grain_seconds=grain), end


def _epoch(text: str, position: int) -> tuple[Moment, int] | None:
    match = _EPOCH.match(text, position)
    if match is None:
        return None
    digits = match["epoch"]
    seconds = int(digits) / 10 ** (len(digits) - 10)
    return Moment(instant=datetime.fromtimestamp(seconds, UTC), grain_seconds=1), match.end()


def _ago(text: str, position: int, now: datetime) -> tuple[Moment, int] | None:
    match = _AGO.match(text, position)
    if match is None:
        return None
    unit, factor = read_unit(match["unit"])
    seconds = read_number(match["number"]) * factor * UNIT_SECONDS[unit]
    try:
        instant = now.astimezone(UTC) - timedelta(seconds=seconds)
        day = instant.astimezone(now.tzinfo).date()
    except OverflowError:
        return None
    grain = UNIT_SECONDS[unit]
    is_day = grain >= 86_400
    return Moment(day=day if is_day else None, instant=instant, grain_seconds=grain), match.end()


def _date(text: str, position: int, now: datetime) -> tuple[Moment, int] | None:
    for pattern in _DATES:
        if match := pattern.match(text, position):
            found = _day_of(match, now.date())
            if found is not None:
                day, note = found
                notes = (note,) if note else ()
                return Moment(day=day, grain_seconds=86_400, notes=notes), match.end()
    return None


def _day_of(match: re.Match[str], today: date) -> tuple[date, str] | None:
    said = match.groupdict()
    try:
        if said.get("word"):
            back = {"tod": 0, "tom": -1, "yes": 1}.get(said["word"][:3], 2)
            return today - timedelta(days=back), ""
        if said.get("weekday"):
            return _weekday(said, today)
        if said.get("first"):
            return _numeric(said)
        month = said["month"]
        number = int(month) if month.isdigit() else _month_number(month)
        if said["year"]:
            return date(int(said["year"]), number, int(said["day"])), ""
        day = date(today.year, number, int(said["day"]))
        return (day if day <= today else day.replace(year=day.year - 1)), ""
    except ValueError:
        return None


def _weekday(said: dict[str, str | None], today: date) -> tuple[date, str] | None:
    short = (said["weekday"] or "")[:3]
    if not said["long"] and not said["which"]:
        return None  # "sun", "sat" and "mon" alone are words and names
    number = [name[:3] for name in WEEKDAYS].index(short)
    back = (today.weekday() - number) % 7
    if said["which"] == "next":
        return today + timedelta(days=7 - back if back else 7), ""
    if back == 0 and said["which"] in ("last", "past"):
        back = 7
    return today - timedelta(days=back), ""


def _numeric(said: dict[str, str | None]) -> tuple[date, str]:
    first, second, year = (int(said[name] or 0) for name in ("first", "second", "year"))
    month_first = said["mark"] != "."
    month, day = (first, second) if month_first else (second, first)
    if month > 12:
        month, day = day, month
    found = date(year, month, day)
    is_unclear = first != second and first <= 12 and second <= 12 and said["mark"] != "."
    other = f"; for the other reading write {year}-{day:02d}-{month:02d}" if is_unclear else ""
    written = f"{first}{said['mark']}{second}{said['mark']}{year}"
    return found, f"{written} is read as {found.isoformat()}{other}" if is_unclear else ""


def _month_number(name: str) -> int:
    return [month[:3] for month in MONTHS].index(name[:3]) + 1
