"""One file of the spool: its records, how many lines they hold, and what to do with rot."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MARK = b"LSg1"
# Mark, CRC-32 of all that follows, length of the record, lines in it, Unix milliseconds.
_HEAD = struct.Struct(">4sIIIQ")
_CHECKED_FROM = 8
HEAD_BYTES = _HEAD.size
_SEARCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Found:
    """The next whole record, None at the end, and the bytes passed over to get there."""

    record: bytes | None
    skipped: int = 0


@dataclass
class SpoolFile:
    """A file, how far it has been read, and the lines in what is left of it."""

    path: Path
    size: int = 0
    position: int = 0
    lines: int = 0
    is_damaged: bool = False

    def next_record(self) -> Found:
        """The first whole record from `position` on; moves there over what is damaged."""
        started = self.position
        with self.path.open("rb") as stream:
            while True:
                place = _next_mark(stream, self.position, self.size)
                record = None if place is None else _read(stream, place, self.size)
                if place is None:
                    self.position, self.lines = self.size, 0
                    return Found(None, self.size - started)
                self.position = place
                if record is not None:
                    if place > started:
                        self.lines = _count_lines(stream, place, self.size)
                    return Found(record, place - started)
                self.position += 1

    def step_over(self) -> tuple[int, int]:
        """Move past the record at `position`; gives the bytes and the lines of it."""
        with self.path.open("rb") as stream:
            length, lines, _ = _head(stream, self.position) or (0, 0, 0.0)
        self.position += HEAD_BYTES + length
        self.lines = max(0, self.lines - lines)
        return HEAD_BYTES + length, lines

    def written_at(self) -> float | None:
        """Unix seconds at which the record at `position` was written, None without one."""
        try:
            with self.path.open("rb") as stream:
                head = _head(stream, self.position)
        except OSError:
            return None
        return None if head is None else head[2]


def packed(record: bytes, lines: int, unix_seconds: float) -> bytes:
    """A record as it stands in a file."""
    head = _HEAD.pack(_MARK, 0, len(record), lines, int(unix_seconds * 1000))
    checksum = zlib.crc32(record, zlib.crc32(head[_CHECKED_FROM:]))
    return _HEAD.pack(_MARK, checksum, len(record), lines, int(unix_seconds * 1000)) + record


def counted(path: Path) -> SpoolFile:
    """A file that was written earlier, its lines counted by the heads of its records."""
    file = SpoolFile(path, path.stat().st_size)
    with path.open("rb") as stream:
        file.lines = _count_lines(stream, 0, file.size)
    return file


def _count_lines(stream: BinaryIO, start: int, size: int) -> int:
    lines = 0
    place: int | None = start
    while place is not None and place < size:
        head = _head(stream, place)
        if head is not None and place + HEAD_BYTES + head[0] <= size:
            lines += head[1]
            place += HEAD_BYTES + head[0]
        else:
            place = _next_mark(stream, place + 1, size)
    return lines


def _head(stream: BinaryIO, place: int) -> tuple[int, int, float] | None:
    """(length, lines, Unix seconds) of the record at a place; None when none begins there."""
    stream.seek(place)
    head = stream.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or not head.startswith(_MARK):
        return None
    _, _, length, lines, at = _HEAD.unpack(head)
    return length, lines, at / 1000


def _read(stream: BinaryIO, place: int, size: int) -> bytes | None:
    """The record whose mark stands at a place; None when it is torn or damaged."""
    head = _head(stream, place)
    if head is None or place + HEAD_BYTES + head[0] > size:
        return None
    stream.seek(place)
    data = stream.read(HEAD_BYTES + head[0])
    checksum = int.from_bytes(data[len(_MARK) : _CHECKED_FROM])
    is_whole = zlib.crc32(data[_CHECKED_FROM:]) == checksum
    return data[HEAD_BYTES:] if is_whole else None


def _next_mark(stream: BinaryIO, place: int, size: int) -> int | None:
    """Where the next mark stands, at `place` or after it; nearly always at `place`."""
    while place < size:
        stream.seek(place)
        chunk = stream.read(min(len(_MARK), size - place))
        if chunk == _MARK:
            return place
        stream.seek(place)
        chunk = stream.read(min(_SEARCH_BYTES, size - place))
        found = chunk.find(_MARK)
        if found >= 0:
            return place + found
        place += max(1, len(chunk) - len(_MARK) + 1)
    return None
