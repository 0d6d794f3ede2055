"""What was imported so far, kept so that a run after a crash stores each line once.

`imports.json` in the data directory. A batch is written down, with its offsets and key, before
it is sent: whatever happens then, the next run sends the same bytes under the same key, and
the service stores them once.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from logstream.errors import LogStreamError

FILE_NAME = "imports.json"
LOCK_NAME = "imports.lock"
_MAX_FILES = 10_000


class ProgressUnwritable(LogStreamError):
    """The progress file cannot be written, so nothing may be sent."""

    code = "progress_unwritable"


class ProgressBusy(LogStreamError):
    """Another import holds the progress file."""

    code = "progress_busy"


class Intent(msgspec.Struct):
    """One batch about to be sent, or sent with an unknown outcome."""

    start: int
    end: int
    records: int
    key: str
    digest: str
    before_unix_nano: int
    after_unix_nano: int


class FileProgress(msgspec.Struct):
    """How far one file was imported under one set of options.

    `digest` is the SHA-256 of the content before `offset`; a longer file that begins with
    that content has grown.
    """

    path: str
    inode: int
    device: int
    service: str
    environment: str
    shape: str
    file_unix_nano: int
    offset: int = 0
    digest: str = ""
    last_unix_nano: int | None = None
    pending: list[Intent] = []

    def check(self) -> tuple[int, str]:
        """(offset, digest) that a file must have to be this one."""
        if self.offset == 0 and self.pending:
            return self.pending[0].end, self.pending[0].digest
        return self.offset, self.digest


class _Book(msgspec.Struct):
    version: int = 1
    files: list[FileProgress] = []


class Progress:
    """The progress file, rewritten whole and atomically at every change."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (data_dir / LOCK_NAME).open("a")
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self._take_lock()
            self._book = self._load()
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Lets the next import begin."""
        self._lock.close()

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProgressBusy(
                f"another import is writing {self._path}",
                "wait until it ends, or set another LOGSTREAM_DATA_DIR",
            ) from None

    def _load(self) -> _Book:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Book)
        except FileNotFoundError:
            return _Book()
        except OSError as error:
            raise self._unwritable(error) from None
        except msgspec.DecodeError as error:
            raise LogStreamError(
                f"{self._path} is not a progress file ({error})",
                "remove it; batches sent before are recognised by the service",
            ) from None

    def candidates(
        self, path: Path, status: os.stat_result, service: str, environment: str
    ) -> list[FileProgress]:
        """Entries that may be this file, likeliest first; their content is still to be checked.

        A file of another name counts only when it is the same inode, or when the name it
        had is gone: two files that merely begin alike are two files.
        """
        found = [
            entry
            for entry in self._book.files
            if (entry.service, entry.environment) == (service, environment)
            and (
                entry.path == str(path)
                or (entry.inode, entry.device) == (status.st_ino, status.st_dev)
                or not Path(entry.path).exists()
            )
        ]
        return sorted(found, key=lambda entry: (entry.path != str(path), -entry.offset))

    def add(self, entry: FileProgress) -> None:
        """A file seen for the first time."""
        self._book.files.append(entry)
        del self._book.files[:-_MAX_FILES]

    def intend(self, entry: FileProgress, intent: Intent) -> None:
        """Written down before the batch is sent."""
        entry.pending.append(intent)
        self.save()

    def finish(self, entry: FileProgress, intent: Intent) -> None:
        """The oldest pending batch was answered."""
        entry.pending.remove(intent)
        entry.offset, entry.digest = intent.end, intent.digest
        entry.last_unix_nano = intent.after_unix_nano
        self.save()

    def save(self) -> None:
        """Raises ProgressUnwritable."""
        temporary = self._path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(self._book))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ProgressUnwritable:
        return ProgressUnwritable(
            f"{self._path} cannot be written: {error.strerror}",
            "set LOGSTREAM_DATA_DIR to a directory that can",
        )
