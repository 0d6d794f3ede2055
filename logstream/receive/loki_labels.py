"""Loki's labels and structured metadata: what they say of a line, and what stays of them."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from logstream.model import Origins
from logstream.receive.json_text import clean_text, merged
from logstream.receive.native_values import INFO, MAX_NAME_CHARS, Refused, id_text, normal_id
from logstream.receive.object_record import UNKNOWN_SERVICE
from logstream.receive.severity import own_word, severity_number

# The names that become a field of the record, the first counts. What collectors name by
# themselves is a fallback: the line's own word for its service goes before it, so it stays
# an attribute.
_NAMES_OF_FIELD = {
    "service_name": "service_name service.name service app application app_kubernetes_io_name",
    "fallback_service": "job container",
    "environment": "deployment_environment_name deployment.environment.name "
    "deployment_environment deployment.environment environment env",
    "severity": "level severity severity_text lvl detected_level",
    "trace_id": "trace_id traceId traceID TraceID traceid",
    "span_id": "span_id spanId spanID SpanID spanid",
}
_FIELD_AND_RANK = {
    name: (field, rank)
    for field, names in _NAMES_OF_FIELD.items()
    for rank, name in enumerate(names.split())
}
_RECORD_FIELD = {"fallback_service": "service_name", "severity": "severity_number"}
# An exception in structured metadata, as winston and OpenTelemetry's exporter to Loki name it.
_EXCEPTION_NAMES = {
    "stack": "exception.stacktrace",
    "exception_stacktrace": "exception.stacktrace",
    "exception_type": "exception.type",
    "exception_message": "exception.message",
}

_LABEL = re.compile(
    r'\s*([A-Za-z_][\w:.-]*|"(?:[^"\\]|\\.)*")\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*(?:,|(?=\}))',
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_IDS = ("trace_id", "span_id")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_encode = msgspec.json.encode


class Envelope(msgspec.Struct, frozen=True):
    """What labels and structured metadata say of a line.

    `rest` are the labels that became no field, `attributes` the same as JSON text;
    `severity_number` is 0 when no level is given.
    """

    service_name: str | None = None
    fallback_service: str | None = None
    environment: str | None = None
    severity: str | None = None
    severity_number: int = 0
    severity_text: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    rest: Mapping[str, Any] = {}
    attributes: bytes = b"{}"
    origins: Origins = {}


def parse_labels(text: str) -> dict[str, str]:
    """The labels of `{app="pay", level="info"}`, values quoted as Go quotes. Raises Refused."""
    labels: dict[str, str] = {}
    stripped = text.strip()
    position = 1
    while match := _LABEL.match(stripped, position):
        name, value = match[1], match[2]
        labels[_unquoted(name) if name[0] == '"' else name] = _unquoted(value)
        position = match.end()
    if stripped[:1] != "{" or stripped[position:].strip() != "}":
        raise Refused(
            f"labels '{clean_text(text[:80])}' cannot be read near character {position}; "
            'write {name="value", ...}'
        )
    return labels


def envelope_of(
    labels: Mapping[str, Any], kind: str = "label", stream: Envelope | None = None
) -> Envelope:
    """What the labels say; or the structured metadata of a line, beside its stream's labels.

    Labels go before structured metadata, except for ids. `kind` names them in origins.
    """
    rest = dict(labels)
    taken: dict[str, tuple[int, str, str]] = {}
    for name, value in labels.items():
        known = _FIELD_AND_RANK.get(name)
        if known is None:
            continue
        field, rank = known
        text = _text_of(field, name, value)
        if text and (field not in taken or rank < taken[field][0]):
            taken[field] = rank, name, text
    values: dict[str, str] = {}
    origins: Origins = {}
    for field, (_, name, text) in taken.items():
        of_stream = None if stream is None or field in _IDS else getattr(stream, field)
        if field != "fallback_service" and of_stream in (None, text):
            del rest[name]
        if of_stream is None:
            values[field] = text
            origins[_RECORD_FIELD.get(field, field)] = f'{kind} "{name}"'
    for name, better in _EXCEPTION_NAMES.items():
        if name in rest and better not in rest:
            rest[better] = rest.pop(name)
    fields: dict[str, Any] = {**values, "origins": origins}
    if word := values.get("severity"):
        number = severity_number(word)
        fields["severity_number"] = number or INFO
        fields["severity_text"] = own_word(word, number) if number else word
    if stream is None:
        return Envelope(**fields, rest=rest, attributes=_encode(rest))
    kept = {**stream.rest}
    extra: dict[str, Any] = {}
    for name, value in rest.items():
        if name in kept and kept[name] == value:
            continue
        while name in kept:
            name = f"field_{name}"
        kept[name] = extra[name] = value
    fields["origins"] = {**stream.origins, **origins}
    return msgspec.structs.replace(
        stream, **fields, rest=kept, attributes=merged(stream.attributes, extra)
    )


def _text_of(field: str, name: str, value: object) -> str | None:
    """The value where it can be the field's; what Loki guesses without knowing cannot."""
    if field in _IDS:
        text = id_text(value)
        return None if text is None else normal_id(text)
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        return None
    text = value.strip()
    is_unknown = text == UNKNOWN_SERVICE or (name == "detected_level" and text == "unknown")
    return None if is_unknown else text


def _unquoted(quoted: str) -> str:
    inside = quoted[1:-1]
    if quoted[0] == "`" or "\\" not in inside:
        return clean_text(inside)
    return clean_text(_ESCAPE.sub(_meant, inside))


def _meant(match: re.Match[str]) -> str:
    byte, short, long, octal, other = match.groups()
    digits = byte or short or long
    if digits or octal:
        point = int(digits, 16) if digits else int(octal, 8)
        return chr(point) if point <= 0x10FFFF else "\ufffd"
    return _ESCAPED.get(other, other)
