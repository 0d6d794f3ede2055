"""The JSON values of a body: one value, an array, one a line, or several back to back."""

import sys
from collections.abc import Callable, Iterable
from json import JSONDecodeError, JSONDecoder

import msgspec

from logstream.errors import DecodeError
from logstream.model import Decoded, LogRecord, Origins, Reject
from logstream.receive.json_text import MAX_DEPTH, array_elements, back_to_back, without_depths
from logstream.receive.native_values import Refused
from logstream.receive.record_limit import check_count, check_values

MAX_REJECT_BYTES = 8192
BOM = b"\xef\xbb\xbf"
EDGES = b" \t\r\n\x00\x1e"
REMEDY = "send one JSON object, an array of objects, or one object a line"

_raw = msgspec.json.Decoder(msgspec.Raw)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_splitter = JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=str)


def pieces_of(body: bytes, most: int = sys.maxsize) -> list[bytes]:
    """The JSON text of each record, or what should have been one.

    Raises DecodeError, and TooLarge for more than `most` of them.
    """
    check_values(body, most)
    try:
        raws = _raw_array.decode(body) if body[:1] == b"[" else _raw.decode_lines(body)
    except (msgspec.DecodeError, RecursionError) as error:
        check_values(body, most, is_malformed=True)
        pieces = _malformed_pieces(body, is_too_deep=isinstance(error, RecursionError))
        check_count(len(pieces), most)
        return pieces
    check_count(len(raws), most)
    return [bytes(raw) for raw in raws]


def _malformed_pieces(body: bytes, *, is_too_deep: bool) -> list[bytes]:
    if body[:1] == b"[":
        return array_elements(body) if is_too_deep else _array_values(body)
    lines = [line for line in map(bytes.strip, body.split(b"\n")) if line]
    found = [_values_of_line(line) for line in lines]
    if all(values is None for values in found):
        return _values(body)
    return [
        piece
        for line, values in zip(lines, found, strict=True)
        for piece in ([line] if values is None else values)
    ]


def _array_values(body: bytes) -> list[bytes]:
    """The elements of an array no strict parser takes; one that is no JSON costs only itself."""
    try:
        return _values(body)
    except DecodeError as unreadable:
        try:
            elements = array_elements(body)
        except DecodeError:
            raise unreadable from None
        if all(_values_of_line(element) is None for element in elements):
            raise
        return elements


def _values_of_line(text: bytes) -> list[bytes] | None:
    """The values that stand back to back in well-formed text; None when it is not."""
    try:
        return [bytes(value) for value in _raw.decode_lines(text)]
    except (msgspec.DecodeError, RecursionError):
        return None


def _values(body: bytes) -> list[bytes]:
    """The values of a body that only a forgiving parser can read. Raises DecodeError.

    Arrays give their elements. After the first error values are told by their brackets.
    """
    text = body.decode()
    pieces: list[bytes] = []
    position = 0
    while position < len(text):
        try:
            value, end = _splitter.raw_decode(text, position)
        except RecursionError:
            rest = text[position:]
            text, position = without_depths(rest.encode()).decode(), 0
            if text == rest:
                return [*pieces, rest.encode()]
            continue
        except JSONDecodeError as error:
            others = back_to_back(text[position:].encode())
            if pieces or any(_values_of_line(other) is not None for other in others):
                return [*pieces, *others]
            raise DecodeError(
                f"the body is not valid JSON: {error.msg} at line {error.lineno}, "
                f"column {error.colno}",
                REMEDY,
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


def records_of(
    pieces: Iterable[bytes],
    read: Callable[[bytes, Origins | None], LogRecord],
    *,
    wants_origins: bool,
) -> Decoded:
    """The records of the pieces, read one by one: a bad one is refused alone, by its index.

    `read` may raise Refused, and ValueError or RecursionError for what is not JSON.
    """
    decoded = Decoded([])
    for index, piece in enumerate(pieces):
        origins: Origins | None = {} if wants_origins else None
        try:
            decoded.records.append(read(piece, origins))
            if origins is not None:
                decoded.origins.append(origins)
            continue
        except Refused as refused:
            error = str(refused)
        except ValueError as malformed:
            error = f"it is not valid JSON ({malformed}); {REMEDY}"
        except RecursionError:
            error = f"it is nested deeper than {MAX_DEPTH} levels; flatten it"
        decoded.rejects.append(Reject(index, f"record {index}: {error}", piece[:MAX_REJECT_BYTES]))
    return decoded
