"""The spool: a durable queue on local disk for what PostgreSQL cannot take now.

Append-only files. A record is its length, the CRC-32 of its bytes, and the bytes; `append`
returns after fdatasync. Files are read oldest first and deleted when all their records are
removed. What was removed is not written down: after a crash a file is read again from its
start, so whoever replays must recognise what it has already done (`batches` does).

Each process has a folder of its own under the spool directory, held by a lock; the folders
of processes that are gone are taken over at start.
"""

import fcntl
import logging
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from logstream.errors import StoreUnavailable

log = logging.getLogger(__name__)

FILE_BYTES = 64 * 1024 * 1024
LOCK_NAME = "lock"
_HEAD = struct.Struct(">II")


@dataclass
class _File:
    path: Path
    size: int
    position: int = 0


class Spool:
    """A first-in, first-out queue of byte strings that survives kill -9 and power loss."""

    def __init__(self, directory: Path, max_bytes: int, file_bytes: int = FILE_BYTES) -> None:
        """Takes a free folder and all records that ended processes left behind."""
        self._max_bytes = max_bytes
        self._file_bytes = file_bytes
        self._files: deque[_File] = deque()
        self._open: int | None = None
        self._locks: list[int] = []
        directory.mkdir(parents=True, exist_ok=True)
        self._folder = self._claim(directory)
        self._next_number = 1 + max((int(file.path.stem) for file in self._files), default=0)

    @property
    def size_bytes(self) -> int:
        """Bytes still to be read."""
        return sum(file.size - file.position for file in self._files)

    def append(self, record: bytes) -> None:
        """Keep a record; durable on return.

        Raises StoreUnavailable when the spool is at its limit or the disk refuses it; the
        record is then not kept, and nothing of it stays behind.
        """
        length = _HEAD.size + len(record)
        if self.size_bytes + length > self._max_bytes:
            raise StoreUnavailable(
                f"the spool holds {self.size_bytes} bytes, its limit is {self._max_bytes}",
                "bring the database back or raise LOGSTREAM_SPOOL_MAX_BYTES",
            )
        try:
            file, descriptor = self._tail()
            data = _HEAD.pack(len(record), zlib.crc32(record)) + record
            try:
                _write_all(descriptor, data, file.size)
                os.fdatasync(descriptor)
            except OSError:
                os.ftruncate(descriptor, file.size)
                raise
        except OSError as error:
            raise StoreUnavailable(
                f"the spool cannot be written: {error.strerror}",
                "make room in LOGSTREAM_DATA_DIR or bring the database back",
            ) from error
        file.size += length

    def oldest(self) -> bytes | None:
        """The record that was appended first of those not removed; None when empty."""
        while self._files:
            file = self._files[0]
            record = _read(file)
            if record is not None:
                return record
            if file.position < file.size:
                log.error(
                    "%s: %d bytes after offset %d cannot be read; the file is kept",
                    file.path,
                    file.size - file.position,
                    file.position,
                )
                file.path.rename(file.path.with_suffix(".damaged"))
            self._drop_first()
        return None

    def remove_oldest(self) -> None:
        """Forget the record that `oldest` gave."""
        file = self._files[0]
        with file.path.open("rb") as stream:
            stream.seek(file.position)
            length, _ = _HEAD.unpack(stream.read(_HEAD.size))
        file.position += _HEAD.size + length
        if file.position >= file.size:
            self._drop_first()

    def close(self) -> None:
        """Give the folders free; what is unread waits for the next start."""
        if self._open is not None:
            os.close(self._open)
            self._open = None
        for lock in self._locks:
            os.close(lock)
        self._locks.clear()

    def _claim(self, directory: Path) -> Path:
        own: Path | None = None
        for folder in sorted(path for path in directory.iterdir() if path.is_dir()):
            if self._lock(folder):
                own = own or folder
                self._files.extend(
                    _File(path, path.stat().st_size) for path in sorted(folder.glob("*.spool"))
                )
        if own is not None:
            return own
        for number in range(1, 10_000):
            folder = directory / f"{number:04d}"
            folder.mkdir(exist_ok=True)
            if self._lock(folder):
                return folder
        raise OSError(f"no free folder under {directory}")

    def _lock(self, folder: Path) -> bool:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._locks.append(descriptor)
        return True

    def _tail(self) -> tuple[_File, int]:
        """The file to append to, a new one when there is none or it is full."""
        if self._open is not None and self._files and self._files[-1].size < self._file_bytes:
            return self._files[-1], self._open
        if self._open is not None:
            os.close(self._open)
            self._open = None
        path = self._folder / f"{self._next_number:016d}.spool"
        self._open = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._next_number += 1
        _sync_folder(self._folder)
        file = _File(path, 0)
        self._files.append(file)
        return file, self._open

    def _drop_first(self) -> None:
        file = self._files.popleft()
        if not self._files and self._open is not None:
            os.close(self._open)
            self._open = None
        file.path.unlink(missing_ok=True)


def _read(file: _File) -> bytes | None:
    """The record at the file's position, None at its end or where it is torn."""
    with file.path.open("rb") as stream:
        stream.seek(file.position)
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        length, checksum = _HEAD.unpack(head)
        if length > file.size - file.position - _HEAD.size:
            return None
        record = stream.read(length)
    return record if len(record) == length and zlib.crc32(record) == checksum else None


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
