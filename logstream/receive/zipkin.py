"""Zipkin's API v2: a JSON array of spans (https://zipkin.io/zipkin-api/).

Times are microseconds. What has no place in a span stays in its attributes: tags under
their own names, endpoints under OpenTelemetry's, all else under the sender's.
"""

import re
from decimal import Decimal
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.model import NANOS_PER_SECOND, Decoded, Origins, Reject, Span
from logstream.ports import Arrival
from logstream.receive.json_text import (
    MAX_DEPTH,
    array_elements,
    clean_json,
    clean_text,
    is_deeper_than,
)
from logstream.receive.native_values import MAX_NAME_CHARS, free_name, kind_of, value_of
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.record_limit import check_count, check_values
from logstream.receive.timestamps import END_SECOND, FIRST_SECOND

MAX_REJECT_BYTES = 8192
ENVIRONMENT_TAGS = ("deployment.environment.name", "deployment.environment", "environment", "env")
_KINDS = {"CLIENT": "client", "SERVER": "server", "PRODUCER": "producer", "CONSUMER": "consumer"}
_REMEDY = "send a JSON array of Zipkin v2 spans"
_BOM = b"\xef\xbb\xbf"
_HEX = re.compile(r"[0-9a-fA-F]{1,32}").fullmatch
_NUMERIC = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII).fullmatch
_LONGEST_NANOS = 2**63 - 1

Members = dict[str, msgspec.Raw]
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_members = msgspec.json.Decoder(Members).decode
_encode = msgspec.json.encode


class _Refused(Exception):
    """The span cannot be stored; the text says what is wrong and what to do."""

    def __init__(self, error: str, reason: str = "bad_span") -> None:
        super().__init__(error)
        self.reason = reason


def decode(arrival: Arrival) -> Decoded:
    """The spans of a body and its rejects, by their places in the array.

    A single span without an array around it is read too. Raises DecodeError when nothing in
    the body can be read.
    """
    body = clean_json(arrival.body.removeprefix(_BOM).strip(b" \t\r\n\x00"))
    decoded = Decoded([], rejects=[], spans=[], span_origins=[])
    pieces = _pieces(body, arrival.max_records)
    for index, piece in enumerate(pieces):
        origins: Origins | None = {} if arrival.wants_origins else None
        try:
            decoded.spans.append(_span(piece, arrival, origins))
            if origins is not None:
                decoded.span_origins.append(origins)
            continue
        except _Refused as refused:
            error, reason = str(refused), refused.reason
        except (ValueError, RecursionError) as malformed:
            error, reason = f"it is not valid JSON ({malformed}); {_REMEDY}", "bad_json"
        decoded.rejects.append(
            Reject(index, f"span {index}: {error}", piece[:MAX_REJECT_BYTES], reason)
        )
    is_json = not pieces or any(reject.reason != "bad_json" for reject in decoded.rejects)
    if not decoded.spans and not is_json:
        raise DecodeError(f"nothing in the body can be read: {decoded.rejects[0].error}", _REMEDY)
    return decoded


def _pieces(body: bytes, most: int) -> list[bytes]:
    if not body:
        raise DecodeError("the body is empty", _REMEDY)
    if body[:1] == b"{":
        return [body]
    if body[:1] != b"[":
        raise DecodeError(f"the body is no JSON array: {_described(body)}", _REMEDY)
    check_values(body, most)
    try:
        raws = _decode_array(body)
    except (msgspec.DecodeError, RecursionError):
        check_values(body, most, is_malformed=True)
        # One span that is no JSON must not cost the others.
        return array_elements(body)
    check_count(len(raws), most)
    return [bytes(raw) for raw in raws]


def _span(raw: bytes, arrival: Arrival, origins: Origins | None) -> Span:
    if is_deeper_than(raw):
        raise _Refused(f"it is nested deeper than {MAX_DEPTH} levels; flatten it")
    if raw[:1] != b"{":
        raise _Refused(f"it is {_described(raw)}; send an object")
    fields = _decode_members(raw)
    tags = _take_object(fields, "tags")
    events, first_event = _events(fields)
    trace_id = _take_id(fields, "traceId")
    span_id = _take_id(fields, "id")
    if trace_id is None or span_id is None:
        name = "id" if trace_id else "traceId"
        raise _Refused(f"{name} is missing; send 16 or 32 hexadecimal digits", "bad_id")
    kind = _text_of(fields, "kind").upper()
    if kind in _KINDS:
        del fields["kind"]
    extra: Members = {}
    service = _endpoints(fields, extra)
    service_from = "localEndpoint.serviceName"
    if not service:
        service, service_from = _text_of(tags, "service.name").strip(), "tag service.name"
    environment_tag = next(
        (name for name in ENVIRONMENT_TAGS if _text_of(tags, name).strip()), None
    )
    environment = _text_of(tags, environment_tag).strip() if environment_tag else ""
    for name, value in (("serviceName", service), ("environment", environment)):
        if len(value) > MAX_NAME_CHARS:
            raise _Refused(
                f"{name} has {len(value)} characters; use at most {MAX_NAME_CHARS}", "bad_name"
            )
    sent = _take_nanos(fields, "timestamp")
    # A missing time is legal: the other half of a shared span has it. 0 means missing.
    start = sent or first_event or arrival.received_unix_nano
    if not FIRST_SECOND <= start // NANOS_PER_SECOND < END_SECOND:
        raise _Refused(
            f"timestamp {start // 1_000} is outside the years 1 to 9999; "
            "send microseconds since 1970",
            "bad_time",
        )
    duration = _take_nanos(fields, "duration") or 0
    if abs(duration) > _LONGEST_NANOS:
        raise _Refused(
            f"duration {duration // 1_000} is over 292 years; send microseconds", "bad_time"
        )
    status, message = _status(tags)
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=_take_id(fields, "parentId"),
        environment=environment or arrival.default_environment,
        service_name=service or UNKNOWN_SERVICE,
        name=_take_text(fields, "name"),
        kind=_KINDS.get(kind, "internal"),
        start_unix_nano=start,
        duration_nano=duration,
        observed_unix_nano=arrival.received_unix_nano,
        status=status,
        status_message=message,
        events=events,
        attributes=_attributes(tags, extra, fields),
    )
    if origins is not None:
        origins.update(
            trace_id="traceId",
            span_id="id",
            name="name" if span.name else "nothing sent",
            kind=f"kind {kind}" if kind in _KINDS else "no kind that Zipkin has",
            service_name=service_from if service else "no service named",
            environment=f"tag {environment_tag}"
            if environment_tag
            else "LOGSTREAM_DEFAULT_ENVIRONMENT",
            start_unix_nano="timestamp"
            if sent
            else "the first annotation"
            if first_event
            else "time of receipt",
            duration_nano="duration",
            status="tags error and otel.status_code",
            attributes="tags, endpoints and all other members",
            events="annotations",
        )
        if span.parent_span_id is not None:
            origins["parent_span_id"] = "parentId"
        if message is not None:
            origins["status_message"] = "tag error"
    return span


def _attributes(tags: Members, extra: Members, rest: Members) -> bytes:
    """Tags, then what has no place elsewhere; nothing takes the name of a tag."""
    attributes = dict(tags)
    for name, value in (*extra.items(), *rest.items()):
        if bytes(value) != b"null":
            attributes[free_name(name, attributes)] = value
    return _encode(attributes)


def _endpoints(fields: Members, extra: Members) -> str:
    """The service's name; all else that the two endpoints say becomes attributes."""
    local = _take_object(fields, "localEndpoint")
    remote = _take_object(fields, "remoteEndpoint")
    service = _take_text(local, "serviceName").strip()
    if "serviceName" in remote:
        extra["peer.service"] = remote.pop("serviceName")
    for endpoint, sent, place in (
        (local, "localEndpoint", "network.local"),
        (remote, "remoteEndpoint", "network.peer"),
    ):
        for name, value in endpoint.items():
            if bytes(value) == b"null":
                continue
            target = f"{sent}.{name}"
            if name in ("ipv4", "ipv6") and f"{place}.address" not in extra:
                target = f"{place}.address"
            elif name == "port":
                target = f"{place}.port"
            extra[target] = value
    return service


def _events(fields: Members) -> tuple[bytes, int | None]:
    """Annotations as events, and the time of the first; what is none stays where it was."""
    raw = fields.get("annotations")
    if raw is None:
        return b"[]", None
    try:
        annotations = msgspec.json.decode(raw, type=list[Members])
    except msgspec.ValidationError:
        return b"[]", None
    events: list[dict[str, Any]] = []
    moments: list[int] = []
    for annotation in annotations:
        try:
            nanos = _take_nanos(annotation, "timestamp")
        except _Refused:
            nanos = None
        name, attributes = _named(_take_text(annotation, "value"))
        event: dict[str, Any] = {"name": name}
        if nanos:
            moments.append(nanos)
            event["timeUnixNano"] = str(nanos)
        events.append({**event, "attributes": {**attributes, **annotation}})
    del fields["annotations"]
    return _encode(events), min(moments, default=None)


def _named(value: str) -> tuple[str, Members]:
    """Name and attributes of an event; OpenTelemetry's exporter writes `{"name": {…}}`."""
    if value[:1] == "{" and not is_deeper_than(value.encode()):
        try:
            [(name, attributes)] = msgspec.json.decode(value, type=dict[str, Members]).items()
        except (ValueError, RecursionError):
            return value, {}
        # Text inside of text has not been looked through.
        return clean_text(name), _decode_members(clean_json(_encode(attributes)))
    return value, {}


def _status(tags: Members) -> tuple[str, str | None]:
    """The tag `error` means one, whatever it says but `false`; OpenTelemetry also sends a code."""
    code = _text_of(tags, "otel.status_code").upper()
    if "error" in tags and bytes(tags["error"]) not in (b"false", b'"false"', b"null"):
        said = _text_of(tags, "error") or _text_of(tags, "otel.status_description")
        return "error", said if said and said.lower() != "true" else None
    if code == "ERROR":
        return "error", _text_of(tags, "otel.status_description") or None
    return ("ok" if code == "OK" else "unset"), None


def _take_object(fields: Members, name: str) -> Members:
    """The members of an object, taken out of the fields; what is none stays there."""
    raw = fields.get(name)
    if raw is None or bytes(raw)[:1] != b"{":
        return {}
    del fields[name]
    return _decode_members(raw)


def _take_text(fields: Members, name: str) -> str:
    """A text, taken out of the fields; what is none stays there, and is empty here."""
    text = _text_of(fields, name)
    if text or bytes(fields.get(name, b"")) == b'""':
        del fields[name]
    return text


def _text_of(fields: Members, name: str) -> str:
    raw = fields.get(name)
    if raw is None or bytes(raw)[:1] != b'"':
        return ""
    return str(msgspec.json.decode(raw, type=str))


def _take_id(fields: Members, name: str) -> str | None:
    """An id in lower case, of at least 16 digits; None for none, and for zero."""
    raw = fields.pop(name, None)
    if raw is None or bytes(raw) in (b"null", b'""'):
        return None
    text = value_of(raw)
    if not isinstance(text, str) or not _HEX(text):
        raise _Refused(
            f"{name} {_described(bytes(raw))} is no id; send 16 or 32 hexadecimal digits", "bad_id"
        )
    if not text.strip("0"):
        return None
    return text.lower().rjust(16 if len(text) <= 16 else 32, "0")


def _take_nanos(fields: Members, name: str) -> int | None:
    """Microseconds as nanoseconds, exact, taken out of the fields; also from their text."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    digits = bytes(raw).decode().strip('"')
    if not _NUMERIC(digits):
        raise _Refused(f"{name} {_described(bytes(raw))} is no number of microseconds", "bad_time")
    del fields[name]
    return int(digits) * 1_000 if digits.isdigit() else int(Decimal(digits) * 1_000)


def _described(raw: bytes) -> str:
    text = raw[:80].decode("utf-8", "replace")
    return text if raw[:1] not in b"{[tfn-0123456789" else kind_of(raw[:80])
