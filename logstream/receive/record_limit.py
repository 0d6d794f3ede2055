"""How many records one request may hold: tiny ones cost far more memory than their bytes.

Each decoder checks the count it is about to build records from. The scans here find a great
many records before a list of them all would be made; in ordinary bodies they do next to nothing.
"""

import re
from collections.abc import Iterator
from itertools import islice

from logstream.errors import TooLarge

# So many slices of a body are made without counting before: they take about 200 MB.
_MANY = 3_000_000
_SMALLEST_VALUE = 2  # with what separates it from the next
# Protobuf of less is parsed at once: whatever it holds takes at most about 400 MB.
_LARGE_MESSAGE_BYTES = 8 * 1024 * 1024
_SEPARATORS = b",\n\r\t}]"
_LINE = re.compile(rb"\S[^\n]*+")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_STRING + rb'|[][{},]|[^][{},:"\s]++', re.DOTALL)
# As much as holds no brackets but those of values that hold none themselves.
_FLAT = rb'(?:[^][{}"]++|' + _STRING + rb")*+"
_INNER = re.compile(
    rb'(?:[^][{}"]++|' + _STRING + rb"|\{" + _FLAT + rb"\}|\[" + _FLAT + rb"\])*+", re.DOTALL
)
_WIRE_VARINT, _WIRE_64, _WIRE_BYTES, _WIRE_32 = 0, 1, 2, 5


def check_count(count: int, most: int) -> None:
    """Raises TooLarge when a request holds more records than it may."""
    if count > most:
        raise _too_many(str(count))


def check_lines(text: bytes, most: int, lines_each: int = 1) -> None:
    """`check_count` of records of up to so many lines that are not blank, without making them."""
    if text.count(b"\n") >= most * lines_each:
        _check(islice(_LINE.finditer(text), 0, None, lines_each), most)


def check_values(json_text: bytes, most: int, *, is_malformed: bool = False) -> None:
    """`check_count` of an array's elements or of values one after the other.

    A text that holds too few separators for very many values passes uncounted: what a parser
    makes of it is to be counted too. Malformed text is always counted, by its brackets.
    """
    if is_malformed or may_hold_many(json_text):
        is_array = json_text[:1] == b"["
        _check(_elements(json_text) if is_array else _values(json_text), most)


def check_messages(message: bytes, path: tuple[int, ...], most: int) -> None:
    """`check_count` of the protobuf messages at a path of field numbers, before parsing.

    Nor may there be more of the messages around them, since empty ones take as much memory.
    Only a large message is looked at: what a smaller one holds is to be counted once parsed.
    """
    if len(message) <= _LARGE_MESSAGE_BYTES:
        return
    counts = [0] * len(path)
    for depth in _submessages(message, path):
        counts[depth] += 1
        if counts[depth] > most:
            raise _too_many(f"more than {most}")


def _check(found: Iterator[object], most: int) -> None:
    for count, _ in enumerate(found, start=1):
        if count > most:
            raise _too_many(f"more than {most}")


def may_hold_many(text: bytes) -> bool:
    """False for JSON of which a list of all values, whatever they are, is not too large."""
    return len(text) > _SMALLEST_VALUE * _MANY and (
        len(text) - len(text.translate(None, _SEPARATORS)) > _MANY or text.count(b" ") > _MANY
    )


def _elements(array: bytes) -> Iterator[None]:
    """One for each element of an array."""
    for token, level in _tokens(array, 1):
        if level == 0:
            break
        if level == 1 and token == b",":
            yield None
    if array[1:].lstrip()[:1] != b"]":
        yield None


def _values(text: bytes) -> Iterator[None]:
    """One for each value that stands on the outermost level."""
    for token, level in _tokens(text, 0):
        if level == 0 and token != b",":
            yield None


def _tokens(text: bytes, depth: int) -> Iterator[tuple[bytes, int]]:
    """Brackets, strings, commas and words, each with the level after it; few below `depth`."""
    level = position = 0
    while True:
        if level > depth:
            inner = _INNER.match(text, position)
            position = position if inner is None else inner.end()
        match = _TOKEN.search(text, position)
        if match is None:
            return
        token, position = match[0], match.end()
        if token in (b"{", b"["):
            level += 1
        elif token in (b"}", b"]"):
            level -= 1
        yield token, level


def _submessages(message: bytes, path: tuple[int, ...]) -> Iterator[int]:
    """How far on a path each message on it is; ends where the bytes are no protobuf."""
    # Where each message that is being looked through ends, the outermost first.
    ends = [len(message)]
    position = 0
    try:
        while ends:
            if position >= ends[-1]:
                ends.pop()
                continue
            tag, position = _varint(message, position)
            kind = tag & 7
            if kind == _WIRE_BYTES:
                size, position = _varint(message, position)
                if tag >> 3 == path[len(ends) - 1]:
                    yield len(ends) - 1
                    if len(ends) < len(path):
                        ends.append(min(position + size, ends[-1]))
                        continue
                position += size
            elif kind == _WIRE_VARINT:
                _, position = _varint(message, position)
            elif kind == _WIRE_64:
                position += 8
            elif kind == _WIRE_32:
                position += 4
            # What else there is begins or ends a group, whose fields follow.
    except IndexError:
        return


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """(number, where it ends). Raises IndexError at the message's end."""
    byte = message[position]
    position += 1
    if byte < 0x80:
        return byte, position
    number, shift = byte & 0x7F, 7
    while True:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
        if shift > 63:
            raise IndexError


def _too_many(count: str) -> TooLarge:
    return TooLarge(
        f"the request holds {count} records",
        "send smaller batches or raise LOGSTREAM_MAX_RECORDS",
    )
