"""The values of a record's fields: taken out of an object, checked, and refused in words."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from logstream.model import SEVERITY_WORDS, Severity, normal_trace_id
from logstream.receive.json_text import MAX_DEPTH, clean_text
from logstream.receive.severity import otel_severity_number, own_word, severity_number
from logstream.receive.timestamps import NotATime, parse_timestamp

MAX_NAME_CHARS = 200
MAX_ID_CHARS = 128
INFO = int(Severity.INFO)
_EXACT = 2**53
_KNOWN_SEVERITIES = ", ".join(SEVERITY_WORDS[:-1]) + f" or {SEVERITY_WORDS[-1]}"
_LOWER_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}").fullmatch

SEVERITY_NAMES = ("severity", "level", "severity_text", "severityText")
NUMBER_NAMES = ("severity_number", "severityNumber")

decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode
_LENIENT = json.JSONDecoder(
    strict=False,
    parse_float=lambda digits: msgspec.Raw(digits.encode()),
    parse_int=lambda digits: msgspec.Raw(digits.encode()),
    parse_constant=str,
)
# What a record says of its severity, to (severity_number, severity_text).
known_severities: dict[str | int | None, tuple[int, str | None]] = {None: (INFO, None)}


class Refused(Exception):
    """The record cannot be stored; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Defaults:
    """What a record takes when it does not say."""

    received_unix_nano: int
    environment: str
    naive_timezone: str


def duration_ms(value: object) -> float | None:
    """A finite number of milliseconds, zero or more, also from its text; else None."""
    if type(value) is int and 0 <= value < _EXACT:
        return float(value)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def members_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object, each as its own JSON text. Raises Refused, ValueError."""
    try:
        return decode_members(raw)
    except msgspec.ValidationError:
        raise Refused(
            f"the record is {kind_of(raw)}; send an object with source and message"
        ) from None
    except msgspec.DecodeError:
        # Raw control characters and NaN are not JSON, but the line they are in is meant.
        value = _LENIENT.decode(raw.decode())
    if not isinstance(value, dict):
        raise Refused(f"the record is {kind_of(raw)}; send an object with source and message")
    return decode_members(msgspec.json.encode(value))


def _take(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> tuple[str, msgspec.Raw] | None:
    """The first of the names that is given and not null, taken out of the fields."""
    for name in names:
        if name in fields and bytes(fields[name]) != b"null":
            return name, fields.pop(name)
    for name in names:
        fields.pop(name, None)
    return None


def take_value(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> Any:
    """The first given of the names, decoded and taken out of the fields; else None."""
    taken = _take(fields, names)
    return None if taken is None else value_of(taken[1])


def take_text(fields: dict[str, msgspec.Raw], names: tuple[str, ...], remedy: str) -> str | None:
    """Like `take_value` for a field that must be text. Raises Refused."""
    taken = _take(fields, names)
    if taken is None:
        return None
    name, raw = taken
    if bytes(raw)[:1] != b'"':
        raise Refused(f"{name} is {kind_of(bytes(raw))}; {remedy}")
    return str(_decode_any(raw))


def value_of(raw: msgspec.Raw) -> Any:
    """The decoded value; of a number beyond float or int, its digits."""
    try:
        return _decode_any(raw)
    except msgspec.ValidationError:
        return bytes(raw).decode()  # a number beyond float or int: its digits


def take_id(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> str | None:
    """An id taken out of the fields; one that cannot be a column stays an attribute."""
    for name in names:
        if name in fields:
            text = id_text(value_of(fields[name]))
            if text is not None:
                del fields[name]
                return text
    return None


def id_text(value: object) -> str | None:
    """The value as an id, when it is text or a whole number short enough; else None."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS else None


def normal_id(text: str) -> str | None:
    """The id as it is stored and looked for."""
    if _LOWER_HEX_ID(text):
        return text
    return normal_trace_id(text.strip()) or None


def take_severity(fields: dict[str, msgspec.Raw]) -> tuple[int, str | None]:
    """(severity_number, severity_text) of the fields, taken out. Raises Refused."""
    number_value = take_value(fields, NUMBER_NAMES)
    word = take_value(fields, SEVERITY_NAMES)
    if number_value is not None:
        number = otel_severity_number(number_value)
        if number is None:
            raise Refused(f"severity_number {_quoted(number_value)} is not known; use 1 to 24")
        return number, own_word(word, number) if isinstance(word, str) and word else None
    return (INFO, None) if word is None else severity_of(word)


def severity_of(value: Any) -> tuple[int, str | None]:
    """(severity_number, severity_text) of a sender's word or number. Raises Refused."""
    if isinstance(value, str) and not value.strip():
        return INFO, None
    number = severity_number(value) if isinstance(value, str | int | float) else None
    if number is None:
        raise Refused(f"severity {_quoted(value)} is not known; use {_KNOWN_SEVERITIES}")
    text = own_word(value.strip(), number) if isinstance(value, str) else str(value)
    if len(known_severities) < 1_000 and not isinstance(value, bool | float):
        known_severities[value] = number, text
    return number, text


def timestamp_of(value: Any, defaults: Defaults) -> int:
    """Nanoseconds since the epoch. Raises Refused."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NotATime("it is neither ISO 8601 nor a number")
        return parse_timestamp(value, defaults.naive_timezone)
    except NotATime as error:
        raise bad_time(value, error) from None


def bad_time(value: Any, error: NotATime) -> Refused:
    """The sentence about a time that cannot be read."""
    return Refused(
        f"createdAt {_quoted(value)} cannot be read: {error}; "
        "use 2026-01-31T14:05:00.123Z or Unix time"
    )


def free_name(name: str, taken: dict[str, msgspec.Raw]) -> str:
    """The name, with `field_` before it while it is taken."""
    while name in taken:
        name = f"field_{name}"
    return name


def bad_source(source: str) -> Refused:
    """The sentence about a source that is empty or too long."""
    if source:
        return Refused(
            f"source has {len(source)} characters; use at most {MAX_NAME_CHARS}, "
            "the line's text belongs in message"
        )
    return Refused("source is empty; send the name of the service that wrote the line")


def too_deep() -> Refused:
    """The sentence about nesting."""
    return Refused(f"metadata is nested deeper than {MAX_DEPTH} levels; flatten it")


def kind_of(raw: bytes) -> str:
    """What a JSON text is, in words, with its value where that is short."""
    # Of a text that no parser has seen, the cut may be within a character.
    shown = raw[:40].decode("utf-8", "replace")
    match raw[:1]:
        case b"{":
            return "an object"
        case b"[":
            return "an array"
        case b'"':
            return "text"
        case b"t" | b"f":
            return f"the boolean {shown}"
        case b"n":
            return "null"
    return f"the number {shown}"


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{clean_text(text[:80])}'"
