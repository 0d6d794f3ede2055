"""One record of our own API: from its fields to a LogRecord, or a sentence saying why not.

`record_from_wire` is the hot path for the names the API documents; `record_from_json` takes
any object: aliases, unknown fields, sloppy JSON. Both give the same record for the same input.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from logstream.filter import normal_trace_id
from logstream.model import SEVERITY_WORDS, LogRecord, Severity
from logstream.receive.json_text import (
    MAX_DEPTH,
    clean_text,
    is_deeper_than,
    merged,
)
from logstream.receive.severity import otel_severity_number, own_word, severity_number
from logstream.receive.timestamps import NotATime, parse_timestamp

MAX_NAME_CHARS = 200
MAX_ID_CHARS = 128
_INFO = int(Severity.INFO)
_NO_METADATA = (b"", b"null", b"{}")
_EXACT = 2**53
_EMPTY = msgspec.Raw(b"")
_KNOWN_SEVERITIES = ", ".join(SEVERITY_WORDS[:-1]) + f" or {SEVERITY_WORDS[-1]}"
_LOWER_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}").fullmatch

SOURCE_NAMES = ("source", "service", "service_name", "service.name", "serviceName")
MESSAGE_NAMES = ("message", "body", "msg")
SEVERITY_NAMES = ("severity", "level", "severity_text", "severityText")
NUMBER_NAMES = ("severity_number", "severityNumber")
TIME_NAMES = ("createdAt", "timestamp", "time", "@timestamp")
ENVIRONMENT_NAMES = ("environment", "env")
ENVIRONMENT_ATTRIBUTES = ("environment", "deployment.environment.name")
TRACE_NAMES = ("traceId", "trace_id")
SPAN_NAMES = ("spanId", "span_id")
LATENCY_NAMES = ("latency", "duration_ms")


class Refused(Exception):
    """The record cannot be stored; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Defaults:
    """What a record takes when it does not say."""

    received_unix_nano: int
    environment: str
    naive_timezone: str


_Id = Annotated[str, msgspec.Meta(max_length=MAX_ID_CHARS)]


class Wire(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The documented fields with the types they should have."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    message: str
    severity: str | int | None = None
    metadata: msgspec.Raw = _EMPTY
    createdAt: str | int | float | None = None
    environment: str | None = None
    traceId: _Id | None = None
    spanId: _Id | None = None


class _Promoted(msgspec.Struct, gc=False):
    """The members of `metadata` that also become columns."""

    traceId: Any = None
    trace_id: Any = None
    spanId: Any = None
    span_id: Any = None
    latency: Any = None
    duration_ms: Any = None
    environment: Any = None
    environment_name: Any = msgspec.field(default=None, name="deployment.environment.name")


_decode_promoted = msgspec.json.Decoder(_Promoted).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode
_LENIENT = json.JSONDecoder(
    strict=False,
    parse_float=lambda digits: msgspec.Raw(digits.encode()),
    parse_int=lambda digits: msgspec.Raw(digits.encode()),
    parse_constant=str,
)
_severities: dict[str | int, tuple[int, str | None]] = {}


def record_from_wire(wire: Wire, defaults: Defaults) -> LogRecord:
    """The record of well-formed documented fields. Raises Refused."""
    source = wire.source.strip()
    if not source or len(source) > MAX_NAME_CHARS:
        raise _bad_source(source)
    severity = wire.severity
    if severity is None:
        number, text = _INFO, None
    else:
        number, text = _severities.get(severity) or _severity(severity)
    attributes = bytes(wire.metadata)
    if wire.createdAt is None:
        moment = defaults.received_unix_nano
    else:
        try:
            moment = parse_timestamp(wire.createdAt, defaults.naive_timezone)
        except NotATime as error:
            raise _bad_time(wire.createdAt, error) from None
    return _record(
        source,
        wire.message,
        (number, text),
        moment,
        wire.environment,
        wire.traceId,
        wire.spanId,
        None,
        b"{}" if attributes in _NO_METADATA else attributes,
        defaults,
    )


def record_from_json(raw: bytes, defaults: Defaults) -> LogRecord:
    """The record of one JSON object, whatever its fields. Raises Refused."""
    if is_deeper_than(raw, MAX_DEPTH + 1):
        raise _too_deep()
    fields = _fields(raw)
    source = _take_text(fields, SOURCE_NAMES, "send the name of the service that wrote the line")
    if source is None:
        raise Refused("source is missing; send the name of the service that wrote the line")
    source = source.strip()
    if not source or len(source) > MAX_NAME_CHARS:
        raise _bad_source(source)
    body = _take_text(fields, MESSAGE_NAMES, "send text in quotes")
    if body is None:
        raise Refused("message is missing; send the line's text")
    severity = _severity_of(fields)
    moment = _take_value(fields, TIME_NAMES)
    environment = _take_text(fields, ENVIRONMENT_NAMES, "send text in quotes")
    trace_id = _id(fields, TRACE_NAMES)
    span_id = _id(fields, SPAN_NAMES)
    latency = next((fields[name] for name in LATENCY_NAMES if name in fields), None)
    metadata = fields.pop("metadata", None)
    attributes = b"" if metadata is None else bytes(metadata)
    attributes = b"{}" if attributes in _NO_METADATA else attributes
    if fields and attributes[:1] == b"{":
        taken = _decode_fields(attributes)
        attributes = merged(attributes, {_free(name, taken): fields[name] for name in fields})
    return _record(
        source,
        body,
        severity,
        defaults.received_unix_nano if moment is None else _timestamp(moment, defaults),
        environment,
        trace_id,
        span_id,
        None if latency is None else _value(latency),
        attributes,
        defaults,
    )


def _record(
    source: str,
    body: str,
    severity: tuple[int, str | None],
    timestamp_unix_nano: int,
    environment: str | None,
    trace_id: str | None,
    span_id: str | None,
    latency: Any,
    attributes: bytes,
    defaults: Defaults,
) -> LogRecord:
    if attributes != b"{}":
        if attributes[:1] != b"{":
            raise Refused(f"metadata is {_kind(attributes)}; send an object")
        if is_deeper_than(attributes):
            raise _too_deep()
        promoted = _promoted(attributes)
        trace_id = trace_id or _id_text(promoted.traceId) or _id_text(promoted.trace_id)
        span_id = span_id or _id_text(promoted.spanId) or _id_text(promoted.span_id)
        if promoted.latency is not None:
            latency = promoted.latency
        elif latency is None:
            latency = promoted.duration_ms
        if not environment:
            named = promoted.environment_name or promoted.environment
            environment = named if isinstance(named, str) else None
    if environment:
        environment = environment.strip()
        if len(environment) > MAX_NAME_CHARS:
            raise Refused(
                f"environment has {len(environment)} characters; use at most {MAX_NAME_CHARS}"
            )
    return LogRecord(
        timestamp_unix_nano=timestamp_unix_nano,
        observed_unix_nano=defaults.received_unix_nano,
        environment=environment or defaults.environment,
        service_name=source,
        severity_number=severity[0],
        severity_text=severity[1],
        body=body,
        trace_id=_normal_id(trace_id) if trace_id else None,
        span_id=_normal_id(span_id) if span_id else None,
        duration_ms=None if latency is None else duration_ms(latency),
        attributes=attributes,
    )


def _promoted(attributes: bytes) -> _Promoted:
    try:
        return _decode_promoted(attributes)
    except msgspec.ValidationError:  # a number beyond float or int among the promoted members
        members = _decode_fields(attributes)
        return _Promoted(
            **{
                name: _value(members[name])
                for name in _Promoted.__struct_fields__
                if name in members
            }
        )


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


def _fields(raw: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object, each as its own JSON text. Raises Refused, ValueError."""
    try:
        return _decode_fields(raw)
    except msgspec.ValidationError:
        raise Refused(
            f"the record is {_kind(raw)}; send an object with source and message"
        ) from None
    except msgspec.DecodeError:
        # Raw control characters and NaN are not JSON, but the line they are in is meant.
        value = _LENIENT.decode(raw.decode())
    if not isinstance(value, dict):
        raise Refused(f"the record is {_kind(raw)}; send an object with source and message")
    return _decode_fields(msgspec.json.encode(value))


def _take(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> tuple[str, msgspec.Raw] | None:
    """The first of the names that is given and not null, taken out of the fields."""
    for name in names:
        if name in fields and bytes(fields[name]) != b"null":
            return name, fields.pop(name)
    for name in names:
        fields.pop(name, None)
    return None


def _take_value(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> Any:
    taken = _take(fields, names)
    return None if taken is None else _value(taken[1])


def _take_text(fields: dict[str, msgspec.Raw], names: tuple[str, ...], remedy: str) -> str | None:
    taken = _take(fields, names)
    if taken is None:
        return None
    name, raw = taken
    if bytes(raw)[:1] != b'"':
        raise Refused(f"{name} is {_kind(bytes(raw))}; {remedy}")
    return str(_decode_any(raw))


def _value(raw: msgspec.Raw) -> Any:
    try:
        return _decode_any(raw)
    except msgspec.ValidationError:
        return bytes(raw).decode()  # a number beyond float or int: its digits


def _id(fields: dict[str, msgspec.Raw], names: tuple[str, ...]) -> str | None:
    """An id taken out of the fields; one that cannot be a column stays an attribute."""
    for name in names:
        if name in fields:
            text = _id_text(_value(fields[name]))
            if text is not None:
                del fields[name]
                return text
    return None


def _id_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS else None


def _normal_id(text: str) -> str | None:
    if _LOWER_HEX_ID(text):
        return text
    return normal_trace_id(text.strip()) or None


def _severity_of(fields: dict[str, msgspec.Raw]) -> tuple[int, str | None]:
    number_value = _take_value(fields, NUMBER_NAMES)
    word = _take_value(fields, SEVERITY_NAMES)
    if number_value is not None:
        number = otel_severity_number(number_value)
        if number is None:
            raise Refused(f"severity_number {_quoted(number_value)} is not known; use 1 to 24")
        return number, own_word(word, number) if isinstance(word, str) and word else None
    return (_INFO, None) if word is None else _severity(word)


def _severity(value: Any) -> tuple[int, str | None]:
    if isinstance(value, str) and not value.strip():
        return _INFO, None
    number = severity_number(value) if isinstance(value, str | int | float) else None
    if number is None:
        raise Refused(f"severity {_quoted(value)} is not known; use {_KNOWN_SEVERITIES}")
    text = own_word(value.strip(), number) if isinstance(value, str) else str(value)
    if len(_severities) < 1_000 and not isinstance(value, bool | float):
        _severities[value] = number, text
    return number, text


def _timestamp(value: Any, defaults: Defaults) -> int:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NotATime("it is neither ISO 8601 nor a number")
        return parse_timestamp(value, defaults.naive_timezone)
    except NotATime as error:
        raise _bad_time(value, error) from None


def _bad_time(value: Any, error: NotATime) -> Refused:
    return Refused(
        f"createdAt {_quoted(value)} cannot be read: {error}; "
        "use 2026-01-31T14:05:00.123Z or Unix time"
    )


def _free(name: str, taken: dict[str, msgspec.Raw]) -> str:
    while name in taken:
        name = f"field_{name}"
    return name


def _bad_source(source: str) -> Refused:
    if source:
        return Refused(
            f"source has {len(source)} characters; use at most {MAX_NAME_CHARS}, "
            "the line's text belongs in message"
        )
    return Refused("source is empty; send the name of the service that wrote the line")


def _too_deep() -> Refused:
    return Refused(f"metadata is nested deeper than {MAX_DEPTH} levels; flatten it")


def _kind(raw: bytes) -> str:
    match raw[:1]:
        case b"{":
            return "an object"
        case b"[":
            return "an array"
        case b'"':
            return "text"
        case b"t" | b"f":
            return f"the boolean {raw.decode()}"
        case b"n":
            return "null"
    return f"the number {raw[:40].decode()}"


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{clean_text(text[:80])}'"
