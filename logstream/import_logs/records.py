"""A file's content to batches of NDJSON in our own API's shape, every line accounted for."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from logstream.import_logs.content import Content
from logstream.model import SEVERITY_WORDS, iso_time
from logstream.receive.json_text import clean_text
from logstream.receive.severity import severity_number
from logstream.receive.text_shapes.grouping import Grouped
from logstream.receive.text_shapes.header import Header

MAX_BATCH_BYTES = 4 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Naming:
    """What a record takes when it does not say: options of the command win over the line."""

    service: str | None
    environment: str | None
    file_stem: str
    file_unix_nano: int


@dataclass(frozen=True)
class FileBatch:
    """Some records in a row. Offsets are of the decompressed content, start inclusive.

    `digest` is the SHA-256 of the content up to `end`; `last_unix_nano` the time the next
    record without one takes.
    """

    start: int
    end: int
    body: bytes
    records: int
    lines: int
    blank: int
    digest: str
    last_unix_nano: int


def batches(
    content: Content, naming: Naming, *, start: int, last_unix_nano: int | None, batch_records: int
) -> Iterator[FileBatch]:
    """Batches of at most `batch_records` records or about 4 MiB, in the file's order.

    `last_unix_nano` is the time of the record before `start`, None at the file's beginning.
    """
    last = naming.file_unix_nano if last_unix_nano is None else last_unix_nano
    parts: list[bytes] = []
    size_bytes = lines = blank_before = 0
    batch_start = end = start

    def cut() -> FileBatch:
        blank, digest = content.mark(end)
        body = b"".join(parts)
        return FileBatch(
            batch_start, end, body, len(parts), lines, blank - blank_before, digest, last
        )

    for grouped in content.grouped():
        moment = grouped.header.timestamp_unix_nano
        last = last if moment is None else moment
        text = ndjson(grouped, naming, last)
        parts.append(text)
        size_bytes += len(text)
        lines += grouped.lines
        end = grouped.end
        if len(parts) >= batch_records or size_bytes >= MAX_BATCH_BYTES:
            yield cut()
            blank_before = content.mark(end)[0]
            batch_start, parts, size_bytes, lines = end, [], 0, 0
    # Blank lines at the end belong to the last batch, so that the file counts as read.
    end = max(end, content.end)
    if end > batch_start:
        yield cut()


def ndjson(grouped: Grouped, naming: Naming, moment_unix_nano: int) -> bytes:
    """One record as a line of NDJSON."""
    header = grouped.header
    fields: dict[str, object] = {
        "source": (naming.service or (header.service or "").strip() or naming.file_stem)[:200],
        "message": header.body,
        "severity": severity_word(header),
        "createdAt": iso_time(moment_unix_nano),
    }
    environment = naming.environment or header.environment
    optional = {
        "environment": environment and environment[:200],
        "traceId": header.trace_id,
        "spanId": header.span_id,
        "metadata": header.attributes,
    }
    fields |= {name: value for name, value in optional.items() if value}
    try:
        return _encode(fields) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate out of a JSON line's escapes
        return _encode(_clean(fields)) + b"\n"


def severity_word(header: Header) -> str:
    """The sender's own word when the service reads it alike, else OpenTelemetry's short name."""
    number = 9 if header.severity_number is None else header.severity_number
    text = header.severity_text
    if text and severity_number(text) == number:
        return text
    step = (number - 1) % 4
    return SEVERITY_WORDS[(number - 1) // 4] + (str(step + 1) if step else "")


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
