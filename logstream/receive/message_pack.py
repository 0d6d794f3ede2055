"""Where one MessagePack value ends and the next begins, in bytes that arrive bit by bit."""

from collections.abc import Iterator

# By first byte: how many bytes the head has beyond the first, how many of data follow it, and
# how many values. A negative number stands for "as the head's own number says".
_SAYS = -1
_HEADS: list[tuple[int, int, int] | None] = [(0, 0, 0)] * 256
for _first in range(0x80, 0x90):
    _HEADS[_first] = (0, 0, 2 * (_first & 15))
for _first in range(0x90, 0xA0):
    _HEADS[_first] = (0, 0, _first & 15)
for _first in range(0xA0, 0xC0):
    _HEADS[_first] = (0, _first & 31, 0)
_HEADS[0xC1] = None  # never used
for _first, _size in ((0xC4, 1), (0xC5, 2), (0xC6, 4), (0xD9, 1), (0xDA, 2), (0xDB, 4)):
    _HEADS[_first] = (_size, _SAYS, 0)
for _first, _size in ((0xC7, 1), (0xC8, 2), (0xC9, 4)):
    _HEADS[_first] = (_size, _SAYS, 0)  # and one byte for the type, see _EXTENSIONS
for _first, _size in ((0xCA, 4), (0xCB, 8), (0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
    _HEADS[_first] = (0, _size, 0)
for _first, _size in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
    _HEADS[_first] = (0, _size, 0)
for _first, _size in ((0xD4, 2), (0xD5, 3), (0xD6, 5), (0xD7, 9), (0xD8, 17)):
    _HEADS[_first] = (0, _size, 0)
for _first, _size in ((0xDC, 2), (0xDD, 4), (0xDE, 2), (0xDF, 4)):
    _HEADS[_first] = (_size, 0, _SAYS)
_EXTENSIONS = (0xC7, 0xC8, 0xC9)
_MAPS = (0xDE, 0xDF)
_ARRAYS = {0xDC: 2, 0xDD: 4}  # and the bytes of their lengths
_BINARY_OF_TEXT = {0xD9: 0xC4, 0xDA: 0xC5, 0xDB: 0xC6}


class Unreadable(Exception):
    """The bytes are no MessagePack, or one value is larger than allowed."""


class Splitter:
    """Cuts a stream into whole values of at most `limit_bytes`; remembers where it stopped."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        # How far the unfinished value was walked, and how many values it still needs.
        self._position = 0
        self._needed = 1

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of the value whose end has not come."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The values that the data completes. Raises Unreadable."""
        self._buffer += data
        while self._buffer:
            end = self._walk()
            if end is None:
                if max(len(self._buffer), self._position) > self._limit_bytes:
                    raise Unreadable(f"a message is larger than {self._limit_bytes} bytes")
                return
            value = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._position, self._needed = 0, 1
            if end > self._limit_bytes:
                raise Unreadable(f"a message is larger than {self._limit_bytes} bytes")
            yield value

    def _walk(self) -> int | None:
        """The end of the first value, None while it is not there."""
        buffer, position, needed = self._buffer, self._position, self._needed
        size = len(buffer)
        while needed:
            if position >= size:
                break
            first = buffer[position]
            head = _HEADS[first]
            if head is None:
                raise Unreadable("the byte 0xc1 begins no value")
            head_size, data_size, values = head
            start = position + 1 + head_size
            if head_size:
                if start > size:
                    break
                number = int.from_bytes(buffer[position + 1 : start], "big")
                if data_size == _SAYS:
                    data_size = number + 1 if first in _EXTENSIONS else number
                else:
                    values = 2 * number if first in _MAPS else number
            position = start + data_size
            needed += values - 1
            if needed > self._limit_bytes:  # each takes a byte at least
                raise Unreadable(f"a message has more than {self._limit_bytes} values")
        self._position, self._needed = position, needed
        return position if not needed and position <= size else None


def array_length(value: bytes) -> int:
    """How many elements the value says it has; 1 for what is no array."""
    first = value[0] if value else 0
    if first in _ARRAYS:
        return int.from_bytes(value[1 : array_head_bytes(value)], "big")
    return first & 15 if 0x90 <= first < 0xA0 else 1


def array_head_bytes(array: bytes) -> int:
    """Where the first element of an array begins."""
    return 1 + _ARRAYS.get(array[0], 0)


def with_binary_texts(value: bytes) -> bytes:
    """The same whole value with every text as a binary, which need not be UTF-8."""
    parts = bytearray()
    position = 0
    while position < len(value):
        first = value[position]
        head = _HEADS[first]
        if head is None:
            raise Unreadable("the byte 0xc1 begins no value")
        head_size, data_size, _ = head
        start = position + 1 + head_size
        if data_size == _SAYS:
            data_size = int.from_bytes(value[position + 1 : start], "big")
            data_size += first in _EXTENSIONS
        end = start + data_size
        if 0xA0 <= first < 0xC0:
            parts += bytes((0xC4, first & 31))
            parts += value[start:end]
        elif first in _BINARY_OF_TEXT:
            parts.append(_BINARY_OF_TEXT[first])
            parts += value[position + 1 : end]
        else:
            parts += value[position:end]
        position = end
    return bytes(parts)
