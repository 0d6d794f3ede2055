"""OTLP requests as OpenTelemetry's own messages write them, in both encodings."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Literal

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from logstream.ports import Arrival

Encoding = Literal["protobuf", "json"]
CONTENT_TYPES: dict[Encoding, str] = {
    "protobuf": "application/x-protobuf",
    "json": "application/json",
}
RESOURCE = {"service.name": "checkout", "deployment.environment.name": "lab", "host.name": "web-1"}
NANO = 1_769_868_300_123_456_789  # 2026-01-31T14:05:00.123456789Z
TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"
RECEIVED = NANO + 10_000_000_000


def arrival(body: bytes, encoding: Encoding, *, wants_origins: bool = False) -> Arrival:
    """A body as the door hands it over."""
    return Arrival(
        body,
        RECEIVED,
        "production",
        content_type=CONTENT_TYPES[encoding],
        wants_origins=wants_origins,
    )


def value(content: object) -> AnyValue:
    """The AnyValue of a Python value; None is an unset one."""
    made = AnyValue()
    match content:
        case bool():
            made.bool_value = content
        case str():
            made.string_value = content
        case int():
            made.int_value = content
        case float():
            made.double_value = content
        case bytes():
            made.bytes_value = content
        case list():
            made.array_value.values.extend(value(element) for element in content)
            made.array_value.SetInParent()
        case dict():
            made.kvlist_value.values.extend(attributes(content))
            made.kvlist_value.SetInParent()
    return made


def attributes(members: Mapping[str, object]) -> list[KeyValue]:
    """The members as OTLP attributes."""
    return [KeyValue(key=name, value=value(content)) for name, content in members.items()]


def logs(
    *records: Mapping[str, Any],
    resource: Mapping[str, object] = RESOURCE,
    scope: Mapping[str, Any] | None = None,
) -> ExportLogsServiceRequest:
    """A request of log records: their fields, with body and attributes as Python values."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes(resource))
    scope_group = group.scope_logs.add()
    _fill(scope_group.scope, scope or {})
    for record in records:
        _fill(scope_group.log_records.add(), record)
    return request


def traces(
    *spans: Mapping[str, Any], resource: Mapping[str, object] = RESOURCE
) -> ExportTraceServiceRequest:
    """A request of spans, likewise; events and links are lists of such fields."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes(resource))
    scope_group = group.scope_spans.add()
    scope_group.scope.name = "shop.http"
    for span in spans:
        _fill(scope_group.spans.add(), span)
    return request


def encoded(request: Message, encoding: Encoding) -> bytes:
    """The request's body."""
    if encoding == "protobuf":
        return request.SerializeToString()
    return json.dumps(
        _with_hexadecimal_ids(MessageToDict(request, use_integers_for_enums=True))
    ).encode()


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    for name, content in fields.items():
        match name:
            case "attributes":
                message.attributes.extend(attributes(content))
            case "body":
                message.body.CopyFrom(value(content))
            case "events" | "links":
                for inner in content:
                    _fill(getattr(message, name).add(), inner)
            case "status":
                _fill(message.status, content)
            case "trace_id" | "span_id" | "parent_span_id":
                setattr(message, name, bytes.fromhex(content))
            case _:
                setattr(message, name, content)


def _with_hexadecimal_ids(content: Any) -> Any:
    if isinstance(content, list):
        return [_with_hexadecimal_ids(element) for element in content]
    if not isinstance(content, dict):
        return content
    return {
        name: base64.b64decode(inner).hex()
        if name in ("traceId", "spanId", "parentSpanId")
        else _with_hexadecimal_ids(inner)
        for name, inner in content.items()
    }
