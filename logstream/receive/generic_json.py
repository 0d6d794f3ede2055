"""Any other JSON: whatever objects a logger posts, forgivingly; also forms, msgpack and text.

What is in the body tells how it is read; Content-Type only where bodies look alike.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins
from logstream.ports import Arrival
from logstream.receive.form_record import object_of_form, with_message
from logstream.receive.json_bodies import (
    BOM,
    EDGES,
    REMEDY,
    pieces_of,
    records_of,
)
from logstream.receive.json_text import clean_json, clean_text
from logstream.receive.mapping import PARAMETERS, FieldMapping, mapping_of
from logstream.receive.message_pack import Unreadable, array_length, with_binary_texts
from logstream.receive.native_values import Defaults, Refused, kind_of
from logstream.receive.object_record import Given, record_of_object, record_of_text
from logstream.receive.record_limit import check_count, check_lines, check_values
from logstream.receive.text_shapes.header import without_colours

FORM = "application/x-www-form-urlencoded"
MSGPACK = frozenset(("application/msgpack", "application/x-msgpack", "application/vnd.msgpack"))
_NO_MAPPING = FieldMapping({}, None, None, {}, False, {})
_MAX_FORM_FIELDS = 1_000
# What a query may hold beside a form that must not be stored: it lets the sender in.
_KEY_NAMES = frozenset(("api_key", "apikey", "api-key", "dd-api-key", "token", "access_token"))
_AXIOM = "/v1/datasets/"

# Properly encoded, a form has no spaces; curl calls anything a form.
_ENCODED_FORM = re.compile(rb"[^\s={\[]+=\S*")
# pino-http-send posts {"logs": […]}.
_ENVELOPE = re.compile(rb'\{\s*"(?:logs|events|records|entries)"\s*:\s*\[')
_decode_envelope = msgspec.json.Decoder(dict[str, list[msgspec.Raw]]).decode
_raw = msgspec.json.Decoder(msgspec.Raw)

# A record of one piece of a body, and where its fields came from.
_Read = Callable[[bytes, Origins | None], LogRecord]


def decode(arrival: Arrival) -> Decoded:
    """Records and rejects of a body; an index counts the array's elements or the lines.

    A GET brings its form in the query. Raises DecodeError when the body cannot be read as a whole.
    """
    body, kind = arrival.body, arrival.content_type
    if kind in MSGPACK:
        objects = _msgpack_objects(body, arrival.max_records)
        return records_of(objects, object_reader(arrival), wants_origins=arrival.wants_origins)
    body = body.removeprefix(BOM).strip(EDGES)
    if not body:
        if arrival.parameters.keys() & {"msg", "message"}:
            fields = {
                name: value
                for name, value in arrival.parameters.items()
                if name not in PARAMETERS and name.lower() not in _KEY_NAMES
            }
            form = [object_of_form(fields)]
            return records_of(form, object_reader(arrival), wants_origins=arrival.wants_origins)
        raise DecodeError("the body is empty", REMEDY)
    if kind == FORM and _ENCODED_FORM.fullmatch(body):
        return records_of(
            [_form(body)], object_reader(arrival), wants_origins=arrival.wants_origins
        )
    body = clean_json(body)
    if _is_text(body, kind):
        check_lines(body, arrival.max_records)
        lines = [line.removesuffix(b"\r") for line in body.split(b"\n") if line.strip()]
        return records_of(lines, line_reader(arrival), wants_origins=arrival.wants_origins)
    most = arrival.max_records
    pieces = [inner for piece in pieces_of(body, most) for inner in _elements(piece, most)]
    check_count(len(pieces), most)
    return records_of(pieces, object_reader(arrival), wants_origins=arrival.wants_origins)


def object_reader(arrival: Arrival) -> _Read:
    """Reads a JSON value: an object as the logger's, a string as a line of text."""
    defaults, mapping, given = _context(arrival)
    wanted = mapping.wanted or None

    def read(piece: bytes, origins: Origins | None) -> LogRecord:
        if piece[:1] == b'"':
            record = record_of_text(msgspec.json.decode(piece, type=str), defaults, given, origins)
        elif piece[:1] != b"{":
            kind = kind_of(piece) if piece[:1] in b"[tfn-0123456789" else "no JSON"
            raise Refused(f"it is {kind}; send an object")
        else:
            record = record_of_object(with_message(piece), defaults, given, origins, wanted)
        return _decolorized(record) if mapping.is_decolorized else record

    return read


def line_reader(arrival: Arrival) -> _Read:
    """Reads a line of text, or the JSON object that it is."""
    defaults, mapping, given = _context(arrival)
    read_object = object_reader(arrival)

    def read(line: bytes, origins: Origins | None) -> LogRecord:
        if line[:1] == b"{":
            try:
                return read_object(line, origins)
            except (Refused, ValueError):
                pass  # a text that begins with a brace
        record = record_of_text(line.decode(), defaults, given, origins)
        return _decolorized(record) if mapping.is_decolorized else record

    return read


def _context(arrival: Arrival) -> tuple[Defaults, FieldMapping, Given]:
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    mapping = mapping_of(arrival) or _NO_MAPPING
    attributes: dict[str, Any] = dict(mapping.extra)
    dataset = None
    if arrival.path.startswith(_AXIOM):
        dataset = attributes["dataset"] = clean_text(arrival.path.split("/")[3])
    given = Given(
        service_name=mapping.service,
        environment=mapping.environment,
        fallback_service=dataset,
        attributes=attributes,
        origins=dict(mapping.origins),
    )
    return defaults, mapping, given


def _elements(piece: bytes, most: int) -> list[bytes]:
    """The records of an object that is nothing but the envelope of an array, else the piece."""
    envelope = _ENVELOPE.match(piece)
    if envelope is not None:
        check_values(piece[envelope.end() - 1 :], most)
        with suppress(msgspec.DecodeError, RecursionError):
            members = _decode_envelope(piece)
            if len(members) == 1:
                check_count(sum(map(len, members.values())), most)
                return [bytes(element) for array in members.values() for element in array]
    return [piece]


def _decolorized(record: LogRecord) -> LogRecord:
    if "\x1b" not in record.body:
        return record
    return msgspec.structs.replace(record, body=without_colours(record.body))


def _is_text(body: bytes, kind: str) -> bool:
    """True for lines of text; `[warn] slow` begins like an array."""
    if "json" in kind:
        return False
    if kind != "text/plain" and body[:1] in (b"{", b"["):
        return False
    try:
        _raw.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False


def _form(body: bytes) -> bytes:
    try:
        fields = dict(
            parse_qsl(
                body.decode("utf-8", "replace"),
                keep_blank_values=True,
                max_num_fields=_MAX_FORM_FIELDS,
            )
        )
    except ValueError:
        raise DecodeError(
            f"the form has more than {_MAX_FORM_FIELDS} fields", "send fewer, or JSON"
        ) from None
    if not fields:
        raise DecodeError("the form has no fields", "send name=value pairs, or JSON")
    return object_of_form(fields)


def _ext(code: int, data: memoryview) -> str:
    return f"ext {code}: {data.hex()}"


_decode_msgpack = msgspec.msgpack.Decoder(ext_hook=_ext).decode


def _msgpack_objects(body: bytes, most: int) -> list[bytes]:
    check_count(array_length(body), most)
    try:
        try:
            value = _decode_msgpack(body)
        except UnicodeDecodeError:
            value = _decode_msgpack(with_binary_texts(body))
        values = value if isinstance(value, list) else [value]
        return [clean_json(msgspec.json.encode(_plain(value))) for value in values]
    except (msgspec.DecodeError, ValueError, RecursionError, Unreadable) as error:
        raise DecodeError(
            f"the body is not valid msgpack: {error}", "send an array of maps, or JSON"
        ) from None


def _plain(value: Any) -> Any:
    """A msgpack value as JSON can say it."""
    if isinstance(value, dict):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _key(key: Any) -> str:
    plain = _plain(key)
    return plain if isinstance(plain, str) else str(plain)
