"""OTLP in protobuf: from bytes to the fields of `otlp_fields`."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError as ParseError

from logstream.errors import DecodeError
from logstream.receive import otlp_schema as schema
from logstream.receive.json_text import MAX_DEPTH
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
from logstream.receive.record_limit import check_count, check_messages

_NO_TRACE_ID, _NO_SPAN_ID = bytes(TRACE_ID_BYTES), bytes(SPAN_ID_BYTES)
# Field numbers from a request to its groups, scopes and records.
_RECORDS_PATH = (1, 2, 2)
_MAX_KNOWN = 8192
_LONGEST_KNOWN = 256
# Attributes as sent, to name and value: most of them come with every line of their place.
_known: dict[bytes, tuple[str, Any]] = {}


def _groups(body: bytes, _signal: Signal, most: int) -> Iterator[Group]:
    check_messages(body, _RECORDS_PATH, most)
    try:
        request = schema.Request.FromString(body)
    except ParseError:
        raise DecodeError(
            "the body is not an OTLP request in protobuf",
            "send an Export…ServiceRequest whole; JSON needs Content-Type: application/json",
        ) from None
    check_count(sum(len(scope.records) for group in request.groups for scope in group.scopes), most)
    for group in request.groups:
        for scope in group.scopes:
            yield Group(
                group.resource,
                text(group.schema_url),
                scope.scope,
                text(scope.schema_url),
                list(scope.records),
            )


def _source(group: Group) -> Source:
    try:
        resource = schema.Resource.FromString(group.resource)
        scope = schema.Scope.FromString(group.scope)
    except ParseError:
        raise _broken() from None
    return Source(
        _attributes(resource.attributes),
        resource.dropped_attributes_count,
        group.resource_schema_url,
        text(scope.name),
        text(scope.version),
        _attributes(scope.attributes),
        scope.dropped_attributes_count,
        group.scope_schema_url,
    )


def _log(raw: bytes) -> LogFields:
    try:
        record = schema.LogRecord.FromString(raw)
    except ParseError:
        raise _broken() from None
    malformed: dict[str, Any] = {}
    body = record.body
    if body.WhichOneof("value") == "string_value":
        content = body.string_value
        if type(content) is not str or "\x00" in content:
            content = text(content)
    else:
        content = _value(body, 1)
    trace_id, span_id = record.trace_id, record.span_id
    return LogFields(
        record.time_unix_nano,
        record.observed_time_unix_nano,
        record.severity_number,
        text(record.severity_text),
        content,
        _attributes(record.attributes),
        record.dropped_attributes_count,
        record.flags,
        _trace_id(trace_id, malformed) if trace_id else "",
        _span_id(span_id, "span_id", malformed) if span_id else "",
        text(record.event_name),
        malformed,
    )


def _span(raw: bytes) -> SpanFields:
    try:
        span = schema.Span.FromString(raw)
    except ParseError:
        raise _broken() from None
    malformed: dict[str, Any] = {}
    status = span.status
    return SpanFields(
        _trace_id(span.trace_id, malformed),
        _span_id(span.span_id, "span_id", malformed),
        _span_id(span.parent_span_id, "parent_span_id", malformed),
        text(span.trace_state),
        text(span.name),
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        span.dropped_attributes_count,
        [
            EventFields(
                event.time_unix_nano,
                text(event.name),
                _attributes(event.attributes),
                event.dropped_attributes_count,
            )
            for event in span.events
        ],
        span.dropped_events_count,
        [
            LinkFields(
                link.trace_id.hex(),
                link.span_id.hex(),
                text(link.trace_state),
                _attributes(link.attributes),
                link.dropped_attributes_count,
                link.flags,
            )
            for link in span.links
        ],
        span.dropped_links_count,
        status.code,
        text(status.message),
        span.flags,
        malformed,
    )


def _points(raw: bytes) -> int:
    try:
        metric = schema.Metric.FromString(raw)
    except ParseError:
        return 1
    return sum(len(points.data_points) for _, points in metric.ListFields())


def _alone(group: Group, raw: bytes, _signal: Signal) -> bytes:
    request = schema.Request()
    whole = request.groups.add(resource=group.resource, schema_url=group.resource_schema_url)
    whole.scopes.add(scope=group.scope, records=[raw], schema_url=group.scope_schema_url)
    alone: bytes = request.SerializeToString()
    return alone


def text(value: str | bytes) -> str:
    """A text field as it can be stored; it is bytes when it was not UTF-8."""
    decoded = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return decoded.replace("\x00", "\ufffd") if "\x00" in decoded else decoded


def _trace_id(raw: bytes, malformed: dict[str, Any]) -> str:
    if len(raw) == TRACE_ID_BYTES:
        return "" if raw == _NO_TRACE_ID else raw.hex()
    if raw:
        malformed["trace_id"] = raw.hex()
    return ""


def _span_id(raw: bytes, name: str, malformed: dict[str, Any]) -> str:
    if len(raw) == SPAN_ID_BYTES:
        return "" if raw == _NO_SPAN_ID else raw.hex()
    if raw:
        malformed[name] = raw.hex()
    return ""


def _attributes(raws: Iterable[bytes]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for raw in raws:
        pair = _known.get(raw)
        if pair is None:
            pair = _pair(raw, 1)
            if len(raw) <= _LONGEST_KNOWN and not isinstance(pair[1], dict | list):
                if len(_known) >= _MAX_KNOWN:
                    _known.clear()
                _known[raw] = pair
        attributes[pair[0]] = pair[1]
    return attributes


def _pair(raw: bytes, depth: int) -> tuple[str, Any]:
    try:
        member = schema.KeyValue.FromString(raw)
    except ParseError:
        raise _broken() from None
    return text(member.key), _value(member.value, depth)


def _value(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise too_deep()
    match value.WhichOneof("value"):
        case "string_value":
            return text(value.string_value)
        case "int_value":
            return value.int_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            number = value.double_value
            return number if math.isfinite(number) else not_finite(number)
        case "bytes_value":
            return value.bytes_value
        case "array_value":
            return [
                _value(_parsed(schema.AnyValue, element), depth + 1)
                for element in _parsed(schema.Values, value.array_value).values
            ]
        case "kvlist_value":
            members = _parsed(schema.Values, value.kvlist_value).values
            return dict(_pair(member, depth + 1) for member in members)
    return None


def _parsed(message: Any, raw: bytes) -> Any:
    try:
        return message.FromString(raw)
    except ParseError:
        raise _broken() from None


def _broken() -> Refused:
    return Refused(
        "it is broken: its protobuf ends too early or changes in the middle; send it whole"
    )


def not_finite(number: float) -> str:
    """The name protobuf's JSON has for a number that JSON has not."""
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


PROTOBUF = Wire(_groups, _source, _log, _span, _points, _alone)
