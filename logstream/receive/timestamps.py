"""Timestamps in the spellings senders use, as nanoseconds since the epoch."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from logstream.model import EPOCH, NANOS_PER_SECOND

FIRST_SECOND = -62_135_596_800  # 0001-01-01T00:00:00Z
END_SECOND = 253_402_300_800  # 10000-01-01T00:00:00Z
_FIRST_NANO = FIRST_SECOND * NANOS_PER_SECOND
_END_NANO = END_SECOND * NANOS_PER_SECOND

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt _]\s*(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,18}))?)?)?"
    r"\s*([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)?",
    re.ASCII,
)
# As Unix time these texts would be days of 1970 or years from 2600 on.
_DIGITS_OF_A_DATE = re.compile(r"(?:19|20)\d{6}(?:\d{6})?", re.ASCII)
_HOT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.Z]", re.ASCII)
_NUMERIC = re.compile(r"[+-]?\d{1,25}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_seconds_of_text: dict[str, int] = {}
_SCALE: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
_MAX_CACHED = 8192


class NotATime(ValueError):
    """The text or number is no time between the years 1 and 9999; the message says why."""


def parse_timestamp(value: str | int | float, naive_timezone: str = "UTC") -> int:
    """Nanoseconds since the epoch of an ISO 8601 text, or of a number.

    A number (also as text) is seconds, milliseconds, microseconds or nanoseconds, told apart
    by its size: below 1e11, 1e14, 1e17, and above. A text of 8 or 14 digits that is a date of
    1900 to 2099 is that date (20260131, 20260131140500). A text without a zone is in
    `naive_timezone`. A leap second (:60) is the first moment of the next minute. Decimals
    beyond the ninth are cut. Raises NotATime.
    """
    if isinstance(value, str):
        # The hot shape, 2026-01-31T14:05:00[.123456789]Z: one lookup a second.
        seconds = _seconds_of_text.get(value[:19])
        if seconds is not None and value[-1] == "Z":
            digits = value[20:-1]
            if digits.isdecimal() and len(digits) <= 9 and value[19] == ".":
                return seconds * NANOS_PER_SECOND + int(digits) * _SCALE[len(digits)]
            if len(value) == 20:
                return seconds * NANOS_PER_SECOND
        return _parse_text(value, naive_timezone)
    return _from_number(value)


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name."""
    return UTC if name == "UTC" else ZoneInfo(name)


def unix_nano(
    parts: tuple[int, int, int, int, int, int], nanos: int = 0, zone: tzinfo = UTC
) -> int:
    """Nanoseconds since the epoch of (year, month, day, hour, minute, second) in a zone.

    Second 60 is taken as the first of the next minute. Raises NotATime.
    """
    year, month, day, hour, minute, second = parts
    leap = 1 if second == 60 else 0
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=zone)
        # datetime arithmetic may leave the years 1–9999 on the way to UTC: use the offset.
        offset = moment.utcoffset() or timedelta()
    except (ValueError, OverflowError) as error:
        raise NotATime(str(error)) from None
    naive = moment.replace(tzinfo=UTC) - EPOCH
    total = naive.days * 86_400 + naive.seconds + leap - offset.days * 86_400 - offset.seconds
    return _checked(total * NANOS_PER_SECOND + nanos)


def _parse_text(text: str, naive_timezone: str) -> int:
    stripped = text.strip()
    if _DIGITS_OF_A_DATE.fullmatch(stripped):
        with suppress(NotATime):
            return _of_digits(stripped, naive_timezone)
    match = _ISO.fullmatch(stripped)
    if match is None or stripped.isdigit():
        if _NUMERIC.fullmatch(stripped):
            return _from_number(Decimal(stripped))
        raise NotATime("it is neither ISO 8601 nor a number")
    year, month, day, hour, minute, second, fraction, zone_text = match.groups()
    nanos = int(fraction[:9].ljust(9, "0")) if fraction else 0
    zone = _offset(zone_text) if zone_text else zone_named(naive_timezone)
    parts = (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    value = unix_nano(parts, nanos, zone)
    if zone_text == "Z" and _HOT.match(text):
        if len(_seconds_of_text) >= _MAX_CACHED:
            _seconds_of_text.clear()
        _seconds_of_text[text[:19]] = (value - nanos) // NANOS_PER_SECOND
    return value


def _of_digits(text: str, naive_timezone: str) -> int:
    date = (int(text[:4]), int(text[4:6]), int(text[6:8]))
    clock = (int(text[8:10] or 0), int(text[10:12] or 0), int(text[12:14] or 0))
    return unix_nano((*date, *clock), 0, zone_named(naive_timezone))


@lru_cache(maxsize=256)
def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise NotATime(f"{text} is no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if text[0] == "-" else offset)


def _from_number(value: int | float | Decimal) -> int:
    if isinstance(value, int):
        return _checked(value * 10 ** _power(abs(value)))
    # The shortest decimal text of a float is what the sender wrote: 1716723772.6014807.
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise NotATime("it is not a finite number")
    if abs(number) >= Decimal(10) ** 30:
        raise NotATime("it is outside the years 1 to 9999")
    return _checked(int(number.scaleb(_power(abs(number)))))


def _power(size: int | Decimal) -> int:
    """How many digits a number of s, ms, µs or ns, told by its size, is from nanoseconds."""
    return 9 if size < 10**11 else 6 if size < 10**14 else 3 if size < 10**17 else 0


def _checked(value: int) -> int:
    if not _FIRST_NANO <= value < _END_NANO:
        raise NotATime("it is outside the years 1 to 9999")
    return value
