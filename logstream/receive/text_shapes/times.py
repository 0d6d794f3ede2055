"""Finding the time in a line of text, in the spellings loggers use."""

import re
from datetime import UTC, datetime, tzinfo

from logstream.model import NANOS_PER_SECOND
from logstream.receive.timestamps import NotATime, parse_timestamp, unix_nano, zone_named

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv january januar",
            "feb févr fév february februar",
            "mar mars march märz mär",
            "apr avr avril april",
            "may mai",
            "jun juin june juni",
            "jul juil july juli",
            "aug août august",
            "sep sept september",
            "oct okt october oktober",
            "nov november",
            "dec déc dez december dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK = (
    r"(?P<{0}_h>\d{{1,2}}):(?P<{0}_m>\d{{1,2}}):(?P<{0}_s>\d{{1,2}})(?:[.,:](?P<{0}_f>\d{{1,9}}))?"
)
_MONTH = r"[^\W\d_]{{3,9}}\.?"
_ZONE = (
    r"(?:\s?(?P<{0}_z>Z|UTC|GMT|[+-]\d\d:?\d\d)\b|\s(?P<{0}_zn>CES?T|MSK|BST|JST|[ECMP][SD]T)\b)?"
)
_AMPM = r"(?:\s(?P<{0}_ap>[AP]M))?"

# The first alternative that matches at the leftmost place wins; names are the prefixes below.
_FORMATS = {
    "iso": r"(?P<{0}_Y>\d{{4}})[-/.](?P<{0}_M>\d\d)[-/.](?P<{0}_D>\d\d)(?:[T _\t-]\s?|\]\[)"
    + _CLOCK + _ZONE,
    "dotted": r"(?P<{0}_Y>\d{{4}})[-.](?P<{0}_M>\d\d)[-.](?P<{0}_D>\d\d)-"
    r"(?P<{0}_h>\d\d)\.(?P<{0}_m>\d\d)\.(?P<{0}_s>\d\d)[.:](?P<{0}_f>\d{{3,6}})",
    "basic": r"(?P<{0}_Y>\d{{4}})(?P<{0}_M>[01]\d)(?P<{0}_D>[0-3]\d)T"
    r"(?P<{0}_h>\d\d)(?P<{0}_m>\d\d)(?P<{0}_s>\d\d)(?:[.,](?P<{0}_f>\d{{1,9}}))?" + _ZONE,
    "compact": r"(?P<{0}_Y>\d{{4}})(?P<{0}_M>[01]\d)(?P<{0}_D>[0-3]\d)[-T ]" + _CLOCK + _ZONE,
    "slash": r"(?P<{0}_D>\d\d)[/-](?P<{0}_B>[A-Z][A-Za-z]{{2}})[/-](?P<{0}_Y>\d{{4}})(?:::?|[ T])"
    + _CLOCK + r"(?: (?P<{0}_iana>[A-Z][a-z]+/[A-Z]\w+)|" + _ZONE + ")",
    "us": r"(?P<{0}_M>\d{{1,2}})[/-](?P<{0}_D>\d{{1,2}})[/-](?P<{0}_Y>\d{{4}}),?\s"
    + _CLOCK + _AMPM + _ZONE,
    "european": r"(?P<{0}_D>\d\d)\.(?P<{0}_M>[01]\d)\.(?P<{0}_Y>\d{{4}}),?\s" + _CLOCK + _ZONE,
    "spark": r"(?P<{0}_y>\d\d)/(?P<{0}_M>[01]\d)/(?P<{0}_D>[0-3]\d)\s" + _CLOCK,
    "short_us": r"(?P<{0}_M>\d{{1,2}})/(?P<{0}_D>\d{{1,2}})/(?P<{0}_y>\d\d)\s" + _CLOCK + _ZONE,
    "hadoop": r"(?P<{0}_y>\d\d)(?P<{0}_M>[01]\d)(?P<{0}_D>[0-3]\d)\s"
    r"(?P<{0}_h>[012]\d):?(?P<{0}_m>[0-5]\d):?(?P<{0}_s>[0-6]\d)(?=\s)",
    "unix": r"(?:[A-Z][a-z]{{2}},?\s+)?(?P<{0}_B>" + _MONTH + r")\s+(?P<{0}_D>\d{{1,2}}),?\s+"
    r"(?:(?P<{0}_Y>\d{{4}}),?\s+)?" + _CLOCK + _AMPM
    + r"(?:\s(?P<{0}_z>UTC|GMT|[+-]\d{{4}})|\s(?P<{0}_zn>[A-Z]{{3,4}})(?=\s\d{{4}}))?"
    r"(?:\s(?P<{0}_Y2>\d{{4}})\b)?",
    "dashed": r"(?P<{0}_B>[A-Z][a-z]{{2}})-(?P<{0}_D>\d\d)\s" + _CLOCK,
    "mail": r"(?:[A-Z][a-z]{{2}},\s+)?(?P<{0}_D>\d{{1,2}})\s(?P<{0}_B>[A-Z][a-z]{{2}})\s"
    r"(?:(?P<{0}_Y>\d{{4}})\s)?" + _CLOCK + _ZONE,
    "logcat": r"(?P<{0}_M>[01]\d)[-.](?P<{0}_D>[0-3]\d)[\s|]" + _CLOCK,
    "chromium": r"(?P<{0}_M>[01]\d)(?P<{0}_D>[0-3]\d)/"
    r"(?P<{0}_h>\d\d)(?P<{0}_m>\d\d)(?P<{0}_s>\d\d)\.(?P<{0}_f>\d{{3,6}})",
}  # fmt: skip
_ANY = re.compile(
    r"(?<![\w./-])(?=[^\W_])(?:"
    + "|".join(f"(?P<{name}>{body.format(name)})" for name, body in _FORMATS.items())
    + ")"
)
_EPOCH = re.compile(
    r"(?:\S{1,40}\s+){0,2}?\[?(\d{9,10}(?:\.\d{1,9})?|1\d{12}|1\d{15}|1\d{18})\]?(?=[\s,|:]|$)"
)
_FIRST_EPOCH = 946_684_800 * NANOS_PER_SECOND  # 2000-01-01: a smaller number is an id or a size
_TAI64N = re.compile(r"@([0-9a-f]{16})([0-9a-f]{8})\s")
_CLOCK_ONLY = re.compile(
    r"[\[(]?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?=[\s\])|:])|(\d{1,2}):(\d\d)([AP]M)(?=\s)"
)
_TAI_OFFSET = 2**62 + 10  # TAI64 labels count from 1970-01-01 TAI, ten seconds ahead at that time
MAX_REACH = 60
_DAY = 86_400 * NANOS_PER_SECOND
_CLOCK_AHEAD = 5 * 60 * NANOS_PER_SECOND
_ZONE_HOURS = {"CET": 1, "CEST": 2, "BST": 1, "MSK": 3, "JST": 9, "EST": -5, "EDT": -4}
_ZONE_HOURS |= {"CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_GROUPS = {
    name: [(key[len(name) + 1 :], key) for key in _ANY.groupindex if key.startswith(f"{name}_")]
    for name in _FORMATS
}


class Times:
    """Reads times in lines of one file; `reference_unix_nano` is a moment near its last line.

    A time without a year gets the latest one that is no more than a day after the
    reference; one without a date gets the reference's, or the day before where that would
    lie ahead: a file holds nothing later than its last write.
    """

    def __init__(self, reference_unix_nano: int, naive_timezone: str = "UTC") -> None:
        self.reference_unix_nano = reference_unix_nano
        self.naive_timezone = naive_timezone
        self._zone: tzinfo = zone_named(naive_timezone)
        # Several shapes look at one line: the last answer is kept.
        self._last_text = ""
        self._last_found: tuple[int, int, int] | None = None

    def find(self, text: str, reach: int = MAX_REACH) -> tuple[int, int, int] | None:
        """(unix nano, start, end) of the first time in the text's first `reach` characters."""
        if text is not self._last_text:
            self._last_text, self._last_found = text, self._search(text)
        found = self._last_found
        return found if found is not None and found[1] <= reach else None

    def parse(self, value: str | float) -> int | None:
        """The moment of a field known to be a time (ISO, number, or any spelling here)."""
        try:
            return parse_timestamp(value, self.naive_timezone)
        except NotATime:
            pass
        found = self.find(value) if isinstance(value, str) else None
        return found[0] if found and found[1] == 0 else None

    def at(
        self, year: int | None, month: int, day: int, clock: tuple[int, int, int], nanos: int = 0
    ) -> int:
        """The moment of a date whose year may be missing. Raises NotATime."""
        if year is None:
            return self._without_year(month, day, clock, nanos, self._zone)
        return unix_nano((year, month, day, *clock), nanos, self._zone)

    def _search(self, text: str) -> tuple[int, int, int] | None:
        match = _ANY.search(text, 0, MAX_REACH + 40)
        if match is not None:
            try:
                return self._moment(match), match.start(), match.end()
            except (NotATime, KeyError):  # KeyError: no such month or zone
                pass
        return self._bare(text)

    def _bare(self, text: str) -> tuple[int, int, int] | None:
        if match := _EPOCH.match(text):
            moment = parse_timestamp(match[1])
            if _FIRST_EPOCH <= moment <= self.reference_unix_nano + _DAY:
                return moment, match.start(1), match.end()
        if match := _TAI64N.match(text):
            seconds = int(match[1], 16) - _TAI_OFFSET
            nanos = int(match[2], 16)
            if 0 <= seconds < 10**10 and nanos < NANOS_PER_SECOND:
                return seconds * NANOS_PER_SECOND + nanos, 0, match.end() - 1
        if match := _CLOCK_ONLY.match(text):
            today = datetime.fromtimestamp(self.reference_unix_nano // NANOS_PER_SECOND, UTC)
            day = today.astimezone(self._zone)
            if match[7]:  # Go's kitchen time
                hour, minute, second = int(match[5]) % 12, int(match[6]), 0
                hour += 12 if match[7] == "PM" else 0
            else:
                hour, minute, second = int(match[1]), int(match[2]), int(match[3])
            try:
                value = unix_nano(
                    (day.year, day.month, day.day, hour, minute, second),
                    _nanos(match[4]),
                    self._zone,
                )
            except NotATime:
                return None
            return (
                value - _DAY if value > self.reference_unix_nano + _CLOCK_AHEAD else value,
                0,
                match.end(),
            )
        return None

    def _moment(self, match: re.Match[str]) -> int:
        name = next(name for name in _FORMATS if match[name] is not None)
        parts = {key: match[group] for key, group in _GROUPS[name] if match[group] is not None}
        clock = (_hour(parts), int(parts["m"]), int(parts["s"]))
        nanos = _nanos(parts.get("f"))
        month = int(parts["M"]) if "M" in parts else _MONTHS[parts["B"].rstrip(".").lower()]
        day = int(parts["D"])
        if name in ("us", "short_us") and month > 12:
            month, day = day, month
        zone = UTC if "z" in parts or parts.get("zn") in _ZONE_HOURS else self._zone
        if "iana" in parts:
            zone = zone_named(parts["iana"])
        year_text = parts.get("Y") or parts.get("Y2")
        year = int(year_text) if year_text else 2000 + int(parts["y"]) if "y" in parts else None
        if year is None:
            return self._without_year(month, day, clock, nanos, zone) - _offset(parts)
        return unix_nano((year, month, day, *clock), nanos, zone) - _offset(parts)

    def _without_year(
        self, month: int, day: int, clock: tuple[int, int, int], nanos: int, zone: tzinfo
    ) -> int:
        last = datetime.fromtimestamp(self.reference_unix_nano // NANOS_PER_SECOND, UTC).year + 1
        # Eight years back, because 29 February may be that far away (1896 to 1904).
        for year in range(last, last - 10, -1):
            try:
                value = unix_nano((year, month, day, *clock), nanos, zone)
            except NotATime:
                continue
            if value <= self.reference_unix_nano + _DAY:
                return value
        raise NotATime("no year has such a day")


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _hour(parts: dict[str, str]) -> int:
    hour = int(parts["h"])
    if "ap" in parts:
        return hour % 12 + (12 if parts["ap"] == "PM" else 0)
    return hour


def _offset(parts: dict[str, str]) -> int:
    """Nanoseconds to take off a moment read as UTC: its own zone's offset."""
    text = parts.get("z", "")
    if text[:1] in ("+", "-"):
        digits = text[1:].replace(":", "")
        seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        return (-seconds if text[0] == "-" else seconds) * NANOS_PER_SECOND
    return _ZONE_HOURS.get(parts.get("zn", ""), 0) * 3600 * NANOS_PER_SECOND
