"""Loki's PushRequest as a protobuf message, built from its fields at import.

Texts are declared as bytes, which is the same on the wire: a line that is not UTF-8 must not
cost the whole request.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "logstream.loki"
_TYPES = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "int32": FieldDescriptorProto.TYPE_INT32,
}
# message -> its fields in the order of their numbers; `*` marks those that repeat.
_MESSAGES = {
    "Timestamp": (("seconds", "int64"), ("nanos", "int32")),
    "Pair": (("name", "bytes"), ("value", "bytes")),
    "Entry": (("timestamp", "Timestamp"), ("line", "bytes"), ("metadata", "*Pair")),
    "Stream": (("labels", "bytes"), ("entries", "*Entry")),
    "Push": (("streams", "*Stream"),),
}


class NotProtobuf(ValueError):
    """The bytes are no PushRequest; the message says why."""


def read_push(body: bytes) -> Any:
    """The message: streams[].labels, .entries[].timestamp, .line, .metadata[]."""
    try:
        return _Push.FromString(body)
    except DecodeError as error:
        raise NotProtobuf(str(error)) from None


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="logstream/loki.proto", package=_PACKAGE, syntax="proto3")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, (name, kind) in enumerate(fields, start=1):
            field = message.field.add(name=name, number=number)
            repeats, kind = kind.startswith("*"), kind.removeprefix("*")
            field.label = (
                FieldDescriptorProto.LABEL_REPEATED
                if repeats
                else FieldDescriptorProto.LABEL_OPTIONAL
            )
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{kind}"
    return file


def _push_class() -> Any:
    pool = DescriptorPool()
    pool.Add(_file())
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Push"))


_Push = _push_class()
