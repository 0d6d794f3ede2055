"""The files named on the command line: found, opened whatever their compression, read by line."""

import bz2
import codecs
import gzip
import hashlib
import io
import lzma
import os
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import zstandard

from logstream.errors import LogStreamError, NotFound
from logstream.receive.text_shapes.grouping import Line

STDIN = Path("-")
# A longer line is cut into several, so that memory stays bounded.
MAX_LINE_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
# One call gives all a slice holds: at most 128 KiB for each 4 bytes of it.
_ZSTD_SLICE_BYTES = 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SUFFIXES = re.compile(
    r"\.(?:gz|zst|xz|bz2|log|txt|jsonl?|ndjson|out|err|\d{1,4}|\d{4}-?\d\d-?\d\d)$", re.IGNORECASE
)


class Unreadable(LogStreamError):
    """A file cannot be read, or its compressed data is broken."""

    code = "unreadable"


@dataclass
class Source:
    """An open file: `content` is decompressed, `raw` tells how far the disk was read."""

    path: Path
    content: IO[bytes]
    raw: IO[bytes]
    size_bytes: int | None
    modified_unix_nano: int | None

    def close(self) -> None:
        """Closes both."""
        if self.path != STDIN:
            self.content.close()
            self.raw.close()


def walk(paths: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """Every file named or inside a directory named, sorted; True when it was named itself.

    Raises NotFound for a name that is neither.
    """
    for name in paths:
        path = Path(name)
        if path == STDIN or path.is_file():
            yield path, True
        elif path.is_dir():
            yield from ((file, False) for file in sorted(path.rglob("*")) if file.is_file())
        elif path.exists():
            yield path, True  # a pipe or a device: read like standard input
        else:
            raise NotFound(f"{name} does not exist", "name files or directories, or - for stdin")


def open_source(path: Path) -> Source:
    """The file, decompressed as its first bytes ask. Raises Unreadable."""
    if path == STDIN:
        return Source(path, sys.stdin.buffer, sys.stdin.buffer, None, None)
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from None
    status = os.fstat(raw.fileno())
    if not raw.seekable():
        return Source(path, raw, raw, None, None)
    head = raw.read(6)
    raw.seek(0)
    name = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    content = _decompressed(name, raw)
    if head[:2] in _UTF16:
        content = _as_utf8(content)
    return Source(path, content, raw, status.st_size, status.st_mtime_ns)


def is_binary(path: Path) -> bool:
    """True when the first bytes hold NUL and are neither UTF-16 nor compressed text."""
    if path == STDIN:
        return False
    try:
        source = open_source(path)
        try:
            head = source.content.read(4096)
        finally:
            source.close()
    except (Unreadable, *READ_ERRORS):
        return False  # the import itself will say what is wrong
    return b"\x00" in head


def broken_as(path: Path, error: BaseException) -> Unreadable | None:
    """What an error while reading says about the file; None when it is not about the file."""
    if isinstance(error, READ_ERRORS):
        return Unreadable(
            f"{path} cannot be read to its end: {error}",
            "lines before the break are imported; run again when the file is whole",
        )
    return None


def stem_of(path: Path) -> str:
    """The file's name without what only says its format, age or compression."""
    if path == STDIN:
        return "stdin"
    name = path.name
    while (shorter := _SUFFIXES.sub("", name)) and shorter != name:
        name = shorter
    return name.strip()[:200] or "import"


def read_past(content: IO[bytes], count: int, digest: "hashlib._Hash") -> int:
    """Feeds the next `count` bytes to the digest; gives how many there were."""
    done = 0
    while done < count and (chunk := content.read(min(_CHUNK_BYTES, count - done))):
        digest.update(chunk)
        done += len(chunk)
    return done


def lines_of(content: IO[bytes], start: int) -> Iterator[tuple[Line, bytes]]:
    """The lines from offset `start` on, with their bytes; invalid UTF-8 becomes U+FFFD."""
    offset = start
    while piece := content.readline(MAX_LINE_BYTES):
        text = piece.removeprefix(codecs.BOM_UTF8) if offset == 0 else piece
        offset += len(piece)
        decoded = text.rstrip(b"\r\n").decode("utf-8", "replace").replace("\x00", "\ufffd")
        yield Line(decoded, offset), piece


def _decompressed(name: str, raw: IO[bytes]) -> IO[bytes]:
    match name:
        case "gzip":
            return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        case "zstd":
            return io.BufferedReader(_ZstdFrames(raw), _CHUNK_BYTES)
        case "xz":
            return cast(IO[bytes], lzma.LZMAFile(raw))
        case "bzip2":
            return cast(IO[bytes], bz2.BZ2File(raw))
    return raw


class _ZstdFrames(io.RawIOBase):
    """Zstandard frames one behind the other; unlike the library's reader it says when the
    last one ends too early."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_between_frames = True
        self._input = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._output:
            if not self._input:
                self._input = self._raw.read(_ZSTD_SLICE_BYTES)
            if not self._input:
                if self._is_between_frames:
                    return 0
                raise EOFError("compressed file ended before the end of its last frame")
            self._output = memoryview(self._frame.decompress(self._input))
            self._input = self._frame.unused_data
            self._is_between_frames = self._frame.eof
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        count = min(len(view), len(self._output))
        view[:count] = self._output[:count]
        self._output = self._output[count:]
        return count


def _as_utf8(content: IO[bytes]) -> IO[bytes]:
    class Recoded(io.RawIOBase):
        """UTF-16 read as UTF-8."""

        def __init__(self) -> None:
            self._text = io.TextIOWrapper(content, "utf-16", errors="replace", newline="")
            self._rest = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
            if not self._rest:
                self._rest = self._text.read(len(view) // 4 or 1).encode("utf-8", "replace")
            count = min(len(view), len(self._rest))
            view[:count] = self._rest[:count]
            self._rest = self._rest[count:]
            return count

    return io.BufferedReader(Recoded(), _CHUNK_BYTES)
