"""OTLP logs: ExportLogsServiceRequest, in protobuf or JSON."""

import base64
from typing import Any

import msgspec

from logstream.model import Decoded, LogRecord, Origins
from logstream.ports import Arrival
from logstream.receive.json_text import clean_text
from logstream.receive.native_values import INFO, duration_ms, id_text, normal_id
from logstream.receive.otlp_context import Context, put
from logstream.receive.otlp_fields import LogFields, Wire
from logstream.receive.otlp_request import read_each
from logstream.receive.severity import own_word, severity_number

TRACE_NAMES = ("trace_id", "traceId")
SPAN_NAMES = ("span_id", "spanId")
DURATION_NAMES = ("latency", "duration_ms")
MESSAGE_NAMES = ("message", "msg", "body", "log")
# Where loggers that send an exception as an object (pino) put it, and what is in it.
EXCEPTION_NAMES = ("err", "error", "exception")
EXCEPTION_MEMBERS = {
    "type": "exception.type",
    "message": "exception.message",
    "stack": "exception.stacktrace",
    "stacktrace": "exception.stacktrace",
}
# Attributes that may also be something else.
_PROMOTED = frozenset((*TRACE_NAMES, *SPAN_NAMES, *DURATION_NAMES, *EXCEPTION_NAMES))
# SDKs note the moment of observing beside the moment itself; a real delay is kept.
_NOTABLE_DELAY_NANOS = 1_000_000_000
_MAX_KNOWN = 1_000
_known_severities: dict[tuple[int, str], tuple[int, str | None]] = {}


def decode(arrival: Arrival) -> Decoded:
    """The log records of a request. Raises DecodeError, UnsupportedEncoding."""
    records, rejects, origins = read_each(arrival, "logs", _read)
    return Decoded(records, rejects, origins=origins)


def _read(wire: Wire, raw: bytes, context: Context, origins: Origins | None) -> LogRecord:
    fields = wire.log(raw)
    own = fields.attributes
    severity = fields.severity_number, fields.severity_text
    number, word = _known_severities.get(severity) or _severity(severity, own)
    body = fields.body
    if type(body) is not str:
        body = _body(fields, origins)
    service, environment = context.place(own, origins)
    trace_id, span_id = fields.trace_id or None, fields.span_id or None
    duration = None
    if not _PROMOTED.isdisjoint(own):
        trace_id = trace_id or _promoted_id(own, TRACE_NAMES, origins, "trace_id")
        span_id = span_id or _promoted_id(own, SPAN_NAMES, origins, "span_id")
        duration = _promoted_duration(own, origins)
        _name_exception(own)
    if fields.malformed:
        for name, value in fields.malformed.items():
            put(own, name, value)
    if fields.event_name:
        put(own, "otel.event.name", fields.event_name)
    if fields.flags:
        put(own, "otel.flags", fields.flags)
    if fields.dropped_attributes_count:
        put(own, "otel.dropped_attributes_count", fields.dropped_attributes_count)
    timestamp, observed = fields.time_unix_nano, fields.observed_time_unix_nano
    if timestamp and observed and abs(observed - timestamp) > _NOTABLE_DELAY_NANOS:
        put(own, "otel.observed_time_unix_nano", observed)
    if origins is not None:
        _explain(fields, context, origins)
    return LogRecord(
        timestamp_unix_nano=timestamp or observed or context.received_unix_nano,
        observed_unix_nano=context.received_unix_nano,
        environment=environment,
        service_name=service,
        severity_number=number,
        severity_text=word,
        body=body,
        trace_id=trace_id,
        span_id=span_id,
        duration_ms=duration,
        attributes=context.attributes(own),
    )


def _severity(severity: tuple[int, str], own: dict[str, Any]) -> tuple[int, str | None]:
    number, text = severity
    if not 0 <= number <= 24:
        put(own, "severity_number", number)
        number = 0
    read = number or severity_number(text) or INFO
    outcome = read, own_word(text, read) if text else None
    if len(_known_severities) < _MAX_KNOWN and number == severity[0]:
        _known_severities[severity] = outcome
    return outcome


def _body(fields: LogFields, origins: Origins | None) -> str:
    """The text of a body that is no text; what is beside it goes to the attributes."""
    content, own = fields.body, fields.attributes
    if content is None:
        exception = own.get("exception.message")
        is_exception = isinstance(exception, str) and bool(exception)
        if origins is not None:
            origins["body"] = (
                "attribute exception.message"
                if is_exception
                else "eventName"
                if fields.event_name
                else "nothing said"
            )
        return str(exception) if is_exception else fields.event_name
    if isinstance(content, dict):
        for name in MESSAGE_NAMES:
            message = content.get(name)
            if isinstance(message, str) and message:
                for other, value in content.items():
                    if other == name:
                        continue
                    if other not in own:
                        own[other] = value
                    elif own[other] != value:
                        put(own, f"body.{other}", value)
                if origins is not None:
                    origins["body"] = f"member {name} of body"
                return message
    if isinstance(content, bytes):
        try:
            return clean_text(content.decode())
        except UnicodeDecodeError:
            return base64.b64encode(content).decode()
    return msgspec.json.encode(content).decode()


def _promoted_id(
    own: dict[str, Any], names: tuple[str, ...], origins: Origins | None, field: str
) -> str | None:
    for name in names:
        found = id_text(own.get(name))
        if found is not None:
            if origins is not None:
                origins[field] = f"attribute {name}"
            return normal_id(found)
    return None


def _promoted_duration(own: dict[str, Any], origins: Origins | None) -> float | None:
    for name in DURATION_NAMES:
        duration = duration_ms(own.get(name))
        if duration is not None:
            if origins is not None:
                origins["duration_ms"] = f"attribute {name}"
            return duration
    return None


def _name_exception(own: dict[str, Any]) -> None:
    """Give an exception that came as an object OpenTelemetry's names; the rest of it stays."""
    for name in EXCEPTION_NAMES:
        sent = own.get(name)
        if isinstance(sent, dict) and isinstance(sent.get("stack", sent.get("stacktrace")), str):
            rest = dict(sent)
            for member, attribute in EXCEPTION_MEMBERS.items():
                if isinstance(rest.get(member), str) and attribute not in own:
                    own[attribute] = rest.pop(member)
            if rest:
                own[name] = rest
            else:
                del own[name]


def _explain(fields: LogFields, context: Context, origins: Origins) -> None:
    """Where the fields came from that nothing has been said of yet."""
    usual = {
        "timestamp_unix_nano": "timeUnixNano"
        if fields.time_unix_nano
        else "observedTimeUnixNano"
        if fields.observed_time_unix_nano
        else "time of receipt",
        "observed_unix_nano": "time of receipt",
        "severity_number": "severityNumber"
        if 1 <= fields.severity_number <= 24
        else "severityText"
        if severity_number(fields.severity_text)
        else "nothing said: info",
        "body": "body",
        "attributes": "attributes of the record, its resource and scope",
        **context.origins,
    }
    usual.setdefault("service_name", "nothing said")
    usual.setdefault("environment", "LOGSTREAM_DEFAULT_ENVIRONMENT")
    if fields.severity_text:
        usual["severity_text"] = "severityText"
    if fields.trace_id:
        usual["trace_id"] = "traceId"
    if fields.span_id:
        usual["span_id"] = "spanId"
    for name, origin in usual.items():
        origins.setdefault(name, origin)
