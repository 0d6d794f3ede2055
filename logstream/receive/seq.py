"""Seq's events: compact ones (CLEF, one object a line) and the raw format's `Events`.

A compact event's own fields begin with @, everything else is a property. An event with @st,
@tr and @sp is a span.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Severity, Span
from logstream.ports import Arrival
from logstream.receive import stack_trace
from logstream.receive.json_bodies import BOM, EDGES, pieces_of
from logstream.receive.json_text import clean_json, merged
from logstream.receive.message_template import rendered
from logstream.receive.native_values import (
    INFO,
    Defaults,
    Refused,
    free_name,
    id_text,
    members_of,
    normal_id,
    value_of,
)
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.piecewise import defaults_of, read_pieces
from logstream.receive.raw_members import (
    first_name,
    moment_of,
    nanos_between,
    object_of,
    text_of,
)
from logstream.receive.severity import own_word, severity_number

# The name that Serilog's own OpenTelemetry sink gives it.
TEMPLATE = "message_template.text"
_SERVICE_NAMES = ("service.name", "Application", "ApplicationName", "service", "Service", "AppName")
_ENVIRONMENT_NAMES = (
    "deployment.environment.name",
    "deployment.environment",
    "Environment",
    "EnvironmentName",
    "environment",
    "env",
)
_TRACE_NAMES = ("trace_id", "traceId", "TraceId")
_SPAN_NAMES = ("span_id", "spanId", "SpanId")
_KINDS = ("internal", "server", "client", "producer", "consumer")
_REMEDY = 'send one CLEF event a line, or {"Events": […]}'


class _Event(NamedTuple):
    """What both formats hold, each as its JSON text; `names` says what the sender calls it."""

    fields: dict[str, msgspec.Raw]
    properties: dict[str, msgspec.Raw]
    resource: dict[str, msgspec.Raw]
    names: Mapping[str, str]


# The fields of an event, by the names that the formats give them.
_CLEF_NAMES = {
    "time": "@t",
    "message": "@m",
    "template": "@mt",
    "level": "@l",
    "exception": "@x",
    "renderings": "@r",
    "trace": "@tr",
    "span": "@sp",
    "parent": "@ps",
    "start": "@st",
    "kind": "@sk",
}
_RAW_NAMES = {
    "time": "Timestamp",
    "message": "RenderedMessage",
    "template": "MessageTemplate",
    "level": "Level",
    "exception": "Exception",
    "renderings": "@r",
    "trace": "TraceId",
    "span": "SpanId",
    "parent": "ParentId",
    "start": "Start",
    "kind": "SpanKind",
}


def decode(arrival: Arrival) -> Decoded:
    """Records, spans and rejects of a body; an index counts its events. Raises DecodeError."""
    body = clean_json(arrival.body.removeprefix(BOM).strip(EDGES))
    if not body:
        raise DecodeError("the body is empty", _REMEDY)
    read = partial(_read, defaults_of(arrival), arrival.wants_origins)
    return read_pieces(_events_of(body, arrival.max_records), read, "event")


def _events_of(body: bytes, most: int) -> list[bytes]:
    """The JSON text of each event: of CLEF's lines, or of the raw format's `Events`."""
    pieces = pieces_of(body, most)
    if len(pieces) == 1 and b'"Events"' in pieces[0]:
        with suppress(msgspec.DecodeError, Refused, ValueError, RecursionError):
            events = members_of(pieces[0]).get("Events")
            if events is not None and bytes(events)[:1] == b"[":
                return pieces_of(bytes(events), most)
    return pieces


def _read(defaults: Defaults, wants_origins: bool, piece: bytes, decoded: Decoded) -> None:
    event = _event_of(piece)
    origins: Origins = {}
    values = _Values(event, defaults, origins)
    span = _span(values)
    if span is not None:
        decoded.spans.append(span)
        if wants_origins:
            decoded.span_origins.append(origins)
        return
    decoded.records.append(_record(values))
    if wants_origins:
        decoded.origins.append(origins)


def _event_of(piece: bytes) -> _Event:
    if piece[:1] != b"{":
        raise Refused(f"it is no object; {_REMEDY}")
    members = members_of(piece)
    is_raw = not any(name[:1] == "@" for name in members) and (
        "MessageTemplate" in members or "RenderedMessage" in members or "Properties" in members
    )
    names = _RAW_NAMES if is_raw else _CLEF_NAMES
    fields = {
        field: members.pop(name)
        for field, name in names.items()
        if name in members and bytes(members[name]) != b"null"
    }
    if is_raw:
        properties = object_of(members.get("Properties"))
        if properties is None:
            properties = {}
        else:
            del members["Properties"]
        for name, value in members.items():
            if bytes(value) != b"null":
                properties[free_name(name, properties)] = value
        return _Event(fields, properties, {}, names)
    resource = object_of(members.get("@ra"))
    if resource is not None:
        del members["@ra"]
    # A property whose name begins with @ comes with two.
    properties = {name[1:] if name[:2] == "@@" else name: value for name, value in members.items()}
    return _Event(fields, properties, resource or {}, names)


class _Values:
    """The values of one event as a record or a span takes them; says where each came from."""

    def __init__(self, event: _Event, defaults: Defaults, origins: Origins) -> None:
        self.defaults = defaults
        self.fields = event.fields
        self.properties = event.properties
        self.attributes: dict[str, Any] = {**event.properties}
        self._names = event.names
        self._origins = origins
        for name, value in event.resource.items():
            nested = object_of(value)
            for inner, content in (nested or {}).items():
                self._add_resource(f"{name}.{inner}", content)
            if nested is None:
                self._add_resource(name, value)

    def _add_resource(self, name: str, value: msgspec.Raw) -> None:
        known = self.attributes.get(name)
        if known is not None and bytes(known) != bytes(value):
            name = free_name(name, self.attributes)
        self.attributes[name] = value

    def text(self, field: str) -> str | None:
        """The field when it is text, and of anything else its JSON text; None when absent."""
        return text_of(self.fields.get(field))

    def moment(self, field: str, origin: str) -> int | None:
        """The field as a time; None when it is absent or no time."""
        nanos = moment_of(self.fields.get(field), self.defaults.naive_timezone)
        if nanos is not None:
            self._origins[origin] = self._names[field]
        return nanos

    def time(self, origin: str) -> int:
        """When it happened; at receipt when it does not say, or says no time (kept beside)."""
        nanos = self.moment("time", origin)
        if nanos is None:
            self._origins[origin] = "time of receipt"
            self.leave("time")
        return self.defaults.received_unix_nano if nanos is None else nanos

    def severity(self) -> tuple[int, str | None]:
        """(severity_number, severity_text); info when there is no level."""
        raw = self.fields.get("level")
        if raw is None:
            self._origins["severity_number"] = f"info, there is no {self._names['level']}"
            return INFO, None
        self._origins["severity_number"] = self._names["level"]
        value = value_of(raw)
        number = severity_number(value) if isinstance(value, str | int | float) else None
        word = self.text("level") or ""
        if number is None:
            return INFO, word or None
        return number, own_word(word, number)

    def message(self) -> tuple[str, str | None]:
        """(text, template): the text as sent, else the template filled in."""
        message, template = self.text("message"), self.text("template")
        if message is not None:
            self._origins["body"] = self._names["message"]
            return message, template
        if template is not None:
            self._origins["body"] = f"{self._names['template']}, filled in"
            return rendered(template, self.properties, self._renderings()), template
        exception = self.text("exception") or ""
        self._origins["body"] = self._names["exception"] if exception else "there is no message"
        return stack_trace.described(exception).get("exception.message", exception), None

    def _renderings(self) -> list[str]:
        raw = self.fields.get("renderings")
        if raw is None:
            return []
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(raw, type=list[str])
        self.attributes[free_name("@r", self.attributes)] = raw
        return []

    def service(self) -> str:
        """The application's name; `unknown_service` when nothing says it."""
        return self._named(_SERVICE_NAMES, "service_name") or UNKNOWN_SERVICE

    def environment(self) -> str:
        """The environment that a property or the resource names, else the default."""
        return self._named(_ENVIRONMENT_NAMES, "environment") or self.defaults.environment

    def _named(self, names: tuple[str, ...], field: str) -> str | None:
        found = first_name(self.attributes, names)
        if found is None:
            return None
        self._origins[field] = f"property {found[0]}"
        return found[1]

    def id(self, field: str, column: str, names: tuple[str, ...] = ()) -> str | None:
        """An id of the event's own field, else of a property, which stays one."""
        for raw, origin in (
            (self.fields.get(field), self._names[field]),
            *((self.properties.get(name), f"property {name}") for name in names),
        ):
            text = None if raw is None else id_text(value_of(raw))
            if text:
                self._origins[column] = origin
                return normal_id(text)
        return None

    def leave(self, *fields: str) -> None:
        """Keep fields that no column takes as attributes under the sender's names."""
        for field in fields:
            if field in self.fields:
                name = free_name(self._names[field], self.attributes)
                self.attributes[name] = self.fields[field]


def _record(values: _Values) -> LogRecord:
    body, template = values.message()
    number, word = values.severity()
    trace_id = values.id("trace", "trace_id", _TRACE_NAMES)
    span_id = values.id("span", "span_id", _SPAN_NAMES)
    values.leave("parent", "start", "kind")
    for field, found in (("trace", trace_id), ("span", span_id)):
        if found is None:
            values.leave(field)
    extra: dict[str, Any] = {}
    if template is not None and template != body:
        extra[TEMPLATE] = template
    exception = values.text("exception")
    if exception:
        extra.update(stack_trace.described(exception))
    return LogRecord(
        timestamp_unix_nano=values.time("timestamp"),
        observed_unix_nano=values.defaults.received_unix_nano,
        environment=values.environment(),
        service_name=values.service(),
        severity_number=number,
        severity_text=word,
        body=body,
        trace_id=trace_id,
        span_id=span_id,
        attributes=_attributes(values, extra),
    )


def _span(values: _Values) -> Span | None:
    """The span of an event that has a start, a trace and an id; None for any other."""
    if not {"start", "trace", "span"} <= values.fields.keys():
        return None
    trace_id, span_id = values.id("trace", "trace_id"), values.id("span", "span_id")
    start = values.moment("start", "start_unix_nano")
    if trace_id is None or span_id is None or start is None:
        return None
    name, template = values.message()
    number, word = values.severity()
    end = values.time("duration_nano")
    kind = (values.text("kind") or "internal").lower()
    if kind not in _KINDS:
        values.leave("kind")
        kind = "internal"
    extra: dict[str, Any] = {}
    if template is not None and template != name:
        extra[TEMPLATE] = template
    if word:
        extra["severity_text"] = word
    events = b"[]"
    exception = values.text("exception")
    if exception:
        events = msgspec.json.encode(
            [
                {
                    "name": "exception",
                    "timeUnixNano": end,
                    "attributes": stack_trace.described(exception),
                }
            ]
        )
    is_error = bool(exception) or number >= int(Severity.ERROR)
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=values.id("parent", "parent_span_id"),
        environment=values.environment(),
        service_name=values.service(),
        name=name,
        kind=kind,
        status="error" if is_error else "unset",
        start_unix_nano=start,
        duration_nano=nanos_between(start, end),
        observed_unix_nano=values.defaults.received_unix_nano,
        attributes=_attributes(values, extra),
        events=events,
    )


def _attributes(values: _Values, extra: dict[str, Any]) -> bytes:
    attributes = values.attributes
    return merged(b"{}", attributes | {free_name(name, attributes): extra[name] for name in extra})
