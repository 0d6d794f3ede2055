"""What the person at the terminal sees: a bar with rate and time left, or plain lines."""

import sys
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from logstream.import_logs.files import STDIN, Source


def counted(number: int, unit: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


class Display:
    """A progress bar over all files when standard output is a terminal; else only lines."""

    def __init__(self, total_bytes: int) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._is_live = self._console.is_terminal
        self._records = 0
        self._done_bytes = 0
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._is_live,
        )
        self._task: TaskID = self._bar.add_task("", total=total_bytes or None, rate="")

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._console.print(line, markup=False)

    def complain(self, line: str) -> None:
        """A line on standard error."""
        print(f"logstream: {line}", file=sys.stderr, flush=True)

    def starts(self, path: Path, source: Source) -> None:
        """The bar names the file being read."""
        self._bar.update(self._task, description="standard input" if path == STDIN else path.name)
        self._records = 0

    def moved(self, source: Source, records: int) -> None:
        """How far the disk was read, and the records of this file so far."""
        if source.size_bytes is not None:
            self._bar.update(self._task, completed=self._done_bytes + source.raw.tell())
        elapsed = self._bar.tasks[0].elapsed or 0.0
        self._records = records
        if elapsed > 0:
            self._bar.update(self._task, rate=f"{records / elapsed:,.0f} records/s")

    def ends(self, source: Source) -> None:
        """The file was read to its end."""
        self._done_bytes += source.size_bytes or 0
        self._bar.update(self._task, completed=self._done_bytes)
