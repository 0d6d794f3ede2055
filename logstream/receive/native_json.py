"""Our own API's bodies: one object, an array, or one object a line (NDJSON).

Good bodies take the fast path: one typed decode, metadata kept as bytes. A body with
anything unusual is read again record by record, so that a bad one never costs its neighbours.
"""

from json import JSONDecodeError, JSONDecoder

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject
from logstream.ports import Arrival
from logstream.receive.json_text import MAX_DEPTH, array_elements, clean_json
from logstream.receive.native_origins import origins_of
from logstream.receive.native_record import Wire, record_from_json, records_from_wires
from logstream.receive.native_values import Defaults, Refused

MAX_REJECT_BYTES = 8192
_BOM = b"\xef\xbb\xbf"
_EDGES = b" \t\r\n\x00\x1e"
_REMEDY = "send one JSON object, an array of objects, or one object a line"

_wire = msgspec.json.Decoder(Wire)
_wires = msgspec.json.Decoder(list[Wire])
_raw = msgspec.json.Decoder(msgspec.Raw)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_splitter = JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=str)


def decode(arrival: Arrival) -> Decoded:
    """Records and rejects of a body; an index counts the array's elements or the lines.

    Blank lines are not counted. Raises DecodeError when the body as a whole is not JSON.
    """
    body = clean_json(arrival.body.removeprefix(_BOM).strip(_EDGES))
    if not body:
        raise DecodeError("the body is empty", _REMEDY)
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    if arrival.wants_origins:
        return _one_by_one(body, defaults, wants_origins=True)
    try:
        wires = _wires.decode(body) if body[:1] == b"[" else _wire.decode_lines(body)
        return Decoded(records_from_wires(wires, defaults))
    except (msgspec.DecodeError, Refused, RecursionError):
        return _one_by_one(body, defaults)


def _one_by_one(body: bytes, defaults: Defaults, *, wants_origins: bool = False) -> Decoded:
    records: list[LogRecord] = []
    origins: list[Origins] = []
    rejects: list[Reject] = []
    for index, piece in enumerate(_pieces(body)):
        try:
            record = _record(piece, defaults)
            records.append(record)
            if wants_origins:
                origins.append(origins_of(piece, record))
            continue
        except Refused as refused:
            error = str(refused)
        except ValueError as malformed:
            error = f"it is not valid JSON ({malformed}); {_REMEDY}"
        except RecursionError:
            error = f"it is nested deeper than {MAX_DEPTH} levels; flatten it"
        rejects.append(Reject(index, f"record {index}: {error}", piece[:MAX_REJECT_BYTES]))
    return Decoded(records, rejects, origins=origins)


def _record(piece: bytes, defaults: Defaults) -> LogRecord:
    try:
        return records_from_wires([_wire.decode(piece)], defaults)[0]
    except (msgspec.DecodeError, RecursionError):
        return record_from_json(piece, defaults)


def _pieces(body: bytes) -> list[bytes]:
    """The JSON text of each record, or what should have been one. Raises DecodeError."""
    if body[:1] == b"[":
        try:
            return [bytes(element) for element in _raw_array.decode(body)]
        except RecursionError:
            return array_elements(body)
        except msgspec.DecodeError:
            return _values(body)
    values = _values_of_line(body)
    if values is not None:
        return values
    lines = [line for line in map(bytes.strip, body.split(b"\n")) if line]
    found = [_values_of_line(line) for line in lines]
    if all(values is None for values in found):
        return _values(body)
    return [
        piece
        for line, values in zip(lines, found, strict=True)
        for piece in ([line] if values is None else values)
    ]


def _values_of_line(text: bytes) -> list[bytes] | None:
    """The values that stand back to back in well-formed text; None when it is not."""
    try:
        return [bytes(value) for value in _raw.decode_lines(text)]
    except (msgspec.DecodeError, RecursionError):
        return None


def _values(body: bytes) -> list[bytes]:
    """The values of a body that only a forgiving parser can read. Raises DecodeError.

    Arrays give their elements. Values before the first error land; the rest is one piece.
    """
    text = body.decode()
    pieces: list[bytes] = []
    position = 0
    while position < len(text):
        try:
            value, end = _splitter.raw_decode(text, position)
        except RecursionError:
            return [*pieces, text[position:].encode()]
        except JSONDecodeError as error:
            if pieces:
                return [*pieces, text[position:].encode()]
            raise DecodeError(
                f"the body is not valid JSON: {error.msg} at line {error.lineno}, "
                f"column {error.colno}",
                _REMEDY,
            ) from None
        piece = text[position:end].encode()
        if isinstance(value, list):
            pieces.extend(array_elements(piece))
        else:
            pieces.append(piece)
        position = end
        while text[position : position + 1].isspace():
            position += 1
    return pieces
