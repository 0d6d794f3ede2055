"""The JSON values of a body: one value, an array, one a line, or several back to back."""

from json import JSONDecodeError, JSONDecoder

import msgspec

from logstream.errors import DecodeError
from logstream.receive.json_text import array_elements, back_to_back, without_depths

MAX_REJECT_BYTES = 8192
BOM = b"\xef\xbb\xbf"
EDGES = b" \t\r\n\x00\x1e"
REMEDY = "send one JSON object, an array of objects, or one object a line"

_raw = msgspec.json.Decoder(msgspec.Raw)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_splitter = JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=str)


def pieces_of(body: bytes) -> list[bytes]:
    """The JSON text of each record, or what should have been one. Raises DecodeError."""
    if body[:1] == b"[":
        try:
            return [bytes(element) for element in _raw_array.decode(body)]
        except RecursionError:
            return array_elements(body)
        except msgspec.DecodeError:
            return _array_values(body)
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
