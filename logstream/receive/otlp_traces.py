"""OTLP traces: ExportTraceServiceRequest, in protobuf or JSON."""

from typing import Any

import msgspec

from logstream.model import Decoded, Origins, Span
from logstream.ports import Arrival
from logstream.receive.json_text import is_deeper_than
from logstream.receive.native_values import Refused, too_deep
from logstream.receive.otlp_context import Context, put, put_given
from logstream.receive.otlp_fields import (
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    EventFields,
    LinkFields,
    SpanFields,
    Wire,
)
from logstream.receive.otlp_request import read_each

# By the numbers of Span.SpanKind and Status.StatusCode; an unspecified kind is internal.
KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
_encode = msgspec.json.encode


def decode(arrival: Arrival) -> Decoded:
    """The spans of a request. Raises DecodeError, UnsupportedEncoding."""
    spans, rejects, origins = read_each(arrival, "spans", _read)
    return Decoded([], rejects, spans, span_origins=origins)


def _read(wire: Wire, raw: bytes, context: Context, origins: Origins | None) -> Span:
    fields = wire.span(raw)
    malformed = fields.malformed
    if not fields.trace_id:
        raise _bad_id("traceId", malformed.get("trace_id"), TRACE_ID_BYTES)
    if not fields.span_id:
        raise _bad_id("spanId", malformed.get("span_id"), SPAN_ID_BYTES)
    own = fields.attributes
    service, environment = context.place(own, origins)
    for name, value in malformed.items():
        put(own, name, value)
    kind, status = fields.kind, fields.status_code
    put_given(
        own,
        {
            "otel.trace_state": fields.trace_state,
            "otel.flags": fields.flags,
            "otel.dropped_attributes_count": fields.dropped_attributes_count,
            "otel.dropped_events_count": fields.dropped_events_count,
            "otel.dropped_links_count": fields.dropped_links_count,
            "otel.kind": 0 if 0 <= kind < len(KINDS) else kind,
            "otel.status_code": 0 if 0 <= status < len(STATUSES) else status,
        },
    )
    start = fields.start_time_unix_nano or fields.end_time_unix_nano or context.received_unix_nano
    # A span without an end has not ended as far as anybody knows.
    end = fields.end_time_unix_nano or start
    if origins is not None:
        _explain(fields, context, origins)
    return Span(
        trace_id=fields.trace_id,
        span_id=fields.span_id,
        parent_span_id=fields.parent_span_id or None,
        environment=environment,
        service_name=service,
        name=fields.name,
        kind=KINDS[kind] if 0 <= kind < len(KINDS) else "internal",
        status=STATUSES[status] if 0 <= status < len(STATUSES) else "unset",
        status_message=fields.status_message or None,
        start_unix_nano=start,
        duration_nano=end - start,
        observed_unix_nano=context.received_unix_nano,
        attributes=context.attributes(own),
        events=_array([_event(event) for event in fields.events]) if fields.events else b"[]",
        links=_array([_link(link) for link in fields.links]) if fields.links else b"[]",
    )


def _bad_id(name: str, sent: object, size: int) -> Refused:
    remedy = f"send {size} bytes, which is {2 * size} hexadecimal digits"
    if sent is None:
        return Refused(f"{name} is missing or all zeros; {remedy}")
    return Refused(f"{name} '{str(sent)[:80]}' is not an id; {remedy}")


def _event(event: EventFields) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": event.name,
        # As text, like OTLP's JSON: a browser's numbers do not hold nanoseconds.
        "timeUnixNano": str(event.time_unix_nano),
        "attributes": event.attributes,
    }
    put_given(members, {"droppedAttributesCount": event.dropped_attributes_count})
    return members


def _link(link: LinkFields) -> dict[str, Any]:
    members: dict[str, Any] = {
        "traceId": link.trace_id,
        "spanId": link.span_id,
        "attributes": link.attributes,
    }
    put_given(
        members,
        {
            "traceState": link.trace_state,
            "flags": link.flags,
            "droppedAttributesCount": link.dropped_attributes_count,
        },
    )
    return members


def _array(members: list[dict[str, Any]]) -> bytes:
    encoded = _encode(members)
    if is_deeper_than(encoded):
        raise too_deep()
    return encoded


def _explain(fields: SpanFields, context: Context, origins: Origins) -> None:
    """Where the fields came from that nothing has been said of yet."""
    usual = {
        "trace_id": "traceId",
        "span_id": "spanId",
        "name": "name",
        "kind": "kind",
        "status": "status.code",
        "start_unix_nano": "startTimeUnixNano"
        if fields.start_time_unix_nano
        else "endTimeUnixNano"
        if fields.end_time_unix_nano
        else "time of receipt",
        "duration_nano": "endTimeUnixNano - startTimeUnixNano",
        "observed_unix_nano": "time of receipt",
        "attributes": "attributes of the span, its resource and scope",
        "events": "events",
        "links": "links",
        **context.origins,
    }
    usual.setdefault("service_name", "nothing said")
    usual.setdefault("environment", "LOGSTREAM_DEFAULT_ENVIRONMENT")
    if fields.parent_span_id:
        usual["parent_span_id"] = "parentSpanId"
    if fields.status_message:
        usual["status_message"] = "status.message"
    for name, origin in usual.items():
        origins.setdefault(name, origin)
