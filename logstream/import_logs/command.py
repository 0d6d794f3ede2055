"""The command `logstream import FILE…`."""

import argparse
import hashlib
import time
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from logstream.errors import LogStreamError
from logstream.import_logs.content import (
    DOCUMENT,
    MAX_DOCUMENT_BYTES,
    Content,
    DocumentContent,
    LineContent,
    document_elements,
    elements_digest,
    may_be_document,
)
from logstream.import_logs.files import (
    STDIN,
    Source,
    Unreadable,
    broken_as,
    is_binary,
    open_source,
    read_past,
    stem_of,
    walk,
)
from logstream.import_logs.progress import FileProgress, Intent, Progress
from logstream.import_logs.records import FileBatch, Naming, batches
from logstream.import_logs.sending import Outcome, Sender
from logstream.import_logs.terminal import Display, counted
from logstream.receive.text_shapes.shapes import SHAPES
from logstream.receive.text_shapes.times import Times
from logstream.settings import Settings
from logstream.wiring import sender_authorization

# One batch is sent while the next is being read: ids then follow the file's order, so that
# lines of the same millisecond stay in it, and reading is what takes the time anyhow.
IN_FLIGHT = 1
_QUOTED_REASONS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE… and the options."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="files, directories, or - for standard input"
    )
    parser.add_argument(
        "--format", choices=["auto", *SHAPES], default="auto", help="what the lines look like"
    )
    parser.add_argument(
        "--service", help="service of every record (default: named in the line, else by the file)"
    )
    parser.add_argument("--environment", help="environment of every record")
    parser.add_argument(
        "--batch", type=_batch_size, default=1000, metavar="N", help="records a request (1–10000)"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when every file was read and sent to its end, else 1."""
    paths = list(walk(args.files))
    sender = Sender(settings.url, authorization=sender_authorization(settings, "import"))
    try:
        sender.greet()
        with closing(Progress(settings.data_dir)) as progress:
            return Importer(sender, progress, args, settings.naive_timezone).run(paths)
    finally:
        sender.close()


def _batch_size(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 10000")
    return int(text)


@dataclass
class Tally:
    """What became of one file's lines in this run: lines = records + joined + blank."""

    lines: int = 0
    records: int = 0
    blank: int = 0
    resumed: bool = False
    shape: str = ""
    broken: Unreadable | None = None
    outcome: Outcome = field(default_factory=Outcome)

    def add(self, batch: FileBatch) -> None:
        """Counts a batch's lines."""
        self.lines += batch.lines + batch.blank
        self.records += batch.records
        self.blank += batch.blank

    def words(self) -> str:
        """One sentence for the terminal."""
        if not self.lines:
            return "already imported, nothing new" if self.resumed else "empty, nothing to import"
        unit = "element" if self.shape == DOCUMENT else "line"
        joined = self.lines - self.blank - self.records
        return (
            f"{counted(self.lines, unit)} read as {self.shape}"
            f"{' (the rest of it)' if self.resumed else ''}: "
            f"{counted(self.records, 'record')} sent, {joined:,} joined, {self.blank:,} blank; "
            f"{self.outcome.accepted:,} accepted, {self.outcome.rejected:,} rejected"
        )


class Importer:
    """Imports files one after the other, sending a batch while it reads the next."""

    def __init__(
        self, sender: Sender, progress: Progress, args: argparse.Namespace, naive_timezone: str
    ) -> None:
        self._sender = sender
        self._progress = progress
        self._args = args
        self._naive_timezone = naive_timezone

    def run(self, paths: list[tuple[Path, bool]]) -> int:
        """Every file, with a line about each; the exit code."""
        failed = False
        total = Tally()
        sizes = sum(path.stat().st_size for path, _ in paths if path.is_file())
        with Display(sizes) as display:
            for path, is_named in paths:
                if not is_named and is_binary(path):
                    display.say(f"{path}: left out, it is not text")
                    continue
                try:
                    tally = self._import(path, display)
                except Unreadable as error:
                    display.complain(error.one_line())
                    failed = True
                    continue
                display.say(f"{path if path != STDIN else 'standard input'}: {tally.words()}")
                for reason in tally.outcome.reasons[:_QUOTED_REASONS]:
                    display.say(f"  rejected: {reason}")
                if tally.broken is not None:
                    display.complain(tally.broken.one_line())
                    failed = True
                total.records += tally.records
                total.outcome.add(tally.outcome)
            if len(paths) > 1:
                display.say(
                    f"{counted(len(paths), 'file')}: {counted(total.records, 'record')} sent, "
                    f"{total.outcome.accepted:,} accepted, {total.outcome.rejected:,} rejected"
                )
        return 1 if failed else 0

    def _import(self, path: Path, display: Display) -> Tally:
        entry = self._entry(path)
        tally = Tally(resumed=entry.offset > 0 or bool(entry.pending), shape=entry.shape)
        for intent in list(entry.pending):
            with _reading(path) as source:
                content = self._content(source, entry, intent.start, intent.end)
                if content is None:
                    break
                naming = self._naming(entry, path)
                for batch in batches(
                    content,
                    naming,
                    start=intent.start,
                    last_unix_nano=intent.before_unix_nano,
                    batch_records=max(intent.records, 1),
                ):
                    outcome = self._sender.send(batch.body, intent.key, batch.records)
                    tally.add(batch)
                    tally.outcome.add(outcome)
            self._progress.finish(entry, intent)
        with _reading(path) as source:
            content = self._content(source, entry, entry.offset, None)
            if content is not None:
                entry.shape = tally.shape = content.shape
                display.starts(path, source)
                self._send_all(path, entry, content, source, tally, display)
                display.ends(source)
                if content.broken is not None:
                    tally.broken = broken_as(path, content.broken)
        return tally

    def _send_all(
        self,
        path: Path,
        entry: FileProgress,
        content: Content,
        source: Source,
        tally: Tally,
        display: Display,
    ) -> None:
        before = entry.last_unix_nano
        is_first = True
        flying: deque[tuple[Intent, Future[Outcome]]] = deque()

        def land_oldest() -> None:
            intent, future = flying[0]
            tally.outcome.add(future.result())
            flying.popleft()
            self._finish(path, entry, intent)
            display.moved(source, tally.records)

        with ThreadPoolExecutor(IN_FLIGHT, "import") as pool:
            try:
                for batch in batches(
                    content,
                    self._naming(entry, path),
                    start=entry.offset,
                    last_unix_nano=entry.last_unix_nano,
                    batch_records=self._args.batch,
                ):
                    while len(flying) >= IN_FLIGHT:
                        land_oldest()
                    last = entry.file_unix_nano if before is None else before
                    intent = Intent(
                        start=batch.start,
                        end=batch.end,
                        records=batch.records,
                        key=self._key(path, batch),
                        digest=batch.digest,
                        before_unix_nano=last,
                        after_unix_nano=batch.last_unix_nano,
                    )
                    before = batch.last_unix_nano
                    if path.is_file():
                        if is_first and not entry.pending and entry.offset == 0:
                            self._progress.add(entry)
                        self._progress.intend(entry, intent)
                    is_first = False
                    future = pool.submit(self._sender.send, batch.body, intent.key, batch.records)
                    flying.append((intent, future))
                    tally.add(batch)
                while flying:
                    land_oldest()
            except BaseException:
                for _, future in flying:
                    future.cancel()
                raise

    def _finish(self, path: Path, entry: FileProgress, intent: Intent) -> None:
        if path.is_file():
            self._progress.finish(entry, intent)

    def _entry(self, path: Path) -> FileProgress:
        """The progress of this very content, or a new one."""
        service, environment = self._args.service or "", self._args.environment or ""
        if not path.is_file():
            return FileProgress("-", 0, 0, service, environment, self._args.format, time.time_ns())
        status = path.stat()
        absolute = path.resolve()
        for entry in self._progress.candidates(absolute, status, service, environment):
            offset, digest = entry.check()
            if offset and self._digest(path, entry, offset) == digest:
                entry.path, entry.inode, entry.device = str(absolute), status.st_ino, status.st_dev
                return entry
        return FileProgress(
            str(absolute),
            status.st_ino,
            status.st_dev,
            service,
            environment,
            self._args.format,
            status.st_mtime_ns,
        )

    def _digest(self, path: Path, entry: FileProgress, offset: int) -> str:
        """SHA-256 of the content before the offset; empty when there is not that much."""
        if entry.shape == DOCUMENT:
            elements = _document_of(path) or []
            return elements_digest(elements[:offset]) if len(elements) >= offset else ""
        digest = hashlib.sha256()
        with _reading(path) as source:
            return digest.hexdigest() if read_past(source.content, offset, digest) == offset else ""

    def _content(
        self, source: Source, entry: FileProgress, start: int, stop: int | None
    ) -> Content | None:
        """What is to be read from `start` on; None when nothing is left."""
        times = Times(entry.file_unix_nano, self._naive_timezone)
        may_be_one = entry.shape == DOCUMENT or (entry.shape in ("auto", "json") and start == 0)
        if may_be_one and source.size_bytes is not None:
            elements = _document_of(source.path)
            if elements is not None:
                return DocumentContent(elements, times, start=start, stop=stop)
        digest = hashlib.sha256()
        read_past(source.content, start, digest)
        return LineContent(
            source.content, times, shape=entry.shape, start=start, digest=digest, stop=stop
        )

    def _naming(self, entry: FileProgress, path: Path) -> Naming:
        return Naming(
            self._args.service, self._args.environment, stem_of(path), entry.file_unix_nano
        )

    def _key(self, path: Path, batch: FileBatch) -> str:
        """The same for the same lines of the same file under the same options."""
        if not path.is_file():
            return f"import-{uuid.uuid4().hex}"
        parts = (
            str(path.resolve()),
            batch.digest,
            str(batch.start),
            str(batch.end),
            self._args.service or "",
            self._args.environment or "",
        )
        return f"import-{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'replace')).hexdigest()}"


def _document_of(path: Path) -> list[str] | None:
    """The elements of a file that is one JSON document; None when it is lines."""
    with _reading(path) as source:
        head = source.content.read(65536)
        if not may_be_document(head):
            return None
        whole = head + source.content.read(MAX_DOCUMENT_BYTES)
    return document_elements(whole) if len(whole) <= MAX_DOCUMENT_BYTES else None


class _reading:
    """A source for the length of a block; broken compressed data becomes Unreadable."""

    def __init__(self, path: Path) -> None:
        self._source = open_source(path)

    def __enter__(self) -> Source:
        return self._source

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._source.close()
        if error is not None and not isinstance(error, LogStreamError):
            broken = broken_as(self._source.path, error)
            if broken is not None:
                raise broken from error
