"""OTLP in JSON: from text to the fields of `otlp_fields`.

The specification's spelling is read, and what hand-written senders make of it: names in
snake_case, enums by name, ids in base64 as protobuf's own JSON has them, attributes as a plain
object, values without their type. Unknown members are ignored.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from logstream.errors import DecodeError
from logstream.receive.json_text import MAX_DEPTH, clean_json, clean_text
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
from logstream.receive.severity import severity_number

_RECORDS: dict[Signal, str] = {"logs": "logRecords", "spans": "spans", "metrics": "metrics"}
_SUFFIXES: dict[Signal, str] = {"logs": "Logs", "spans": "Spans", "metrics": "Metrics"}
_KIND_WORDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS_WORDS = ("unset", "ok", "error")
_LONGEST_INT = 4_000
_END_NANO = 2**64
_WHOLE = re.compile(r"-?\d{1,4000}", re.ASCII).fullmatch
_HEX = re.compile(r"[0-9a-fA-F]*").fullmatch
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


def _groups(body: bytes, signal: Signal) -> Iterator[Group]:
    text = clean_json(body.removeprefix(b"\xef\xbb\xbf").strip(_EDGES))
    suffix = _SUFFIXES[signal]
    try:
        # One request, or one a line as the collector's file exporter writes them.
        for request in _requests_in(text):
            for group in _list(request, f"resource{suffix}"):
                members = _members(group)
                for scope_group in _list(members, f"scope{suffix}"):
                    inner = _members(scope_group)
                    yield Group(
                        bytes(members.get("resource", b"null")),
                        _text(_value_of(members.get("schemaUrl"))),
                        bytes(inner.get("scope", b"null")),
                        _text(_value_of(inner.get("schemaUrl"))),
                        [bytes(record) for record in _list(inner, _RECORDS[signal])],
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
    return [_camel_names(request) for request in requests if request]


def _source(group: Group) -> Source:
    resource, scope = _object(group.resource), _object(group.scope)
    return Source(
        _attributes(resource.get("attributes")),
        _int(resource.get("droppedAttributesCount"), "droppedAttributesCount"),
        group.resource_schema_url,
        _text(scope.get("name")),
        _text(scope.get("version")),
        _attributes(scope.get("attributes")),
        _int(scope.get("droppedAttributesCount"), "droppedAttributesCount"),
        group.scope_schema_url,
    )


def _log(raw: bytes) -> LogFields:
    get = _object(raw).get
    malformed: dict[str, Any] = {}
    return LogFields(
        _nano(get("timeUnixNano"), "timeUnixNano"),
        _nano(get("observedTimeUnixNano"), "observedTimeUnixNano"),
        _severity(get("severityNumber")),
        _text(get("severityText")),
        _value(get("body"), 1),
        _attributes(get("attributes")),
        _int(get("droppedAttributesCount"), "droppedAttributesCount"),
        _int(get("flags"), "flags"),
        _id(get("traceId"), TRACE_ID_BYTES, "trace_id", malformed),
        _id(get("spanId"), SPAN_ID_BYTES, "span_id", malformed),
        _text(get("eventName")),
        malformed,
    )


def _span(raw: bytes) -> SpanFields:
    fields = _object(raw)
    get = fields.get
    malformed: dict[str, Any] = {}
    status = _inner(get("status"), "status")
    return SpanFields(
        _id(get("traceId"), TRACE_ID_BYTES, "trace_id", malformed),
        _id(get("spanId"), SPAN_ID_BYTES, "span_id", malformed),
        _id(get("parentSpanId"), SPAN_ID_BYTES, "parent_span_id", malformed),
        _text(get("traceState")),
        _text(get("name")),
        _enum(get("kind"), "kind", "span_kind_", _KIND_WORDS),
        _nano(get("startTimeUnixNano"), "startTimeUnixNano"),
        _nano(get("endTimeUnixNano"), "endTimeUnixNano"),
        _attributes(get("attributes")),
        _int(get("droppedAttributesCount"), "droppedAttributesCount"),
        [_event(event) for event in _objects(get("events"), "events")],
        _int(get("droppedEventsCount"), "droppedEventsCount"),
        [_link(link) for link in _objects(get("links"), "links")],
        _int(get("droppedLinksCount"), "droppedLinksCount"),
        _enum(status.get("code"), "status.code", "status_code_", _STATUS_WORDS),
        _text(status.get("message")),
        _int(get("flags"), "flags"),
        malformed,
    )


def _event(event: dict[str, Any]) -> EventFields:
    return EventFields(
        _nano(event.get("timeUnixNano"), "timeUnixNano of an event"),
        _text(event.get("name")),
        _attributes(event.get("attributes")),
        _int(event.get("droppedAttributesCount"), "droppedAttributesCount"),
    )


def _link(link: dict[str, Any]) -> LinkFields:
    odd: dict[str, Any] = {}
    trace_id = _id(link.get("traceId"), TRACE_ID_BYTES, "trace_id", odd)
    span_id = _id(link.get("spanId"), SPAN_ID_BYTES, "span_id", odd)
    return LinkFields(
        trace_id or _text(odd.get("trace_id")),
        span_id or _text(odd.get("span_id")),
        _text(link.get("traceState")),
        _attributes(link.get("attributes")),
        _int(link.get("droppedAttributesCount"), "droppedAttributesCount"),
        _int(link.get("flags"), "flags"),
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
        and isinstance(points := _camel_names(data).get("dataPoints"), list)
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
    return _camel_names(_decode_members(raw) or {})


def _list(members: dict[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    return _decode_list(members[name]) or [] if name in members else []


def _value_of(raw: msgspec.Raw | None) -> Any:
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
        raise Refused(f"{name} is {_shown(value)}; send an object")
    return _camel_names(value)


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(f"{name} is {_shown(value)}; send an array")
    return [_inner(element, f"one of {name}") for element in value]


def _camel_names(members: dict[str, Any]) -> dict[str, Any]:
    """The members under the names of the specification; of two spellings the first counts."""
    for name in members:
        if "_" in name:
            break
    else:
        return members
    renamed: dict[str, Any] = {}
    for name, value in members.items():
        renamed.setdefault(_camel(name), value)
    return renamed


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _attributes(value: Any) -> dict[str, Any]:
    return {} if not value else _kvlist(value, 0)


def _kvlist(value: Any, depth: int) -> dict[str, Any]:
    """The members of an array of {key, value}, or of a plain object."""
    if isinstance(value, dict):
        return {str(name): _value(inner, depth + 1) for name, inner in value.items()}
    if not isinstance(value, list):
        raise Refused(f"attributes are {_shown(value)}; send an array of key and value")
    attributes: dict[str, Any] = {}
    for member in value:
        if type(member) is not dict:
            raise Refused(f"an attribute is {_shown(member)}; send an object of key and value")
        key, inner = member.get("key"), member.get("value")
        # What nearly every attribute is.
        if type(inner) is dict and len(inner) == 1 and type(inner.get("stringValue")) is str:
            inner = inner["stringValue"]
        else:
            inner = _value(inner, depth + 1)
        attributes[key if type(key) is str else _text(key)] = inner
    return attributes


def _value(value: Any, depth: int) -> Any:
    """A Python value of an AnyValue, or of bare JSON where one should be. Raises Refused."""
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(value, dict):
        if not value:
            return None
        for name in value:
            read = _READERS.get(name)
            if read is not None:
                return read(value[name], depth)
        return {name: _value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_value(element, depth + 1) for element in value]
    return value


def _bool_value(value: Any, _depth: int) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _int_value(value: Any, _depth: int) -> Any:
    if isinstance(value, str) and _WHOLE(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _double_value(value: Any, _depth: int) -> Any:
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value


def _array_value(value: Any, depth: int) -> Any:
    values = value.get("values") if isinstance(value, dict) else value
    return [_value(element, depth + 1) for element in values] if isinstance(values, list) else []


def _kvlist_value(value: Any, depth: int) -> Any:
    if isinstance(value, dict) and "values" in value:
        value = value["values"]
    return _kvlist(value, depth) if value else {}


def _bytes_value(value: Any, _depth: int) -> Any:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        return value


_READERS = {
    "stringValue": lambda value, _depth: _text(value),
    "boolValue": _bool_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "arrayValue": _array_value,
    "kvlistValue": _kvlist_value,
    "bytesValue": _bytes_value,
}
_READERS.update({re.sub("V", "_v", name): read for name, read in _READERS.items()})


def _id(value: Any, size: int, name: str, malformed: dict[str, Any]) -> str:
    if not value:
        return ""
    if type(value) is str:
        bare = value.strip()
        # Base64 of either size ends in a padding, which no hexadecimal text has.
        if bare.endswith("=") and len(bare) == (size + 2) // 3 * 4:
            try:
                bare = base64.b64decode(bare, validate=True).hex()
            except binascii.Error:
                bare = value
        else:
            bare = bare.replace("-", "")
        if len(bare) == 2 * size and _HEX(bare):
            return bare.lower() if bare.strip("0") else ""
    malformed[name] = value
    return ""


def _severity(value: Any) -> int:
    if isinstance(value, str) and not _WHOLE(value):
        return severity_number(value.lower().removeprefix("severity_number_")) or 0
    return _int(value, "severityNumber")


def _enum(value: Any, name: str, prefix: str, words: tuple[str, ...]) -> int:
    if isinstance(value, str):
        word = value.lower().removeprefix(prefix)
        if word in words:
            return words.index(word)
    return _int(value, name)


def _int(value: Any, name: str) -> int:
    if type(value) is int:
        return value
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _WHOLE(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Refused(f"{name} {_shown(value)} is not a whole number; send one")


def _nano(value: Any, name: str) -> int:
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= 20:
        number = int(value)
    else:
        number = _int(value, name)
    if not 0 <= number < _END_NANO:
        raise Refused(f"{name} {_shown(value)} is no time; send nanoseconds since 1970")
    return number


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{clean_text(text[:80])}'"


JSON = Wire(_groups, _source, _log, _span, _points, _alone)
