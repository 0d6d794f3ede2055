"""OTLP's protobuf messages as we read them: its field numbers, in a shape of our own.

Compared with opentelemetry-proto, three things differ on the wire's reading side only. Records,
attributes and nested values are `bytes`, parsed one by one: a broken one costs no neighbour,
attributes seen before need no parsing, and nothing limits the depth but our own check. The
syntax is proto2, whose text fields come back as bytes when they are not UTF-8, instead of failing
the whole body. Logs, traces and metrics share one envelope, since their numbers are the same.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "logstream.otlp"
_TYPES = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "fixed32": FieldDescriptorProto.TYPE_FIXED32,
    "fixed64": FieldDescriptorProto.TYPE_FIXED64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
}

# Message: {field: (number, type)}; `[]` after a type is repeated. Enums are read as int32, so
# that a number nobody knows yet is seen.
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Request": {"groups": (1, "Group[]")},
    "Group": {"resource": (1, "bytes"), "scopes": (2, "ScopeGroup[]"), "schema_url": (3, "string")},
    "ScopeGroup": {"scope": (1, "bytes"), "records": (2, "bytes[]"), "schema_url": (3, "string")},
    "Resource": {"attributes": (1, "bytes[]"), "dropped_attributes_count": (2, "uint32")},
    "Scope": {
        "name": (1, "string"),
        "version": (2, "string"),
        "attributes": (3, "bytes[]"),
        "dropped_attributes_count": (4, "uint32"),
    },
    "AnyValue": {
        "string_value": (1, "string"),
        "bool_value": (2, "bool"),
        "int_value": (3, "int64"),
        "double_value": (4, "double"),
        "array_value": (5, "bytes"),
        "kvlist_value": (6, "bytes"),
        "bytes_value": (7, "bytes"),
    },
    "KeyValue": {"key": (1, "string"), "value": (2, "AnyValue")},
    "Values": {"values": (1, "bytes[]")},
    "LogRecord": {
        "time_unix_nano": (1, "fixed64"),
        "severity_number": (2, "int32"),
        "severity_text": (3, "string"),
        "body": (5, "AnyValue"),
        "attributes": (6, "bytes[]"),
        "dropped_attributes_count": (7, "uint32"),
        "flags": (8, "fixed32"),
        "trace_id": (9, "bytes"),
        "span_id": (10, "bytes"),
        "observed_time_unix_nano": (11, "fixed64"),
        "event_name": (12, "string"),
    },
    "Span": {
        "trace_id": (1, "bytes"),
        "span_id": (2, "bytes"),
        "trace_state": (3, "string"),
        "parent_span_id": (4, "bytes"),
        "name": (5, "string"),
        "kind": (6, "int32"),
        "start_time_unix_nano": (7, "fixed64"),
        "end_time_unix_nano": (8, "fixed64"),
        "attributes": (9, "bytes[]"),
        "dropped_attributes_count": (10, "uint32"),
        "events": (11, "Event[]"),
        "dropped_events_count": (12, "uint32"),
        "links": (13, "Link[]"),
        "dropped_links_count": (14, "uint32"),
        "status": (15, "Status"),
        "flags": (16, "fixed32"),
    },
    "Event": {
        "time_unix_nano": (1, "fixed64"),
        "name": (2, "string"),
        "attributes": (3, "bytes[]"),
        "dropped_attributes_count": (4, "uint32"),
    },
    "Link": {
        "trace_id": (1, "bytes"),
        "span_id": (2, "bytes"),
        "trace_state": (3, "string"),
        "attributes": (4, "bytes[]"),
        "dropped_attributes_count": (5, "uint32"),
        "flags": (6, "fixed32"),
    },
    "Status": {"message": (2, "string"), "code": (3, "int32")},
    # Of a metric only the number of its points matters to us.
    "Metric": {
        "gauge": (5, "Points"),
        "sum": (7, "Points"),
        "histogram": (9, "Points"),
        "exponential_histogram": (10, "Points"),
        "summary": (11, "Points"),
    },
    "Points": {"data_points": (1, "bytes[]")},
    # What we answer: Export*ServiceResponse and google.rpc.Status.
    "Response": {"partial_success": (1, "PartialSuccess")},
    "PartialSuccess": {"rejected": (1, "int64"), "error_message": (2, "string")},
    "RpcStatus": {"code": (1, "int32"), "message": (2, "string")},
}


def _message_classes() -> dict[str, Any]:
    file = FileDescriptorProto(name="logstream/otlp.proto", package=_PACKAGE, syntax="proto2")
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        if message_name == "AnyValue":
            message.oneof_decl.add(name="value")
        for name, (number, type_name) in fields.items():
            bare = type_name.removesuffix("[]")
            field = message.field.add(
                name=name,
                number=number,
                label=FieldDescriptorProto.LABEL_OPTIONAL
                if bare == type_name
                else FieldDescriptorProto.LABEL_REPEATED,
            )
            if bare in _TYPES:
                field.type = _TYPES[bare]
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{bare}"
            if message_name == "AnyValue":
                field.oneof_index = 0
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in MESSAGES
    }


_classes = _message_classes()
Request = _classes["Request"]
Resource = _classes["Resource"]
Scope = _classes["Scope"]
AnyValue = _classes["AnyValue"]
KeyValue = _classes["KeyValue"]
Values = _classes["Values"]
LogRecord = _classes["LogRecord"]
Span = _classes["Span"]
Metric = _classes["Metric"]
Response = _classes["Response"]
RpcStatus = _classes["RpcStatus"]
