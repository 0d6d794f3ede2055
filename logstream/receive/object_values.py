"""The values of a log object's members, read forgivingly: None where nothing can be read.

Small JSON texts that come again and again (levels, names) are remembered.
"""

import re
from typing import Any, NamedTuple

import msgspec

from logstream.model import NANOS_PER_SECOND
from logstream.receive.json_text import clean_text
from logstream.receive.logger_names import UNSURE_LEVELS
from logstream.receive.native_values import (
    INFO,
    MAX_NAME_CHARS,
    Defaults,
    decode_members,
    id_text,
    normal_id,
    value_of,
)
from logstream.receive.severity import own_word, severity_number
from logstream.receive.text_shapes.times import Times
from logstream.receive.timestamps import NotATime, parse_timestamp

MAX_LEVEL_CHARS = 64
_MAX_REMEMBERED = 2_000
_MAX_REMEMBERED_BYTES = 64
_MIN_UNIX_TIME = 10**8  # smaller numbers count from a start, not from 1970
_SMALL = re.compile(r"\d{1,3}", re.ASCII)
_HTTP_STATUS = re.compile(r"[1-5]\d\d")
_CLOUD_TRACE = re.compile(r"projects/[^/]+/traces/([0-9a-fA-F]{32})")
_XRAY_TRACE = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")
_NO_STACK = frozenset(("", "None", "null", "NoneType: None", "false", "undefined"))
# Python's own numbers: 10 is DEBUG, 50 is CRITICAL.
_PYTHON_LEVELS = {1: 5, 2: 9, 3: 13, 4: 17, 5: 21}


class Level(NamedTuple):
    """A severity_number and severity_text, and the sender's word, None where it sent a number.

    A word that is no level is info and `is_known` False.
    """

    number: int
    text: str | None = None
    word: str | None = None
    is_known: bool = True


_levels: dict[bytes, Level | None] = {}
_names: dict[bytes, str | None] = {}


def level_of_json(name: str, raw: bytes) -> Level | None:
    """The level that a member says."""
    if raw in _levels and name not in UNSURE_LEVELS:
        return _levels[raw]
    value = value_of(msgspec.Raw(raw))
    if name in UNSURE_LEVELS:
        return _unsure_level(name, value)
    level = level_of_value(value)
    if len(raw) <= _MAX_REMEMBERED_BYTES and len(_levels) < _MAX_REMEMBERED:
        _levels[raw] = level
    return level


def level_of_value(value: Any) -> Level | None:
    """The level of a word or number; words are read in any case."""
    if isinstance(value, str):
        word = clean_text(value.strip())
        if word.isascii() and word.isdigit() and len(word) < 4:
            return level_of_value(int(word))
        return _level_of_word(word) if 0 < len(word) <= MAX_LEVEL_CHARS else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = severity_number(value)
    if number is not None:
        return Level(number)
    if 24 < value < 100:  # between two of pino's levels: the lower one
        return Level(severity_number(min(int(value) // 10, 6) * 10) or INFO, str(value))
    return Level(INFO, str(value), is_known=False)


def _level_of_word(word: str) -> Level:
    number = severity_number(word)
    if number is None:
        return Level(INFO, word, word, is_known=False)
    return Level(number, own_word(word, number), word)


def _unsure_level(name: str, value: Any) -> Level | None:
    if name == "levelno":
        number = int(value) if isinstance(value, str) and _SMALL.fullmatch(value) else value
        is_level = type(number) is int and 0 < number < 60
        return Level(_PYTHON_LEVELS.get(number // 10, 1)) if is_level else None
    if name == "s" and isinstance(value, str):
        value = value[:1]  # MongoDB's D1 to D5 are debug
    if name == "status" and (not isinstance(value, str) or _HTTP_STATUS.fullmatch(value)):
        return None
    level = level_of_value(value)
    return level if level is not None and level.is_known else None


def name_of_json(raw: bytes) -> str | None:
    """The name of a service or environment that a member gives."""
    if raw in _names:
        return _names[raw]
    name = name_of_value(value_of(msgspec.Raw(raw))) if raw[:1] == b'"' else None
    if len(raw) <= _MAX_REMEMBERED_BYTES and len(_names) < _MAX_REMEMBERED:
        _names[raw] = name
    return name


def name_of_value(value: Any) -> str | None:
    """A text that can be the name of a service or environment."""
    name = value.strip() if isinstance(value, str) else ""
    return name if 0 < len(name) <= MAX_NAME_CHARS else None


def id_of_json(raw: msgspec.Raw) -> tuple[str, bool] | None:
    """A trace or span id, and whether that is all the member says."""
    text = id_text(value_of(raw))
    if text is None or not text.strip("0- "):
        return None
    if match := _CLOUD_TRACE.fullmatch(text):
        return match[1].lower(), False
    if match := _XRAY_TRACE.fullmatch(text):
        return f"{match[1]}{match[2]}".lower(), False
    found = normal_id(text)
    return None if found is None else (found, True)


def time_of_json(raw: bytes, defaults: Defaults) -> int | None:
    """Nanoseconds since the epoch of a text, a number, or an object that is a time."""
    first = raw[:1]
    try:
        if first == b'"':
            text = value_of(msgspec.Raw(raw))
            if len(text) < 8 and text.isdigit():
                return None
            try:
                return parse_timestamp(text, defaults.naive_timezone)
            except NotATime:
                times = Times(defaults.received_unix_nano, defaults.naive_timezone)
                return times.parse(text)
        if first in b"0123456789-":
            digits = raw.decode()
            # The hot shape, seconds with decimals: 1769868300.123456.
            if digits[10:11] == "." and 11 < len(digits) < 21:
                seconds, fraction = digits[:10], digits[11:]
                if seconds.isdigit() and fraction.isdigit():
                    return int(seconds) * NANOS_PER_SECOND + int(fraction.ljust(9, "0"))
            number = int(digits) if len(digits) < 25 and digits.isdigit() else None
            if number is not None and number < _MIN_UNIX_TIME:
                return None
            moment = parse_timestamp(digits if number is None else number)
            return moment if moment >= _MIN_UNIX_TIME * NANOS_PER_SECOND else None
        if first == b"{":
            return _time_of_object(raw, defaults)
    except (NotATime, ValueError):
        pass
    return None


def _time_of_object(raw: bytes, defaults: Defaults) -> int | None:
    members = decode_members(raw)
    for name in ("$date", "timestamp"):  # MongoDB's extended JSON, loguru
        if name in members:
            inner = bytes(members[name])
            if inner[:1] != b"{":
                return time_of_json(inner, defaults)
    # Log4j 2, protobuf's Timestamp
    for seconds, nanos in (("epochSecond", "nanoOfSecond"), ("seconds", "nanos")):
        if seconds in members:
            return time_of_parts(members[seconds], members.get(nanos))
    return None


def time_of_parts(seconds: msgspec.Raw, nanos: msgspec.Raw | None) -> int | None:
    """The moment of whole seconds and the nanoseconds beyond them."""
    whole = _whole_number(value_of(seconds))
    rest = 0 if nanos is None else _whole_number(value_of(nanos))
    if whole is None or rest is None or not _MIN_UNIX_TIME <= whole < 10**11:
        return None
    return whole * NANOS_PER_SECOND + rest if 0 <= rest < NANOS_PER_SECOND else None


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def stack_of_json(raw: bytes) -> str | None:
    """A stack trace: text, or an array of its lines."""
    if raw[:1] == b'"':
        text = value_of(msgspec.Raw(raw))
        # Python's exc_info put into text is a tuple with the address of its stack trace.
        return None if text.strip() in _NO_STACK or text.startswith("(<class ") else text
    if raw[:1] == b"[":
        lines = value_of(msgspec.Raw(raw))
        if lines and all(isinstance(line, str) for line in lines):
            return "\n".join(lines)
    return None


def text_of_bytes(raw: bytes) -> str | None:
    """The text of an array of byte values, journald's way of sending what is no UTF-8."""
    values = value_of(msgspec.Raw(raw))
    if not values or not all(type(value) is int and 0 <= value < 256 for value in values):
        return None
    return clean_text(bytes(values).decode("utf-8", "replace"))
