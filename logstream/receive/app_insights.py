"""Application Insights telemetry (`/v2.1/track`): messages, exceptions, events; calls as spans.

Metrics, page views and availability results are neither log lines nor spans: they are taken
and not kept, and `decode` says how many.
"""

import re
from functools import partial
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Severity, Span
from logstream.ports import Arrival
from logstream.receive.json_bodies import BOM, EDGES, pieces_of
from logstream.receive.json_text import clean_json, merged
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
from logstream.receive.piecewise import defaults_of, name_of, read_pieces
from logstream.receive.raw_members import first_name, moment_of, object_of, objects_of, text_of
from logstream.receive.severity import own_word, severity_number

_REMEDY = "send an array of telemetry items, or one item a line"
# severityLevel 0 to 4: verbose, information, warning, error, critical.
_LEVELS = (
    int(Severity.DEBUG),
    int(Severity.INFO),
    int(Severity.WARN),
    int(Severity.ERROR),
    int(Severity.FATAL),
)
_NOT_KEPT = (
    "MetricData",
    "PageViewData",
    "PageViewPerfData",
    "AvailabilityData",
    "SessionStateData",
    "PerformanceCounterData",
)
_ROLE, _OPERATION, _PARENT = "ai.cloud.role", "ai.operation.id", "ai.operation.parentId"
_ENVIRONMENT_NAMES = (
    "deployment.environment.name",
    "deployment.environment",
    "environment",
    "env",
)
# The time span of .NET: [d.]hh:mm:ss[.fffffff].
_TIME_SPAN = re.compile(r"(-)?(?:(\d{1,5})[.:])?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?")
_ZEROS = re.compile(r"0+").fullmatch
_CALL_KINDS = {"queue message": "producer", "inproc": "internal"}


def decode(arrival: Arrival) -> Decoded:
    """Records, spans and rejects of a body; an index counts its items. Raises DecodeError."""
    body = clean_json(arrival.body.removeprefix(BOM).strip(EDGES))
    if not body:
        raise DecodeError("the body is empty", _REMEDY)
    read = partial(_read, defaults_of(arrival), arrival.wants_origins)
    return read_pieces(pieces_of(body, arrival.max_records), read, "item")


def items_in(body: bytes) -> int:
    """How many items a body holds that `decode` has read, kept or not."""
    return len(pieces_of(clean_json(body.removeprefix(BOM).strip(EDGES))))


def _read(defaults: Defaults, wants_origins: bool, piece: bytes, decoded: Decoded) -> None:
    item = _Item(piece, defaults)
    if item.type in _NOT_KEPT:
        return
    if item.type in ("RequestData", "RemoteDependencyData"):
        decoded.spans.append(item.span())
        if wants_origins:
            decoded.span_origins.append(item.origins)
        return
    record = item.record()
    decoded.records.append(record)
    if wants_origins:
        decoded.origins.append(item.origins)


class _Item:
    """One telemetry item. What becomes a column is taken out, the rest are attributes."""

    def __init__(self, piece: bytes, defaults: Defaults) -> None:
        if piece[:1] != b"{":
            raise Refused(f"it is no object; {_REMEDY}")
        envelope = members_of(piece)
        content = object_of(envelope.pop("data", None)) or {}
        base = object_of(content.get("baseData"))
        if not base:
            raise Refused("it has no data.baseData; send an Application Insights item")
        self.defaults = defaults
        self.origins: Origins = {}
        self.type = text_of(content.get("baseType")) or ""
        self.tags = object_of(envelope.pop("tags", None)) or {}
        self.base = base
        self.properties: dict[str, Any] = {**(object_of(base.pop("properties", None)) or {})}
        for name, value in (object_of(base.pop("measurements", None)) or {}).items():
            self.properties[free_name(name, self.properties)] = value
        self._envelope = envelope
        base.pop("ver", None)
        for name in ("ver", "name", "iKey", "sampleRate", "seq", "flags"):
            self._envelope.pop(name, None)
        self.timestamp = self._time()

    def _time(self) -> int:
        nanos = moment_of(self._envelope.get("time"), self.defaults.naive_timezone)
        if nanos is not None:
            del self._envelope["time"]
            self.origins["timestamp"] = "time"
            return nanos
        self.origins["timestamp"] = "time of receipt"
        return self.defaults.received_unix_nano

    def service(self) -> str:
        """The cloud role; `unknown_service` without one."""
        name = name_of(text_of(self.tags.get(_ROLE)))
        if name:
            self.origins["service_name"] = f"tag {_ROLE}"
        return name or UNKNOWN_SERVICE

    def environment(self) -> str:
        """The environment that a property names, else the default."""
        found = first_name(self.properties, _ENVIRONMENT_NAMES)
        if found is None:
            return self.defaults.environment
        self.origins["environment"] = f"property {found[0]}"
        return found[1]

    def id(self, tag: str, column: str) -> str | None:
        """The id in a tag; None for one of zeros only, which means that there is none."""
        text = id_text(text_of(self.tags.get(tag)))
        if text is None or _ZEROS(text):
            return None
        self.origins[column] = f"tag {tag}"
        return normal_id(text)

    def attributes(self, extra: dict[str, Any], *taken: str) -> bytes:
        """Properties, then tags and other fields, then what is said of them in our names."""
        found = self.properties
        for name, value in self.tags.items():
            if name not in taken and bytes(value) != b"null":
                found[free_name(name, found)] = value
        for members in (self.base, self._envelope):
            for name, value in members.items():
                if bytes(value) != b"null":
                    found[free_name(name, found)] = value
        for name, content in extra.items():
            if name not in found:
                found[name] = content
        return merged(b"{}", found)

    def record(self) -> LogRecord:
        """The log record of a message, exception, event, or a type nobody knows."""
        number, word = self._severity()
        extra: dict[str, Any] = {}
        read_body = self._exception if self.type == "ExceptionData" else self._message
        body = read_body(extra)
        trace_id = self.id(_OPERATION, "trace_id")
        span_id = self.id(_PARENT, "span_id")
        taken = [_ROLE]
        taken += [_OPERATION] if trace_id or self._is_zeros(_OPERATION) else []
        taken += [_PARENT] if span_id or self._is_zeros(_PARENT) else []
        return LogRecord(
            timestamp_unix_nano=self.timestamp,
            observed_unix_nano=self.defaults.received_unix_nano,
            environment=self.environment(),
            service_name=self.service(),
            severity_number=number,
            severity_text=word,
            body=body,
            trace_id=trace_id,
            span_id=span_id,
            attributes=self.attributes(extra, *taken),
        )

    def _is_zeros(self, tag: str) -> bool:
        return bool(_ZEROS(text_of(self.tags.get(tag)) or ""))

    def _severity(self) -> tuple[int, str | None]:
        raw = self.base.pop("severityLevel", None)
        value = None if raw is None else value_of(raw)
        if value is None:
            is_exception = self.type == "ExceptionData"
            self.origins["severity_number"] = "an exception" if is_exception else "info, none sent"
            return (int(Severity.ERROR) if is_exception else INFO), None
        self.origins["severity_number"] = "severityLevel"
        if type(value) is int and 0 <= value < len(_LEVELS):
            return _LEVELS[value], None
        if isinstance(value, str):
            number = severity_number(value)
            return (INFO, value or None) if number is None else (number, own_word(value, number))
        return INFO, str(value)

    def _message(self, extra: dict[str, Any]) -> str:
        for name in ("message", "name"):
            raw = self.base.get(name)
            if raw is not None and bytes(raw) != b"null":
                self.origins["body"] = name
                del self.base[name]
                if self.type == "EventData":
                    extra["event.name"] = raw
                return text_of(raw) or ""
        self.origins["body"] = "baseType"
        return self.type

    def _exception(self, extra: dict[str, Any]) -> str:
        """The message; type, message and all traces go to `extra`."""
        found = objects_of(self.base.get("exceptions"))
        if not found:
            return self._message(extra)
        del self.base["exceptions"]
        outer = found[0]
        kind, message = text_of(outer.get("typeName")), text_of(outer.get("message"))
        if kind:
            extra["exception.type"] = kind
        if message:
            extra["exception.message"] = message
        traces = [text for each in found if (text := _trace_of(each))]
        if traces:
            extra["exception.stacktrace"] = "\nCaused by: ".join(traces)
        self.origins["body"] = "exceptions[0].message"
        return message or kind or ""

    def span(self) -> Span:
        """The span of a request or of a call to something else. Raises Refused."""
        trace_id = self.id(_OPERATION, "trace_id")
        raw_id = self.base.pop("id", None)
        span_id = id_text(text_of(raw_id))
        if trace_id is None or span_id is None:
            raise Refused(
                f"it is a {self.type} without {'id' if trace_id else _OPERATION}; send both"
            )
        self.origins["span_id"] = "id"
        name = text_of(self.base.pop("name", None)) or ""
        success = self.base.pop("success", None)
        duration = self._duration()
        code = "responseCode" if self.type == "RequestData" else "resultCode"
        extra: dict[str, Any] = {}
        if code in self.base:
            extra["http.response.status_code"] = _status_code(self.base[code])
            if extra["http.response.status_code"] is None:
                del extra["http.response.status_code"]
        if self.type == "RequestData":
            kind = "server"
        else:
            call = (text_of(self.base.get("type")) or "").lower()
            kind = next(
                (kind for start, kind in _CALL_KINDS.items() if call.startswith(start)), "client"
            )
        is_ok = None if success is None else value_of(success) in (True, "true", "True")
        self.origins["status"] = "success"
        return Span(
            trace_id=trace_id,
            span_id=normal_id(span_id) or span_id,
            parent_span_id=self.id(_PARENT, "parent_span_id"),
            environment=self.environment(),
            service_name=self.service(),
            name=name,
            kind=kind,
            status="error" if is_ok is False else "unset",
            start_unix_nano=self.timestamp,
            duration_nano=duration,
            observed_unix_nano=self.defaults.received_unix_nano,
            attributes=self.attributes(extra, _ROLE, _OPERATION, _PARENT),
        )

    def _duration(self) -> int:
        text = text_of(self.base.get("duration"))
        match = None if text is None else _TIME_SPAN.fullmatch(text.strip())
        if match is None:
            self.origins["duration_nano"] = "0, there is no duration"
            return 0
        del self.base["duration"]
        self.origins["duration_nano"] = "duration"
        sign, days, hours, minutes, seconds, fraction = match.groups()
        whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
        nanos = whole * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
        return -nanos if sign else nanos


def _status_code(value: msgspec.Raw) -> int | None:
    text = text_of(value) or ""
    return int(text) if re.fullmatch(r"[1-5]\d\d", text) else None


def _trace_of(exception: dict[str, msgspec.Raw]) -> str:
    """The text of one exception's trace: as sent, or of its parsed frames."""
    stack = text_of(exception.get("stack"))
    if stack:
        return stack
    head = ": ".join(
        text for name in ("typeName", "message") if (text := text_of(exception.get(name)))
    )
    rows = []
    for frame in objects_of(exception.get("parsedStack")):
        file, line = text_of(frame.get("fileName")), text_of(frame.get("line"))
        where = f" in {file}:line {line}" if file else ""
        rows.append(f"   at {text_of(frame.get('method')) or '?'}{where}")
    return "\n".join([head, *rows])
