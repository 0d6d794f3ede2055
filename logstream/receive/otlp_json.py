"""OTLP in JSON: from text to the fields of `otlp_fields`.

The specification's spelling is read, and what hand-written senders make of it: names in
snake_case, enums by name, ids in base64 as protobuf's own JSON has them, attributes as a plain
object, values without their type. Unknown members are ignored.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.receive.json_text import clean_json, without_depths
from logstream.receive.native_values import Refused, too_deep
from logstream.receive.otlp_fields import (
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    EventFields,
    Group,
    LinkFields,
    LogFields,
    Signal,
    Source,
    SpanFields,
    Wire,
)
from logstream.receive.otlp_json_values import (
    attributes_of,
    camel_names,
    enum_of,
    id_of,
    severity_of,
    shown,
    text_of,
    unix_nano_of,
    value_of,
    whole_number,
)
from logstream.receive.record_limit import check_count, check_values

_RECORDS: dict[Signal, str] = {"logs": "logRecords", "spans": "spans", "metrics": "metrics"}
_SUFFIXES: dict[Signal, str] = {"logs": "Logs", "spans": "Spans", "metrics": "Metrics"}
_KIND_WORDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS_WORDS = ("unset", "ok", "error")
_LONGEST_INT = 4_000
_EDGES = b" \t\r\n\x00\x1e"

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw] | None).decode
_requests = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def _exact_float(digits: str) -> float | msgspec.Raw:
    number = float(digits)
    return number if math.isfinite(number) else msgspec.Raw(digits.encode())


def _exact_int(digits: str) -> int | msgspec.Raw:
    return int(digits) if len(digits) <= _LONGEST_INT else msgspec.Raw(digits.encode())


# For what is not JSON but meant: raw control characters in a text, NaN. And numbers beyond float.
_LENIENT = json.JSONDecoder(
    strict=False, parse_float=_exact_float, parse_int=_exact_int, parse_constant=str
)


def _groups(body: bytes, signal: Signal, most: int) -> Iterator[Group]:
    text = clean_json(body.removeprefix(b"\xef\xbb\xbf").strip(_EDGES))
    check_values(text, most)
    suffix = _SUFFIXES[signal]
    count = 0
    try:
        # One request, or one a line as the collector's file exporter writes them.
        try:
            requests = list(_requests_in(text))
        except RecursionError:
            requests = list(_requests_in(without_depths(text)))
        for request in requests:
            if f"resource{suffix}" not in request:
                raise ValueError(f"it has no resource{suffix}, only {shown([*request][:5])}")
            for group in _list(request, f"resource{suffix}", most):
                members = _members(group)
                for scope_group in _list(members, f"scope{suffix}", most):
                    inner = _members(scope_group)
                    records = _list(inner, _RECORDS[signal], most)
                    count += len(records)
                    check_count(count, most)
                    yield Group(
                        bytes(members.get("resource", b"null")),
                        text_of(_decoded(members.get("schemaUrl"))),
                        bytes(inner.get("scope", b"null")),
                        text_of(_decoded(inner.get("schemaUrl"))),
                        [bytes(record) for record in records],
                    )
    except (ValueError, RecursionError) as error:
        raise DecodeError(
            f"the body is not an OTLP request in JSON: {error}",
            f'send {{"resource{suffix}": […]}}; protobuf needs '
            "Content-Type: application/x-protobuf",
        ) from None


def _requests_in(text: bytes) -> list[dict[str, msgspec.Raw]]:
    try:
        requests = _requests.decode_lines(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as malformed:
        try:
            value = _LENIENT.decode(text.decode())
        except ValueError:
            raise malformed from None
        requests = [_decode_members(msgspec.json.encode(value))]
    return [camel_names(request) for request in requests if request]


def _source(group: Group) -> Source:
    resource, scope = _object(group.resource), _object(group.scope)
    return Source(
        attributes_of(resource.get("attributes")),
        whole_number(resource.get("droppedAttributesCount"), "droppedAttributesCount"),
        group.resource_schema_url,
        text_of(scope.get("name")),
        text_of(scope.get("version")),
        attributes_of(scope.get("attributes")),
        whole_number(scope.get("droppedAttributesCount"), "droppedAttributesCount"),
        group.scope_schema_url,
    )


def _log(raw: bytes) -> LogFields:
    get = _object(raw).get
    malformed: dict[str, Any] = {}
    return LogFields(
        unix_nano_of(get("timeUnixNano"), "timeUnixNano"),
        unix_nano_of(get("observedTimeUnixNano"), "observedTimeUnixNano"),
        severity_of(get("severityNumber")),
        text_of(get("severityText")),
        value_of(get("body"), 1),
        attributes_of(get("attributes")),
        whole_number(get("droppedAttributesCount"), "droppedAttributesCount"),
        whole_number(get("flags"), "flags"),
        id_of(get("traceId"), TRACE_ID_BYTES, "trace_id", malformed),
        id_of(get("spanId"), SPAN_ID_BYTES, "span_id", malformed),
        text_of(get("eventName")),
        malformed,
    )


def _span(raw: bytes) -> SpanFields:
    fields = _object(raw)
    get = fields.get
    malformed: dict[str, Any] = {}
    status = _inner(get("status"), "status")
    return SpanFields(
        id_of(get("traceId"), TRACE_ID_BYTES, "trace_id", malformed),
        id_of(get("spanId"), SPAN_ID_BYTES, "span_id", malformed),
        id_of(get("parentSpanId"), SPAN_ID_BYTES, "parent_span_id", malformed),
        text_of(get("traceState")),
        text_of(get("name")),
        enum_of(get("kind"), "kind", "span_kind_", _KIND_WORDS),
        unix_nano_of(get("startTimeUnixNano"), "startTimeUnixNano"),
        unix_nano_of(get("endTimeUnixNano"), "endTimeUnixNano"),
        attributes_of(get("attributes")),
        whole_number(get("droppedAttributesCount"), "droppedAttributesCount"),
        [_event(event) for event in _objects(get("events"), "events")],
        whole_number(get("droppedEventsCount"), "droppedEventsCount"),
        [_link(link) for link in _objects(get("links"), "links")],
        whole_number(get("droppedLinksCount"), "droppedLinksCount"),
        enum_of(status.get("code"), "status.code", "status_code_", _STATUS_WORDS),
        text_of(status.get("message")),
        whole_number(get("flags"), "flags"),
        malformed,
    )


def _event(event: dict[str, Any]) -> EventFields:
    return EventFields(
        unix_nano_of(event.get("timeUnixNano"), "timeUnixNano of an event"),
        text_of(event.get("name")),
        attributes_of(event.get("attributes")),
        whole_number(event.get("droppedAttributesCount"), "droppedAttributesCount"),
    )


def _link(link: dict[str, Any]) -> LinkFields:
    odd: dict[str, Any] = {}
    trace_id = id_of(link.get("traceId"), TRACE_ID_BYTES, "trace_id", odd)
    span_id = id_of(link.get("spanId"), SPAN_ID_BYTES, "span_id", odd)
    return LinkFields(
        trace_id or text_of(odd.get("trace_id")),
        span_id or text_of(odd.get("span_id")),
        text_of(link.get("traceState")),
        attributes_of(link.get("attributes")),
        whole_number(link.get("droppedAttributesCount"), "droppedAttributesCount"),
        whole_number(link.get("flags"), "flags"),
    )


def _points(raw: bytes) -> int:
    try:
        metric = _object(raw)
    except Refused:
        return 1
    return sum(
        len(points)
        for data in metric.values()
        if isinstance(data, dict)
        and isinstance(points := camel_names(data).get("dataPoints"), list)
    )


def _alone(group: Group, raw: bytes, signal: Signal) -> bytes:
    suffix = _SUFFIXES[signal]
    inner = {
        "scope": msgspec.Raw(group.scope),
        _RECORDS[signal]: [msgspec.Raw(raw)],
        "schemaUrl": group.scope_schema_url,
    }
    whole = {
        "resource": msgspec.Raw(group.resource),
        f"scope{suffix}": [inner],
        "schemaUrl": group.resource_schema_url,
    }
    return msgspec.json.encode({f"resource{suffix}": [whole]})


def _members(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    return camel_names(_decode_members(raw) or {})


def _list(members: dict[str, msgspec.Raw], name: str, most: int) -> list[msgspec.Raw]:
    if name not in members:
        return []
    check_values(bytes(members[name]), most)
    values = _decode_list(members[name]) or []
    check_count(len(values), most)
    return values


def _decoded(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else _decode(raw)


def _object(raw: bytes) -> dict[str, Any]:
    """The members of a JSON object, under the specification's names. Raises Refused."""
    try:
        value = _decode(raw)
    except msgspec.ValidationError:
        value = _LENIENT.decode(raw.decode())  # a number beyond float
    except RecursionError:
        raise too_deep() from None
    return _inner(value, "it")


def _inner(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(f"{name} is {shown(value)}; send an object")
    return camel_names(value)


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(f"{name} is {shown(value)}; send an array")
    return [_inner(element, f"one of {name}") for element in value]


JSON = Wire(_groups, _source, _log, _span, _points, _alone)
