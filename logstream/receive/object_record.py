"""A record from an object or a text of any logger: the forgiving reader all formats share.

Nothing is refused that can be kept: an unknown level is info with the sender's word beside
it, an object without a message is its own text, a time that cannot be read stays an
attribute. What is not taken for a field of the record stays in its attributes.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from logstream.model import LogRecord, Origins
from logstream.receive.json_text import MAX_DEPTH, clean_json, clean_text, is_deeper_than
from logstream.receive.native_values import (
    INFO,
    Defaults,
    Refused,
    decode_members,
    free_name,
    members_of,
    normal_id,
)
from logstream.receive.object_reading import Reading, read_members
from logstream.receive.object_shape import opened, shape_of
from logstream.receive.object_values import Level, level_of_value, name_of_value
from logstream.receive.severity import own_word
from logstream.receive.text_shapes.header import without_colours
from logstream.receive.text_shapes.key_values import pairs_of
from logstream.receive.text_shapes.program_text import parse_klog, parse_program
from logstream.receive.text_shapes.times import Times

UNKNOWN_SERVICE = "unknown_service"


class Given(msgspec.Struct, frozen=True):
    """What a format's envelope says of a record beside the object or text inside.

    All of it goes before what the object says, except for the two fallbacks, which count
    when the object says nothing. `attributes` are JSON values (msgspec.Raw is one too); a
    name that the object has with another value is stored as `field_NAME`. `origins` says
    where the given fields came from.
    """

    timestamp_unix_nano: int | None = None
    severity: str | int | None = None
    service_name: str | None = None
    environment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    attributes: Mapping[str, Any] = {}
    fallback_service: str | None = None
    fallback_severity: str | int | None = None
    origins: Origins = {}


NOTHING_GIVEN = Given()
DEFAULT_ORIGINS = {
    "timestamp": "time of receipt",
    "severity_number": "info, because no level was found",
    "service_name": "no name of a service was found",
    "environment": "LOGSTREAM_DEFAULT_ENVIRONMENT",
    "body": "the whole object, because it has no message",
    "attributes": "all members that are no field",
}
_NOTHING_KNOWN: frozenset[str] = frozenset()
# Where shippers put a line that they did not look into.
_WRAPPED_LINE = ("log", "MESSAGE")
_MAX_LEVEL_SEARCH = 400
_encode = msgspec.json.encode


def record_of_object(
    raw: bytes,
    defaults: Defaults,
    given: Given = NOTHING_GIVEN,
    origins: Origins | None = None,
    wanted: Mapping[str, tuple[str, ...]] | None = None,
) -> LogRecord:
    """The record of one JSON object's text (clean, see json_text.clean_json).

    Names that are `wanted` go before the usual ones (see object_shape.with_wanted). Fills
    `origins` when it is given. Raises Refused, ValueError when it is no object.
    """
    if is_deeper_than(raw):
        raise Refused(f"the record is nested deeper than {MAX_DEPTH} levels; flatten it")
    known = _NOTHING_KNOWN if given is NOTHING_GIVEN else _known(given)
    reading = read_members(members_of(raw), defaults, known, wanted)
    place = reading.places.get("body")
    if reading.body is None:
        reading.body = raw.decode()
    elif reading.level is None or place in _WRAPPED_LINE:
        reading = _with_line_inside(reading, place in _WRAPPED_LINE, defaults, known)
    return _record(reading, defaults, given, origins)


def record_of_text(
    text: str, defaults: Defaults, given: Given = NOTHING_GIVEN, origins: Origins | None = None
) -> LogRecord:
    """The record of one line (or lines) of text.

    A text that is a JSON object of a logger is read as that object, logfmt likewise. Otherwise
    the text is the body, byte for byte, and its level is looked for where loggers put it, unless
    given.
    """
    text = clean_text(text)
    reading = _reading_of_line(text, defaults, _known(given)) or Reading(
        body=text, places={"body": "the text"}
    )
    return _record(reading, defaults, given, origins)


def _known(given: Given) -> frozenset[str]:
    """The fields that the envelope names."""
    fields = {
        "timestamp": given.timestamp_unix_nano,
        "severity_number": None if given.severity is None else level_of_value(given.severity),
        "service_name": name_of_value(given.service_name),
        "environment": name_of_value(given.environment),
        "trace_id": given.trace_id and normal_id(given.trace_id),
        "span_id": given.span_id and normal_id(given.span_id),
    }
    return frozenset(name for name, value in fields.items() if value is not None and value != "")


def _reading_of_line(line: str, defaults: Defaults, known: frozenset[str]) -> Reading | None:
    """What a line says that is a logger's JSON object or logfmt; None for any other."""
    text = line.strip()
    if text[:1] == "{" and text[-1:] == "}":
        raw = clean_json(text.encode())  # its escapes were not looked into yet
        try:
            members = None if is_deeper_than(raw) else decode_members(raw)
        except msgspec.DecodeError:
            return None
        if members is None:
            return None
        shape = shape_of(members)
        if shape.containers:
            shape = shape_of(opened(members, shape.containers).members)
        if not (shape.messages or shape.levels or shape.numbers):
            return None
    elif pairs := pairs_of(line):
        members = {name: msgspec.Raw(_encode(value)) for name, value in pairs.items()}
        shape = shape_of(members)
        if not (shape.messages and shape.levels):
            return None
    else:
        return None
    reading = read_members(members, defaults, known)
    if reading.body is None:
        reading.body = line
    return reading


def _with_line_inside(
    reading: Reading, is_wrapped: bool, defaults: Defaults, known: frozenset[str]
) -> Reading:
    """The reading with what its body says that is a logger's whole line: Docker, Fluent Bit."""
    line = reading.body or ""
    if is_wrapped:
        line = reading.body = line.removesuffix("\n")
    inner = _reading_of_line(line, defaults, known)
    if inner is None:
        return reading
    for field in ("timestamp", "level", "service", "environment", "trace_id", "span_id"):
        if getattr(inner, field) is None:
            setattr(inner, field, getattr(reading, field))
    inner.attributes = _joined(inner.attributes, reading.attributes)
    inner.exception = reading.exception | inner.exception
    inner.places = reading.places | inner.places
    return inner


def _record(
    reading: Reading, defaults: Defaults, given: Given, origins: Origins | None
) -> LogRecord:
    """The record of what was read, what the envelope says, and what else is known."""
    level, timestamp, attributes = reading.level, reading.timestamp, reading.attributes
    service, environment = reading.service, reading.environment
    trace_id, span_id = reading.trace_id, reading.span_id
    body = reading.body or ""
    fallback = None
    if given is not NOTHING_GIVEN:
        if given.timestamp_unix_nano is not None:
            timestamp = given.timestamp_unix_nano
        if given.severity is not None:
            level = level_of_value(given.severity) or level
        service = name_of_value(given.service_name) or service
        service = service or name_of_value(given.fallback_service)
        environment = name_of_value(given.environment) or environment
        trace_id = (given.trace_id and normal_id(given.trace_id)) or trace_id
        span_id = (given.span_id and normal_id(given.span_id)) or span_id
        if given.attributes:
            attributes = _joined(attributes, given.attributes)
        if given.fallback_severity is not None:
            fallback = level_of_value(given.fallback_severity)
    if level is None:
        level = _level_in_text(body, defaults)
        if level is not None:
            reading.places["severity_number"] = "the level in the text"
    level = level or fallback
    if reading.exception:
        attributes = _joined(attributes, reading.exception)
    if origins is not None:
        origins.update(DEFAULT_ORIGINS | given.origins | reading.places)
    received = defaults.received_unix_nano
    return LogRecord(
        timestamp_unix_nano=received if timestamp is None else timestamp,
        observed_unix_nano=received,
        environment=environment or defaults.environment,
        service_name=service or UNKNOWN_SERVICE,
        severity_number=INFO if level is None else level.number,
        severity_text=None if level is None else level.text,
        body=body,
        trace_id=trace_id or None,
        span_id=span_id or None,
        duration_ms=reading.duration,
        attributes=_encode(attributes) if attributes else b"{}",
    )


def _joined(members: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both; what has a name of the first and another value is called field_NAME."""
    joined = dict(members)
    for name, value in more.items():
        if name in joined:
            if _encode(joined[name]) == _encode(value):
                continue
            name = free_name(name, joined)
        joined[name] = value
    return joined


def _level_in_text(body: str, defaults: Defaults) -> Level | None:
    line = without_colours(body[:_MAX_LEVEL_SEARCH].partition("\n")[0])
    times = Times(defaults.received_unix_nano, defaults.naive_timezone)
    header = parse_klog(line, times) or parse_program(line, times)
    if header is None or header.severity_number is None:
        return None
    word = header.severity_text
    return Level(
        header.severity_number, None if word is None else own_word(word, header.severity_number)
    )
