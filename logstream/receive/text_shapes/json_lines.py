"""JSON log lines by the field names of pino, bunyan, winston, zap, ECS, journald and others."""

import re
from datetime import datetime
from typing import Any

import msgspec

from logstream.model import NANOS_PER_SECOND
from logstream.receive.json_text import MAX_DEPTH, is_deeper_than
from logstream.receive.logger_names import (
    ENVIRONMENTS,
    LEVELS,
    MESSAGES,
    MONGO,
    NUMBERS,
    SERVICES,
    SPANS,
    TIMES,
    TRACES,
)
from logstream.receive.severity import otel_severity_number, severity_number
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.times import Times

# Objects some loggers put the fields into; their members are looked at after the outer ones.
_NESTED = ("fields", "@fields", "log")
_MISSING: Any = object()
_HTTP_STATUS = re.compile(r"[1-5]\d\d")


def parse_json(line: str, times: Times) -> Header | None:
    """The header of a line that is one JSON object; None for any other line."""
    text = line.strip()
    if text[:1] != "{" or text[-1:] != "}":
        return None
    raw = text.encode("utf-8", "replace")
    try:
        value = None if is_deeper_than(raw, MAX_DEPTH - 1) else msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return header_of(value, text, times) if isinstance(value, dict) else None


def header_of(fields: dict[str, Any], text: str, times: Times) -> Header:
    """The header of an object's fields; `text` is the body when no field is one."""
    rest = dict(fields)
    taken, number = _severity(rest)
    moment = _time(rest, times)
    body = _take(rest, MESSAGES, str)
    if body is _MISSING and isinstance(error := rest.get("error"), str):
        body = error
    service = _take(rest, SERVICES, str)
    if service is _MISSING and isinstance(rest.get("service"), dict):
        service = rest["service"].get("name", _MISSING)
    # Bunyan and pino call the program `name`; both say `pid` and `hostname` too.
    if service is _MISSING and "pid" in rest and "hostname" in rest:
        service = _take(rest, ("name",), str)
    trace_id = _take(rest, TRACES, str)
    span_id = _take(rest, SPANS, str)
    environment = _take(rest, ENVIRONMENTS, str)
    metadata = rest.pop("metadata", None)
    if isinstance(metadata, dict):  # our own API's name for the attributes
        rest = {**rest, **metadata}
    elif metadata is not None:
        rest["metadata"] = metadata
    return Header(
        body=text if body is _MISSING else body,
        timestamp_unix_nano=moment,
        severity_number=number,
        severity_text=taken,
        service=None if service is _MISSING or not isinstance(service, str) else service or None,
        trace_id=None if trace_id is _MISSING else trace_id or None,
        span_id=None if span_id is _MISSING else span_id or None,
        environment=None if environment is _MISSING else environment or None,
        attributes=rest,
    )


def _places(fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [fields, *(fields[name] for name in _NESTED if isinstance(fields.get(name), dict))]


def _take(fields: dict[str, Any], names: tuple[str, ...], kind: type) -> Any:
    for place in _places(fields):
        for name in names:
            if isinstance(place.get(name), kind):
                # Nested objects belong to the sender's value: only the outer one is ours to cut.
                return place.pop(name) if place is fields else place[name]
    return _MISSING


def _severity(fields: dict[str, Any]) -> tuple[str | None, int | None]:
    number = None
    for name in NUMBERS:
        if number is None and name in fields:
            number = otel_severity_number(fields[name])
            if number is not None:
                del fields[name]
    for place in _places(fields):
        for name in LEVELS:
            value = place.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                read = severity_number(value)
                if read is not None:
                    if place is fields:
                        del fields[name]
                    # A digit is no word worth keeping.
                    return (value if isinstance(value, str) else None), number or read
    if number is None and fields.keys() >= MONGO and isinstance(fields["s"], str):
        return None, severity_number(fields.pop("s")[:1])  # D1 to D5 are debug
    status = fields.get("status")
    if number is None and isinstance(status, str) and not _HTTP_STATUS.fullmatch(status):
        number = severity_number(status)  # Datadog's name for the level
    return None, number


def _time(fields: dict[str, Any], times: Times) -> int | None:
    day, clock = fields.get("date"), fields.get("time")
    if isinstance(day, str) and isinstance(clock, str) and len(day) == 10:
        moment = times.parse(f"{day} {clock}")
        if moment is not None:
            del fields["date"], fields["time"]
            return moment
    for place in _places(fields):
        for name in TIMES:
            value = place.get(name)
            moment = _moment(value, times)
            if moment is not None:
                if place is fields:
                    del fields[name]
                return moment
    return None


def _moment(value: Any, times: Times) -> int | None:
    if isinstance(value, dict):
        if "$date" in value:  # MongoDB's extended JSON
            return _moment(value["$date"], times)
        # Log4j 2's JSON layout
        second, nano = value.get("epochSecond"), value.get("nanoOfSecond", 0)
        if isinstance(second, int) and isinstance(nano, int):
            return times.parse(second * NANOS_PER_SECOND + nano) if second > 10**8 else None
        return None
    if isinstance(value, datetime | bool) or not isinstance(value, str | int | float):
        return None
    if not isinstance(value, str) and value < 10**8:
        return None  # a counter since the start, not a date
    return times.parse(value)
