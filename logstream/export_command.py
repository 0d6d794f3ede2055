"""The command `logstream export`: every matching line of a running LogStream, as a file."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, get_args
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from logstream.addresses import is_loopback
from logstream.errors import LogStreamError, StoreUnavailable
from logstream.query.export.forms import Name
from logstream.settings import Settings
from logstream.wiring import sender_authorization

STANDARD_OUTPUT = "-"
_EXTENSIONS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet"}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
# Options that are URL parameters under the same name, and what they mean.
_FILTERS = {
    "from": ("TIME", "ISO 8601, inclusive"),
    "to": ("TIME", "ISO 8601, exclusive"),
    "range": ("TIME", "relative: 15m, 1h, 7d"),
    "env": ("NAMES", "comma list; -name excludes"),
    "service": ("NAMES", "comma list; -name excludes"),
    "severity": ("WORDS", "comma list; -name excludes"),
    "trace": ("ID", "of one trace"),
    "q": ("QUERY", "as in the search box"),
    "at": ("TIME", "as the store looked at this moment"),
    "view": ("ID", "of a saved view"),
}
# Nothing for so long, and the service is taken for gone; it may look for rare lines for a while.
_SILENCE_SECONDS = 300.0


class ExportFailed(LogStreamError):
    """There is no file, because the service gave none or not all of it."""

    code = "export_failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form, the file and the filters."""
    parser.add_argument(
        "--format", choices=get_args(Name), help="default: by the file's name, else ndjson"
    )
    parser.add_argument(
        "--output",
        default=STANDARD_OUTPUT,
        metavar="FILE",
        help="- for standard output (default); .gz and .zst are compressed",
    )
    for name, (value, words) in _FILTERS.items():
        # A value may begin with a dash: --service=-health.
        parser.add_argument(f"--{name}", dest=f"filter_{name}", metavar=value, help=words)
    parser.add_argument("--order", choices=("newest", "oldest"), default="newest")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many lines")
    parser.add_argument("--bom", action="store_true", help="CSV for Excel: byte order mark first")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when the file is there and whole, 1 when not; then there is none."""
    try:
        with _opened(args.output) as file:
            _export(args, settings, file)
    except (ExportFailed, StoreUnavailable) as error:
        print(f"logstream: {error.one_line()}", file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        print(f"logstream: {args.output}: {error.strerror}", file=sys.stderr, flush=True)
        return 1
    return 0


def _export(args: argparse.Namespace, settings: Settings, file: IO[bytes]) -> None:
    headers = sender_authorization(settings, "export", "read")()
    if is_loopback(urlsplit(settings.url).hostname or ""):
        headers = {**headers, "accept-encoding": "identity"}
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(10, read=_SILENCE_SECONDS)) as client,
            client.stream(
                "GET", f"{settings.url}/logs/export", params=_parameters(args), headers=headers
            ) as answer,
        ):
            if answer.status_code != 200:
                raise _refusal(answer)
            _receive(answer, file)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
        raise ExportFailed(
            "the service cut the export off: the file would not be whole, so there is none",
            "export again; the service's log says why",
        ) from error
    except httpx.HTTPError as error:
        raise StoreUnavailable(
            f"the service at {settings.url} does not answer", "see LOGSTREAM_URL"
        ) from error


def _receive(answer: httpx.Response, file: IO[bytes]) -> None:
    total = answer.headers.get("x-logstream-total")
    media_type = answer.headers.get("content-type", "")
    # Only of text as it is can anybody count the lines under way.
    is_text = media_type.startswith(("text/", "application/x-ndjson"))
    console = Console(stderr=True, highlight=False)
    lines = size = 0
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[size]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        expected = int(total) if total and is_text else None
        task = progress.add_task("exporting", total=expected, size="")
        for piece in answer.iter_bytes():
            file.write(piece)
            size += len(piece)
            lines += piece.count(b"\n") if is_text else 0
            progress.update(task, completed=lines, size=f"{lines:,} lines, {size / 1e6:,.1f} MB")


def _parameters(args: argparse.Namespace) -> dict[str, str]:
    form, compress = form_of(args.output)
    given: dict[str, Any] = {name: getattr(args, f"filter_{name}") for name in _FILTERS}
    given |= {
        "format": args.format or form,
        "compress": compress,
        "order": args.order,
        "limit": args.limit,
        "bom": "true" if args.bom else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def form_of(output: str) -> tuple[str, str]:
    """(form, compression) that a file's name asks for: `day.csv.gz` is CSV in gzip."""
    path = Path(output)
    compress = _COMPRESSED.get(path.suffix.lower(), "")
    inner = path.with_suffix("") if compress else path
    return _EXTENSIONS.get(inner.suffix.lower(), "ndjson"), compress


def _refusal(answer: httpx.Response) -> ExportFailed:
    answer.read()
    try:
        said = answer.json()["error"]
        return ExportFailed(str(said["message"]), str(said.get("hint", "")))
    except (ValueError, KeyError, TypeError):
        return ExportFailed(f"the service answered {answer.status_code}", "see LOGSTREAM_URL")


@contextmanager
def _opened(output: str) -> Iterator[IO[bytes]]:
    """The file to write; it has its name only once it is whole."""
    if output == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # As any other file that is made, not for its owner alone.
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
