"""Where one message ends and the next begins in a TCP stream of syslog or GELF."""

import re
from typing import Protocol

_COUNT = re.compile(rb"([1-9]\d{0,8}) (?=<)")
_MAY_BECOME_A_COUNT = re.compile(rb"[1-9]\d{0,8} ?")
_PRI = re.compile(rb"<\d{1,3}>")
# What may stand behind a line break when a message follows: a priority, perhaps counted.
_NEXT_MESSAGE = re.compile(rb"[\r\n\x00]{0,2}(?:[1-9]\d{0,8} )?<\d{1,3}>")
# Where a message begins in a stream whose sender ends none (winston-syslog, unless told to).
_HEADER = re.compile(rb"(?=<\d{1,3}>(?:1 \d{4}-\d\d-\d\dT|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d))")
_LONGEST_SIGN = len(b"\n\r\n999999999 <191>")
_BETWEEN = b"\r\n\x00"


class Framer(Protocol):
    """Cuts a stream into messages."""

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of a message whose end has not come."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that the data completes."""
        ...

    def finish(self) -> list[bytes]:
        """What is left, as a message; for the end of the stream or a long silence."""
        ...


class SyslogFramer:
    """RFC 6587: octet counts, or NUL and line breaks, told apart for each message.

    A line behind a message with a priority that has none itself belongs to it: a stack trace.
    Once a NUL has ended a message, line breaks belong to the text. A message longer than
    `limit_bytes` becomes several.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._counted = 0  # bytes that a counted message still has to come
        self._ends_with_nul = False
        self._has_seen_an_end = False
        self._searched = 0

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of a message whose end has not come."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that the data completes."""
        self._buffer += data
        messages: list[bytes] = []
        while self._buffer:
            message = self._take()
            if message is None:
                break
            self._searched = 0
            self._has_seen_an_end = True
            if message:
                messages.append(message)
        return messages

    def finish(self) -> list[bytes]:
        """What is left, as a message."""
        rest = bytes(self._buffer).strip(_BETWEEN)
        self._buffer.clear()
        self._counted = self._searched = 0
        pieces = [rest] if self._has_seen_an_end else _HEADER.split(rest)
        return [piece for piece in pieces if piece]

    def _take(self) -> bytes | None:
        """The first message; empty when only something between messages was taken."""
        buffer = self._buffer
        if not self._counted:
            if buffer[0] in _BETWEEN:
                kept = buffer.lstrip(_BETWEEN)
                del buffer[: len(buffer) - len(kept)]
                return b""
            count = _COUNT.match(buffer)
            if count is not None:
                self._counted = int(count[1])
                del buffer[: count.end()]
            elif _MAY_BECOME_A_COUNT.fullmatch(buffer):
                return None
        if self._counted:
            size = min(self._counted, self._limit_bytes)
            if len(buffer) < size:
                return None
            self._counted -= size
            return self._cut(size, size)
        return self._take_line()

    def _take_line(self) -> bytes | None:
        buffer = self._buffer
        start = self._searched
        nul = buffer.find(b"\x00", start)
        if nul >= 0:
            self._ends_with_nul = True
        is_whole_text = self._ends_with_nul or _PRI.match(buffer) is not None
        end = nul
        newline = buffer.find(b"\n", start, nul if nul >= 0 else len(buffer))
        while newline >= 0:
            if not is_whole_text or _NEXT_MESSAGE.match(buffer, newline + 1):
                end = newline
                break
            if newline + 1 == len(buffer) and not self._ends_with_nul:
                end = newline  # a lone line must not wait for what may follow it
                break
            newline = buffer.find(b"\n", newline + 1, nul if nul >= 0 else len(buffer))
        if end >= 0 and end <= self._limit_bytes:
            return self._cut(end, end + 1)
        if len(buffer) >= self._limit_bytes:
            return self._cut(self._limit_bytes, self._limit_bytes)
        # A line break or a priority may be cut in two by the end of what has come.
        self._searched = max(0, len(buffer) - _LONGEST_SIGN)
        return None

    def _cut(self, size: int, end: int) -> bytes:
        message = bytes(self._buffer[:size])
        del self._buffer[:end]
        return message.strip(_BETWEEN)


class GelfFramer:
    """GELF over TCP: messages end with a NUL, or, from senders that send none, a line break."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._ends_with_nul = False

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of a message whose end has not come."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that the data completes."""
        self._ends_with_nul = self._ends_with_nul or b"\x00" in data
        end = b"\x00" if self._ends_with_nul else b"\n"
        if end not in data and len(self._buffer) + len(data) < self._limit_bytes:
            self._buffer += data
            return []
        *messages, rest = (bytes(self._buffer) + data).split(end)
        while len(rest) >= self._limit_bytes:
            messages.append(rest[: self._limit_bytes])
            rest = rest[self._limit_bytes :]
        self._buffer = bytearray(rest)
        return [message for message in messages if message.strip()]

    def finish(self) -> list[bytes]:
        """What is left, as a message."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [rest] if rest.strip(b"\x00 \t\r\n") else []
