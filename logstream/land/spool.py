"""The spool: a durable queue on local disk for what PostgreSQL cannot take now.

Append-only files. A record is a head (mark, CRC-32, length, lines in it, time of writing)
and its bytes; `append` returns after fdatasync. Files are read oldest first and deleted when
all their records are removed. What was removed is not written down: after a crash a file is
read again from its start, so whoever replays must recognise what it has already done
(`batches` does).

Each process has a folder of its own under the spool directory, held by a lock; the folders
of processes that are gone are taken over at start. Where bits have rotted, reading goes on at
the next record that is whole, and the file is kept as `*.damaged` for people.
"""

import fcntl
import logging
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from logstream.errors import StoreUnavailable
from logstream.land import spool_file
from logstream.land.spool_file import HEAD_BYTES, SpoolFile

log = logging.getLogger(__name__)

FILE_BYTES = 64 * 1024 * 1024
NEARLY_FULL = 0.8
LOCK_NAME = "lock"


@dataclass(frozen=True)
class SpoolReport:
    """What a spool holds: `lines` and `bytes` still to land, and since when the oldest wait."""

    bytes: int = 0
    lines: int = 0
    oldest_unix_seconds: float | None = None
    max_bytes: int = 0
    folders_taken_over: int = 0
    damaged_files: int = 0

    @property
    def is_nearly_full(self) -> bool:
        """True from four fifths of the limit on: time to act before lines are refused."""
        return 0 < NEARLY_FULL * self.max_bytes <= self.bytes


class Spool:
    """A first-in, first-out queue of byte strings that survives kill -9 and power loss.

    One caller at a time; `report` and `size_bytes` may be read from any thread.
    """

    def __init__(self, directory: Path, max_bytes: int, file_bytes: int = FILE_BYTES) -> None:
        """Takes a free folder and all records that ended processes left behind."""
        self._max_bytes = max_bytes
        self._file_bytes = file_bytes
        self._files: deque[SpoolFile] = deque()
        self._open: int | None = None
        self._locks: list[int] = []
        self._size = self._lines = self._taken_over = self._damaged = 0
        self._oldest_at: float | None = None
        self._has_warned = False
        directory.mkdir(parents=True, exist_ok=True)
        self._folder = self._claim(directory)
        self._next_number = 1 + max((int(file.path.stem) for file in self._files), default=0)
        self._note_oldest()

    @property
    def size_bytes(self) -> int:
        """Bytes still to be read."""
        return self._size

    def report(self) -> SpoolReport:
        """What waits here, for people and for /metrics."""
        return SpoolReport(
            bytes=self._size,
            lines=self._lines,
            oldest_unix_seconds=self._oldest_at,
            max_bytes=self._max_bytes,
            folders_taken_over=self._taken_over,
            damaged_files=self._damaged,
        )

    def append(self, record: bytes, lines: int = 1) -> None:
        """Keep a record of so many lines; durable on return.

        Raises StoreUnavailable when the spool is at its limit or the disk refuses it; the
        record is then not kept, and nothing of it stays behind.
        """
        length = HEAD_BYTES + len(record)
        if self._size + length > self._max_bytes:
            raise StoreUnavailable(
                f"the spool holds {self._size} bytes, its limit is {self._max_bytes}",
                "bring the database back or raise LOGSTREAM_SPOOL_MAX_BYTES",
            )
        try:
            file, descriptor = self._tail()
            data = spool_file.packed(record, lines, time.time())
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
        file.lines += lines
        self._size += length
        self._lines += lines
        if self._oldest_at is None:
            self._note_oldest()
        self._warn_in_time()

    def oldest(self) -> bytes | None:
        """The record that was appended first of those not removed; None when empty."""
        while self._files:
            file = self._files[0]
            lines_before = file.lines
            found = file.next_record()
            if found.skipped:
                self._lines += file.lines - lines_before
                self._note_damage(file, found.skipped)
            if found.record is not None:
                return found.record
            self._drop_first()
        self._note_oldest()
        return None

    def remove_oldest(self) -> None:
        """Forget the record that `oldest` gave."""
        file = self._files[0]
        length, lines = file.step_over()
        self._size -= length
        self._lines -= lines
        if file.position >= file.size:
            self._drop_first()
        self._note_oldest()

    def set_aside_oldest(self, reason: str) -> None:
        """Pass over the record that `oldest` gave, and keep its file: nobody can read it now."""
        file = self._files[0]
        log.error(
            "%s: the record at offset %d is not understood, its file is kept as .damaged: %s",
            file.path,
            file.position,
            reason,
        )
        self._damaged += not file.is_damaged
        file.is_damaged = True
        self.remove_oldest()

    def close(self) -> None:
        """Give the folders free; what is unread waits for the next start."""
        self._close_tail()
        for lock in self._locks:
            os.close(lock)
        self._locks.clear()

    def _claim(self, directory: Path) -> Path:
        own: Path | None = None
        for folder in _folders(directory):
            if self._lock(folder):
                files = _files_in(folder)
                self._taken_over += own is not None and bool(files)
                own = own or folder
                self._damaged += _damaged_in(folder)
                for file in files:
                    self._files.append(file)
                    self._size += file.size
                    self._lines += file.lines
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

    def _tail(self) -> tuple[SpoolFile, int]:
        """The file to append to, a new one when there is none or it is full."""
        if self._open is not None and self._files[-1].size < self._file_bytes:
            return self._files[-1], self._open
        self._close_tail()
        path = self._folder / f"{self._next_number:016d}.spool"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._next_number += 1
        try:
            _sync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._open = descriptor
        self._files.append(SpoolFile(path))
        return self._files[-1], descriptor

    def _close_tail(self) -> None:
        descriptor, self._open = self._open, None
        if descriptor is not None:
            os.close(descriptor)

    def _drop_first(self) -> None:
        file = self._files.popleft()
        self._size -= file.size - file.position
        self._lines -= file.lines
        if not self._files:
            self._close_tail()
        if file.is_damaged:
            file.path.rename(file.path.with_suffix(".damaged"))
        else:
            file.path.unlink(missing_ok=True)

    def _note_damage(self, file: SpoolFile, skipped: int) -> None:
        self._damaged += not file.is_damaged
        file.is_damaged = True
        self._size -= skipped
        log.error(
            "%s: %d bytes before offset %d cannot be read; what is whole after them lands, and "
            "the file is kept as .damaged",
            file.path,
            skipped,
            file.position,
        )

    def _note_oldest(self) -> None:
        self._oldest_at = self._files[0].written_at() if self._files else None

    def _warn_in_time(self) -> None:
        report = self.report()
        if report.is_nearly_full and not self._has_warned:
            log.warning(
                "the spool is nearly full: %d of %d bytes; beyond that lines are refused. Bring "
                "the database back or raise LOGSTREAM_SPOOL_MAX_BYTES",
                report.bytes,
                report.max_bytes,
            )
        self._has_warned = report.is_nearly_full


def look(directory: Path, max_bytes: int) -> SpoolReport:
    """What all processes' spools under a directory hold, without touching any of them.

    A file being replayed is counted from its start. Raises OSError.
    """
    found: list[SpoolFile] = []
    damaged = 0
    if directory.is_dir():
        for folder in _folders(directory):
            damaged += _damaged_in(folder)
            for path in sorted(folder.glob("*.spool")):
                with suppress(FileNotFoundError):  # it has landed meanwhile
                    found.append(spool_file.counted(path))
    moments = [at for file in found if (at := file.written_at()) is not None]
    return SpoolReport(
        bytes=sum(file.size for file in found),
        lines=sum(file.lines for file in found),
        oldest_unix_seconds=min(moments, default=None),
        max_bytes=max_bytes,
        damaged_files=damaged,
    )


def _folders(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_dir())


def _files_in(folder: Path) -> list[SpoolFile]:
    return [spool_file.counted(path) for path in sorted(folder.glob("*.spool"))]


def _damaged_in(folder: Path) -> int:
    return len(list(folder.glob("*.damaged")))


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
