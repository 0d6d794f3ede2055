"""Splunk's HTTP Event Collector: events in their envelopes, raw lines, acknowledgements.

An envelope says when, from which host, source, sourcetype and index; the event inside is an
object or text of any logger and read as such.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins
from logstream.ports import Arrival
from logstream.receive.json_bodies import BOM, EDGES, pieces_of
from logstream.receive.json_text import MAX_DEPTH, clean_json, is_deeper_than
from logstream.receive.native_values import (
    Defaults,
    Refused,
    free_name,
    id_text,
    members_of,
    normal_id,
    value_of,
)
from logstream.receive.object_record import Given, record_of_object, record_of_text
from logstream.receive.piecewise import (
    RefusedAs,
    defaults_of,
    name_of,
    parameter_of,
    read_pieces,
)
from logstream.receive.record_limit import check_count, check_values
from logstream.receive.severity import otel_severity_number
from logstream.receive.timestamps import NotATime, parse_timestamp

CHANNEL_HEADER = "x-splunk-request-channel"
EVENT_MISSING, EVENT_BLANK = "event_missing", "event_blank"
_NOTHING = msgspec.Raw(b"")
_NO_VALUE = (b"", b"null")
_PLAIN_SECONDS = re.compile(rb'"?(\d{10})(?:\.(\d{1,9})\d*)?"?').fullmatch
_SCALE: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
_TEXT_OF_MESSAGE = ("text", "message", "msg")
_SERVICE_FIELDS = ("service.name", "service", "service_name")
_ENVIRONMENT_FIELDS = (
    "deployment.environment.name",
    "deployment.environment",
    "environment",
    "env",
)
# What OpenTelemetry's Splunk exporter calls a record's severity.
_SEVERITY_FIELDS = ("otel.log.severity.text", "severity", "level", "log_level")
_NUMBER_FIELD = "otel.log.severity.number"
_LINE = re.compile(r"[^\n]++")
# Lines that cannot begin a record: the rest of a stack trace.
_CONTINUES = re.compile(r"\s|Caused by:|Suppressed:|\.\.\. \d+ (?:more|common)")


class NoData(DecodeError):
    """The body is empty."""


class NoChannel(DecodeError):
    """A question about acknowledgements that names no channel."""


class _Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One envelope with the types it should have."""

    time: msgspec.Raw = _NOTHING
    host: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    index: str | None = None
    event: msgspec.Raw = _NOTHING
    fields: msgspec.Raw = _NOTHING


class _Envelope(msgspec.Struct, frozen=True):
    """What many events have in common, read once a body."""

    attributes: dict[str, Any]
    service: str | None
    environment: str | None
    severity: str | int | None
    trace_id: str | None
    span_id: str | None
    origins: Origins


_events = msgspec.json.Decoder(list[_Event]).decode
_event_lines = msgspec.json.Decoder(_Event).decode_lines
_text = msgspec.json.Decoder(str).decode


def channel_of(arrival: Arrival) -> str:
    """The data channel that a client names to be told what is acknowledged; else empty."""
    return arrival.headers.get(CHANNEL_HEADER) or arrival.parameters.get("channel", "")


def decode(arrival: Arrival) -> Decoded:
    """Records of events or, under /raw, of lines; nothing for a question under /ack.

    The index of a reject counts the request's events. Raises DecodeError.
    """
    path = arrival.path.rstrip("/")
    if path.endswith("/ack"):
        if not channel_of(arrival):
            raise NoChannel("the request names no channel", f"send the header {CHANNEL_HEADER}")
        return Decoded([])
    if path.endswith(("/raw", "/raw/1.0")):
        return _raw_lines(arrival)
    body = clean_json(arrival.body.removeprefix(BOM).strip(EDGES))
    if not body:
        raise NoData("the body is empty", 'send {"event": …}')
    return _Reader(arrival).read(body)


class _Reader:
    """Reads the events of one body."""

    def __init__(self, arrival: Arrival) -> None:
        self._defaults = defaults_of(arrival)
        self._wants_origins = arrival.wants_origins
        self._most = arrival.max_records
        self._envelopes: dict[tuple[str | None, ...], _Envelope] = {}

    def read(self, body: bytes) -> Decoded:
        """What the body holds: typed when all of it is as it should be, else event by event."""
        decoded = Decoded([])
        try:
            check_values(body, self._most)
            events = _events(body) if body[:1] == b"[" else _event_lines(body)
            check_count(len(events), self._most)
            for event in events:
                self._add(event, {}, decoded)
        except (msgspec.DecodeError, Refused, ValueError, RecursionError):
            return read_pieces(pieces_of(body, self._most), self._add_sloppy, "event")
        return decoded

    def _add_sloppy(self, piece: bytes, decoded: Decoded) -> None:
        self._add(*_sloppy(piece), decoded)

    def _add(self, event: _Event, others: dict[str, Any], decoded: Decoded) -> None:
        origins: Origins | None = {} if self._wants_origins else None
        decoded.records.append(self._record(event, others, origins))
        if origins is not None:
            decoded.origins.append(origins)

    def _record(self, event: _Event, others: dict[str, Any], origins: Origins | None) -> LogRecord:
        content = bytes(event.event)
        if content in _NO_VALUE:
            raise RefusedAs('it has no "event"; put the log line there', EVENT_MISSING)
        if is_deeper_than(content, MAX_DEPTH - 1):
            raise RecursionError
        envelope = self._envelope(event)
        timestamp: int | None = None
        time_text = bytes(event.time)
        if time_text not in _NO_VALUE:
            timestamp = _unix_nano(time_text, self._defaults)
            if timestamp is None:
                others = {**others, "time": event.time}
        given = Given(
            timestamp_unix_nano=timestamp,
            environment=envelope.environment,
            trace_id=envelope.trace_id,
            span_id=envelope.span_id,
            attributes={**envelope.attributes, **others} if others else envelope.attributes,
            fallback_service=envelope.service,
            fallback_severity=envelope.severity,
            origins=(
                {
                    **envelope.origins,
                    **({} if timestamp is None else {"timestamp": "time"}),
                }
                if origins is not None
                else {}
            ),
        )
        if content[0] == 123:  # {
            return record_of_object(_lifted(content), self._defaults, given, origins)
        text = _text(content) if content[0] == 34 else content.decode()
        if not text.strip():
            raise RefusedAs('"event" is blank; put the log line there', EVENT_BLANK)
        return record_of_text(text, self._defaults, given, origins)

    def _envelope(self, event: _Event) -> _Envelope:
        fields = bytes(event.fields)
        key = (event.host, event.source, event.sourcetype, event.index, fields.decode())
        known = self._envelopes.get(key)
        if known is None:
            known = self._envelopes[key] = _envelope(event, fields)
        return known


def _sloppy(piece: bytes) -> tuple[_Event, dict[str, Any]]:
    """An envelope with members of any name and type; what it cannot hold is the second."""
    if piece[:1] != b"{":
        raise Refused('it is no object; send {"event": …}')
    members = members_of(piece)
    event = _Event()
    for name in ("time", "event", "fields"):
        if name in members:
            setattr(event, name, members.pop(name))
    for name in ("host", "source", "sourcetype", "index"):
        if name in members and bytes(members[name])[:1] == b'"':
            setattr(event, name, _text(members.pop(name)))
    return event, {name: raw for name, raw in members.items() if bytes(raw) != b"null"}


def _envelope(event: _Event, fields: bytes) -> _Envelope:
    members: dict[str, msgspec.Raw] = {}
    attributes: dict[str, Any] = {}
    if fields[:1] == b"{":
        members = members_of(fields)
    elif fields not in _NO_VALUE:
        attributes["fields"] = msgspec.Raw(fields)
    origins: Origins = {}

    def take(names: tuple[str, ...], field: str) -> str | None:
        for name in names:
            if name in members and (found := name_of(value_of(members[name]))):
                origins[field] = f'field "{name}"'
                del members[name]
                return found
        return None

    service = take(_SERVICE_FIELDS, "service_name")
    environment = take(_ENVIRONMENT_FIELDS, "environment")
    severity: str | int | None = take(_SEVERITY_FIELDS, "severity_number")
    if _NUMBER_FIELD in members:
        number = otel_severity_number(value_of(members[_NUMBER_FIELD]))
        # The step within a group is only in the number: WARN2 is 14.
        if number is not None and severity is None:
            severity = number
            origins["severity_number"] = f'field "{_NUMBER_FIELD}"'
    trace_id = _take_id(members, ("trace_id", "traceId"), "trace_id", origins)
    span_id = _take_id(members, ("span_id", "spanId"), "span_id", origins)
    if service is None and event.source and not is_place(event.source):
        service = name_of(event.source)
        origins["service_name"] = "source"
    attributes |= members
    for name, value in (
        ("host.name", event.host),
        ("source", event.source),
        ("sourcetype", event.sourcetype),
        ("index", event.index),
    ):
        if value:
            attributes[free_name(name, members)] = value
    return _Envelope(attributes, service, environment, severity, trace_id, span_id, origins)


def is_place(source: str) -> bool:
    """True for a source that says where lines were read: a path, `http:token`, `udp:514`."""
    return any(character in source for character in "/\\:")


def _take_id(
    members: dict[str, msgspec.Raw], names: tuple[str, ...], field: str, origins: Origins
) -> str | None:
    for name in names:
        if name in members and (text := id_text(value_of(members[name]))):
            origins[field] = f'field "{name}"'
            del members[name]
            return normal_id(text)
    return None


def _unix_nano(time_text: bytes, defaults: Defaults) -> int | None:
    """The time of an envelope, a number or its text; None when it is not one."""
    plain = _PLAIN_SECONDS(time_text)
    if plain is not None:
        seconds, decimals = plain.groups()
        if decimals is None:
            return int(seconds) * 1_000_000_000
        return int(seconds) * 1_000_000_000 + int(decimals) * _SCALE[len(decimals)]
    text = _text(time_text) if time_text[:1] == b'"' else time_text.decode()
    try:
        return parse_timestamp(text, defaults.naive_timezone)
    except NotATime:
        return None


def _lifted(event: bytes) -> bytes:
    """The event; a message that is an object itself (winston's) gives its text and members."""
    if b'"message":{' not in event and b'"message": {' not in event:
        return event
    members = members_of(event)
    inner_text = bytes(members.get("message", _NOTHING))
    if inner_text[:1] != b"{":
        return event
    inner = members_of(inner_text)
    body = next(
        (name for name in _TEXT_OF_MESSAGE if bytes(inner.get(name, b""))[:1] == b'"'), None
    )
    if body is None:
        members["message"] = msgspec.Raw(msgspec.json.encode(inner_text.decode()))
        return msgspec.json.encode(members)
    members["message"] = inner.pop(body)
    # Winston's logger puts what a call says beside its text in `meta`, a stack among it.
    meta = bytes(inner.get("meta", _NOTHING))
    if meta[:1] == b"{":
        del inner["meta"]
    else:
        meta = b"{}"
    for name, value in (*inner.items(), *members_of(meta).items()):
        if name not in members or bytes(members[name]) != bytes(value):
            members[free_name(name, members)] = value
    return msgspec.json.encode(members)


def _raw_lines(arrival: Arrival) -> Decoded:
    """Each line a record, with what the query says of all; a stack trace stays with its line."""
    text = arrival.body.removeprefix(BOM).decode("utf-8", "replace").strip("\r\n\x00")
    if not text.strip():
        raise NoData("the body is empty", "send lines of text")
    event = _Event(
        host=parameter_of(arrival, "host"),
        source=parameter_of(arrival, "source"),
        sourcetype=parameter_of(arrival, "sourcetype"),
        index=parameter_of(arrival, "index"),
    )
    envelope = _envelope(event, b"")
    defaults = defaults_of(arrival)
    moment = parameter_of(arrival, "time")
    timestamp = None if moment is None else _unix_nano(msgspec.json.encode(moment), defaults)
    origins = {f: f"query parameter {origin}" for f, origin in envelope.origins.items()}
    if timestamp is not None:
        origins["timestamp"] = "query parameter time"
    given = Given(
        timestamp_unix_nano=timestamp,
        attributes=envelope.attributes,
        fallback_service=envelope.service,
        origins=origins,
    )
    decoded = Decoded([])
    for count, line in enumerate(_joined(text), start=1):
        check_count(count, arrival.max_records)
        origin: Origins | None = {} if arrival.wants_origins else None
        decoded.records.append(record_of_text(line, defaults, given, origin))
        if origin is not None:
            decoded.origins.append(origin)
    return decoded


def _joined(text: str) -> Iterator[str]:
    """The lines of the text, each with the lines that continue it; blank ones left out."""
    parts: list[str] = []
    is_python_trace = False
    for match in _LINE.finditer(text):  # which makes one at a time
        line = match[0].removesuffix("\r")
        if not line.strip():
            continue
        is_start = line.startswith("Traceback (most recent call last):")
        continues = is_start or _CONTINUES.match(line) is not None
        # The last line of Python's trace, "ValueError: …", is not indented.
        if parts and (continues or is_python_trace):
            parts.append(line)
            is_python_trace = is_start or (is_python_trace and continues)
            continue
        if parts:
            yield "\n".join(parts)
        parts, is_python_trace = [line], is_start
    if parts:
        yield "\n".join(parts)
