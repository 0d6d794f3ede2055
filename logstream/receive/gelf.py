"""GELF, Graylog's format: one JSON object a message, over HTTP, UDP or TCP."""

import re
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive.json_text import array_elements, clean_json, is_deeper_than
from logstream.receive.native_values import (
    INFO,
    MAX_NAME_CHARS,
    Defaults,
    Refused,
    free_name,
    id_text,
    members_of,
    normal_id,
    too_deep,
    value_of,
)
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.record_limit import check_count, check_lines, check_values
from logstream.receive.severity import own_word, severity_number
from logstream.receive.timestamps import NotATime, parse_timestamp

MAX_REJECT_BYTES = 8192
SYSLOG_WORDS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")

# In this order the first that is text names the service.
SERVICE_NAMES = (
    *("_service.name", "_service_name", "_service", "_application_name", "_app_name"),
    *("_application", "_app", "facility", "_facility", "_container_name"),
)
ENVIRONMENT_NAMES = (
    *("_deployment.environment.name", "_deployment.environment", "_environment", "_env"),
)
TRACE_NAMES = ("_trace_id", "_traceId", "_trace.id", "_TraceId", "_traceID")
SPAN_NAMES = ("_span_id", "_spanId", "_span.id", "_SpanId", "_spanID")
# Where clients put a stack trace when not into full_message.
STACK_NAMES = (
    *("_exception.stacktrace", "_error_stack", "_stack_trace", "_stackTrace", "_StackTrace"),
    *("_stacktrace", "_stack", "_exception"),
)
# Fields of the envelope under OpenTelemetry's names.
_RENAMED = {"host": "host.name", "file": "code.file.path", "line": "code.line.number"}
_VERSIONS = (b'"1.1"', b'"1.0"', b"1.1", b"1.0")

_STACK_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at \S|^Caused by: |^goroutine \d+ \[|^#0 ",
    re.MULTILINE,
)
_FIRST_LINE = re.compile(r"(?:Exception in thread .*? )?([\w.$]+(?:::[\w.$]+)*)(?:: (.*))?")
_REMEDY = "send one GELF object, or several separated by line breaks"
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)
_encode = msgspec.json.encode


def decode(arrival: Arrival) -> Decoded:
    """The records of a body: one object, or several separated by NUL or line breaks.

    Raises DecodeError when the body is empty or a lone object that is not JSON.
    """
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    pieces = _pieces(arrival.body, arrival.max_records)
    if not pieces:
        raise DecodeError("the body is empty", _REMEDY)
    records: list[LogRecord] = []
    rejects: list[Reject] = []
    all_origins: list[Origins] = []
    for index, piece in enumerate(pieces):
        origins: Origins | None = {} if arrival.wants_origins else None
        outcome = record_or_reject(piece, defaults, index, origins)
        if isinstance(outcome, LogRecord):
            records.append(outcome)
            if origins is not None:
                all_origins.append(origins)
        elif len(pieces) == 1 and outcome.reason == "not_json":
            raise DecodeError(f"the body cannot be read: {outcome.error}")
        else:
            rejects.append(outcome)
    return Decoded(records, rejects, origins=all_origins)


def record_or_reject(
    message: bytes, defaults: Defaults, index: int = 0, origins: Origins | None = None
) -> LogRecord | Reject:
    """One message's record, or why there is none."""
    reason = "bad_record"
    try:
        return _record(clean_json(message.strip(b" \t\r\n\x00")), defaults, origins)
    except Refused as refused:
        error = str(refused)
    except RecursionError:
        error = str(too_deep())
    except ValueError as malformed:
        reason = "not_json"
        error = f"it is not valid JSON ({malformed}); {_REMEDY}"
    return Reject(index, error, message[:MAX_REJECT_BYTES], reason)


def _pieces(body: bytes, most: int) -> list[bytes]:
    """The messages of a body, each as its sender wrote it."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\x00")
    if b"\x00" in body:
        # As over TCP; elsewhere a NUL is a broken character of one message.
        check_lines(body.replace(b"\n", b" ").replace(b"\x00", b"\n"), most)
        pieces = [piece for piece in body.split(b"\x00") if piece.strip()]
        if all(piece.lstrip()[:1] == b"{" for piece in pieces):
            return pieces
    if b"\n" not in body and body[:1] != b"[":
        return [body] if body else []
    cleaned = clean_json(body)
    if body[:1] == b"[":
        check_values(cleaned, most)
        try:
            raws = _raws.decode(cleaned)
        except (msgspec.DecodeError, RecursionError):
            check_values(cleaned, most, is_malformed=True)
            return array_elements(cleaned)
        check_count(len(raws), most)
        return [bytes(raw) for raw in raws]
    try:
        _raw.decode(cleaned)  # one object over several lines
    except (msgspec.DecodeError, RecursionError):
        check_lines(body, most)
        return [line for line in body.split(b"\n") if line.strip()]
    return [body]


def _record(raw: bytes, defaults: Defaults, origins: Origins | None) -> LogRecord:
    if is_deeper_than(raw):
        raise too_deep()
    fields = members_of(raw)
    found: Origins = {}
    timestamp = _take_time(fields, defaults, found)
    number, word = _take_level(fields, found)
    body, exception = _take_message(fields, raw, found)
    if not exception:
        exception = _take_stack_trace(fields)
    service = _take_name(fields, SERVICE_NAMES, found, "service_name")
    environment = _take_name(fields, ENVIRONMENT_NAMES, found, "environment")
    trace_id = _take_id(fields, TRACE_NAMES, found, "trace_id")
    span_id = _take_id(fields, SPAN_NAMES, found, "span_id")
    if origins is not None:
        origins.update(_origins(found))
    return LogRecord(
        timestamp_unix_nano=timestamp,
        observed_unix_nano=defaults.received_unix_nano,
        environment=environment or defaults.environment,
        service_name=service or UNKNOWN_SERVICE,
        severity_number=number,
        severity_text=word,
        body=body,
        trace_id=trace_id,
        span_id=span_id,
        attributes=_attributes(fields, exception),
    )


def _origins(found: Origins) -> Origins:
    return {
        "timestamp": "time of receipt",
        "severity_number": "no level was sent",
        "service_name": "no field names it",
        "environment": "LOGSTREAM_DEFAULT_ENVIRONMENT",
        **found,
    }


def _take_time(fields: dict[str, msgspec.Raw], defaults: Defaults, found: Origins) -> int:
    """Seconds with decimals, by their digits; what is no time stays an attribute."""
    raw = bytes(fields.get("timestamp", b""))
    if raw[:1] == b'"':
        digits: str | int = str(value_of(fields["timestamp"]))
    else:
        digits = int(raw) if raw.isdigit() and len(raw) < 25 else raw.decode()
    try:
        moment = parse_timestamp(digits, defaults.naive_timezone) if digits else None
    except NotATime:
        moment = None
    if moment is None:
        return defaults.received_unix_nano
    del fields["timestamp"]
    found["timestamp"] = "timestamp"
    return moment


def _take_level(fields: dict[str, msgspec.Raw], found: Origins) -> tuple[int, str | None]:
    """Syslog's digits, or a word; what is neither is info with the word beside it."""
    if bytes(fields.get("level", b"null")) == b"null":
        return INFO, None
    level = value_of(fields["level"])
    if isinstance(level, bool) or not isinstance(level, str | int | float):
        return INFO, None
    del fields["level"]
    found["severity_number"] = "level"
    text = str(level).strip()
    if text in ("0", "1", "2", "3", "4", "5", "6", "7"):
        text = SYSLOG_WORDS[int(text)]
    number = severity_number(text)
    if number is None:
        return INFO, text or None
    return number, own_word(text, number)


def _take_message(
    fields: dict[str, msgspec.Raw], raw: bytes, found: Origins
) -> tuple[str, dict[str, Any]]:
    """The body, and attributes for what `full_message` holds beyond it."""
    full = _take_text(fields, "full_message")
    for name in ("short_message", "message", "_message"):
        short = _take_text(fields, name)
        if short is not None:
            found["body"] = name
            break
    else:
        found["body"] = "the whole object, because it has no short_message"
        if full is None:
            return raw.decode(), {}
        found["body"] = "full_message"
        return full, {}
    if full is None or full.strip() in (short.strip(), ""):
        return short, {}
    rest = full.removeprefix(short).strip("\r\n")
    if _STACK_TRACE.search(rest):
        return short, exception_of(rest)
    return short, {"full_message": full}


def _take_text(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    del fields[name]
    return str(value_of(raw)) if bytes(raw)[:1] == b'"' else bytes(raw).decode()


def _take_stack_trace(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    for name in STACK_NAMES:
        if name in fields and bytes(fields[name])[:1] == b'"':
            text = str(value_of(fields[name]))
            if _STACK_TRACE.search(text):
                del fields[name]
                return exception_of(text)
    return {}


def exception_of(stack_trace: str) -> dict[str, Any]:
    """The attributes of a stack trace: it, and the exception's type and message if it says."""
    attributes = {"exception.stacktrace": stack_trace}
    lines = stack_trace.strip().splitlines()
    is_python = any(line.startswith("Traceback (most recent call last)") for line in lines)
    named = lines[-1] if is_python else lines[0]
    match = _FIRST_LINE.fullmatch(named.strip())
    if match is not None:
        attributes["exception.type"] = match[1]
        if match[2]:
            attributes["exception.message"] = match[2]
    return attributes


def _take_name(
    fields: dict[str, msgspec.Raw], names: tuple[str, ...], found: Origins, field: str
) -> str | None:
    for name in names:
        if name in fields and bytes(fields[name])[:1] == b'"':
            text = str(value_of(fields[name])).strip()
            if 0 < len(text) <= MAX_NAME_CHARS:
                del fields[name]
                found[field] = name
                return text
    return None


def _take_id(
    fields: dict[str, msgspec.Raw], names: tuple[str, ...], found: Origins, field: str
) -> str | None:
    for name in names:
        if name in fields:
            text = id_text(value_of(fields[name]))
            known = normal_id(text) if text else None
            if known:
                del fields[name]
                found[field] = name
                return known
    return None


def _attributes(fields: dict[str, msgspec.Raw], more: dict[str, Any]) -> bytes:
    if bytes(fields.get("version", b"")) in _VERSIONS:
        del fields["version"]
    if not fields and not more:
        return b"{}"
    members: dict[str, Any] = {}
    # A field of the sender's own keeps its name before one of the envelope does.
    for name, raw in fields.items():
        if len(name) > 1 and name[0] == "_":
            members[free_name(name[1:], members)] = raw
    for name, raw in fields.items():
        if len(name) < 2 or name[0] != "_":
            members[free_name(_RENAMED.get(name, name), members)] = raw
    for name, value in more.items():
        members[free_name(name, members)] = value
    return _encode(members)
