"""Which format a body is in, told from what it looks like and the headers beside it.

For people who ask how something would be read; senders say it by their path.
"""

from collections.abc import Mapping

import msgspec

GENERIC = "generic"
_OTLP_LOGS, _OTLP_TRACES, _LOKI = "/v1/logs", "/v1/traces", "/loki/api/v1/push"
_HEC, _HEC_RAW = "/services/collector/event", "/services/collector/raw"
_DATADOG, _SEQ, _SENTRY = "/api/v2/logs", "/api/events/raw", "/api/1/envelope/"
_BY_TYPE = {
    "application/vnd.serilog.clef": _SEQ,
    "application/x-sentry-envelope": _SENTRY,
}
_BY_HEADER = {"dd-api-key": _DATADOG, "x-seq-apikey": _SEQ, "x-sentry-auth": _SENTRY}
_BULK_ACTIONS = {"index", "create", "update", "delete"}
# The first of these whose names an object all has is its format.
_BY_NAMES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(names), path)
    for names, path in (
        (("resourceLogs",), _OTLP_LOGS),
        (("resource_logs",), _OTLP_LOGS),
        (("resourceSpans",), _OTLP_TRACES),
        (("resource_spans",), _OTLP_TRACES),
        (("streams",), _LOKI),
        (("source", "message"), "/logs/ingest"),
        (("version", "short_message"), "/gelf"),
        (("host", "short_message"), "/gelf"),
        (("@t",), _SEQ),
        (("@mt",), _SEQ),
        (("Events",), _SEQ),
        (("iKey", "data"), "/v2.1/track"),
        (("traceId", "id", "name"), "/api/v2/spans"),
        (("traceId", "id", "localEndpoint"), "/api/v2/spans"),
        (("event",), _HEC),
        (("ddsource",), _DATADOG),
        (("ddtags",), _DATADOG),
    )
)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_lines = msgspec.json.Decoder(msgspec.Raw).decode_lines
_GROUP_1, _GROUP_2 = 0x0A, 0x12


def guess_path(body: bytes, content_type: str, headers: Mapping[str, str]) -> str:
    """A path at which the body would be read; GENERIC when it looks like no known format."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if text[:1] in b"{[" and text:
        first, second = _first_objects(text)
        path = _of_object(first, second)
        if path is not None:
            return path
    elif content_type == "application/x-protobuf" or _is_binary(body):
        return _of_protobuf(body)
    if content_type in _BY_TYPE:
        return _BY_TYPE[content_type]
    for name, path in _BY_HEADER.items():
        if name in headers:
            return path
    if headers.get("authorization", "").lower().startswith("splunk "):
        return _HEC if text[:1] == b"{" else _HEC_RAW
    return "syslog" if _has_priority(text) else GENERIC


def _first_objects(text: bytes) -> tuple[dict[str, msgspec.Raw], dict[str, msgspec.Raw]]:
    """The first two objects of an array, or of those that follow one another."""
    try:
        values = _decode_array(text) if text[:1] == b"[" else _decode_lines(text)
    except (msgspec.DecodeError, RecursionError):
        values = []
        for line in text.split(b"\n", 2)[:2]:
            values.append(msgspec.Raw(line.strip() or b"null"))
    objects = []
    for value in values[:2]:
        try:
            objects.append(_members(value))
        except (msgspec.DecodeError, RecursionError):
            objects.append({})
    while len(objects) < 2:
        objects.append({})
    return objects[0], objects[1]


def _of_object(first: dict[str, msgspec.Raw], second: dict[str, msgspec.Raw]) -> str | None:
    names = first.keys()
    if len(names) == 1 and names <= _BULK_ACTIONS and bytes(first[next(iter(names))])[:1] == b"{":
        return "/_bulk"
    if "type" in second and names <= {"event_id", "dsn", "sdk", "sent_at", "trace"}:
        return _SENTRY
    return next((path for wanted, path in _BY_NAMES if wanted <= names), None)


def _is_binary(body: bytes) -> bool:
    return any(code < 9 for code in body[:64])


def _has_priority(text: bytes) -> bool:
    """`<14>` in front, perhaps behind the count of octets that TCP senders give."""
    if text[:1].isdigit():
        text = text.partition(b" ")[2]
    number, mark, _ = text[1:].partition(b">")
    return bool(text[:1] == b"<" and mark) and number.isdigit() and len(number) <= 3


def _of_protobuf(body: bytes) -> str:
    """OTLP is a message of resources that hold scopes that hold records; else snappy, so Loki.

    A span begins with its trace id; a log record has no field of that number and kind.
    """
    resource = _field(body, _GROUP_1)
    scope = None if resource is None else _field(resource, _GROUP_2)
    record = None if scope is None else _field(scope, _GROUP_2)
    if record is not None:
        return _OTLP_TRACES if record[:2] == b"\x0a\x10" else _OTLP_LOGS
    return _OTLP_LOGS if resource is not None and body[:1] == b"\x0a" else _LOKI


def _field(message: bytes, tag: int) -> bytes | None:
    """The first field with this tag of a message whose fields so far all have a length."""
    position = 0
    while position < len(message):
        found = message[position]
        if found & 7 != 2:
            return None
        size, position = _varint(message, position + 1)
        if position + size > len(message):
            return None
        if found == tag:
            return message[position : position + size]
        position += size
    return None


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, position
