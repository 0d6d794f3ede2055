"""Lines to records: which lines are one record, and what a record takes from its neighbours."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from logstream.receive.text_shapes.header import ANSI, Header, without_colours
from logstream.receive.text_shapes.json_lines import parse_json
from logstream.receive.text_shapes.key_values import parse_logfmt
from logstream.receive.text_shapes.program_text import parse_anything
from logstream.receive.text_shapes.shapes import LINE_SHAPES, SHAPES, WRAPPERS
from logstream.receive.text_shapes.times import Times

MAX_JOINED_LINES = 1_000
MAX_JOINED_CHARS = 256 * 1024

# Lines that only a stack trace has; and, wider, lines that no record begins with.
_TRACE = re.compile(
    r"\s+at \S|at [\w$.<>/]+[(\[]|\s*Caused by: |\s*Suppressed: |Traceback \(most recent"
    r"|\s*\.\.\. \d+ (?:more|common)|\s+File \"|#\d+ |\[stacktrace\]|goroutine \d+ \["
)
_CONTINUES = re.compile(rf"\s|--> |\"\}}|[\])}}>]+[,;]?\s*$|{_TRACE.pattern}")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)\b")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file without its line break, and the offset just behind it."""

    text: str
    end: int


@dataclass(frozen=True, slots=True)
class Grouped:
    """One record's header (body joined), how many lines it took, and where the last ended."""

    header: Header
    lines: int
    end: int


class Grouper:
    """Groups the lines of one file, holding no more than one record.

    `blank` counts the empty lines read so far: they belong to no record, though those
    inside one stay in its body.
    """

    def __init__(self, shape: str, times: Times) -> None:
        self.blank = 0
        self._shape = shape
        self._parse = SHAPES[shape]
        self._times = times

    def records(self, lines: Iterable[Line]) -> Iterator[Grouped]:
        """The records of the lines, in order."""
        header: Header | None = None
        parts: list[str] = []
        chars = count = end = blanks = 0
        for line in lines:
            if not line.text or line.text.isspace():
                self.blank += 1
                blanks += 1
                continue
            has_room = count < MAX_JOINED_LINES and chars + len(line.text) <= MAX_JOINED_CHARS
            current = header if has_room else None
            step = self._read(line.text, current, parts)
            if isinstance(step, str):
                parts.extend([""] * blanks)
                parts.append(step)
            elif current is not None and _goes_on(current, step):
                parts[-1] += step.body
                header = replace(current, is_partial=step.is_partial)
            elif current is not None and len(parts) == 1 and _completes(current, step):
                header = replace(
                    current, severity_number=step.severity_number, severity_text=step.severity_text
                )
                parts.append(step.body)
            else:
                if header is not None:
                    yield Grouped(replace(header, body="\n".join(parts)), count, end)
                header = step
                parts, chars, count = [header.body], 0, 0
            chars, count, end, blanks = chars + len(line.text), count + 1, line.end, 0
        if header is not None:
            yield Grouped(replace(header, body="\n".join(parts)), count, end)

    def _read(self, text: str, current: Header | None, parts: list[str]) -> Header | str:
        """The line's header, or the text by which it goes on with the current record."""
        plain = without_colours(text)
        if self._shape in WRAPPERS:
            found = self._parse(plain, self._times)
            if found is None:
                return self._stranger(text)
            if (
                current is not None
                and found.severity_number is None
                and _stream(found) == _stream(current)
                and self._continues(found.body, current, parts)
            ):
                return found.body
            return _coloured(found, text, plain)
        if current is not None and self._continues(plain, current, parts):
            return text
        found = self._parse(plain, self._times)
        if found is not None:
            return _coloured(found, text, plain)
        if current is not None and self._shape not in LINE_SHAPES:
            return text
        return self._stranger(text)

    def _continues(self, plain: str, current: Header, parts: list[str]) -> bool:
        if _TRACE.match(plain):
            return True
        if any(part.startswith("Traceback (most recent") for part in parts[-60:]):
            return bool(_CONTINUES.match(plain) or _EXCEPTION.match(plain))
        if self._shape == "plain" or (self._shape in WRAPPERS and current.severity_number is None):
            return False
        if plain.lstrip()[:1] == "{" and self._shape in LINE_SHAPES:
            return False
        return bool(_CONTINUES.match(plain))

    def _stranger(self, text: str) -> Header:
        """The header of a line that is not of the file's shape."""
        plain = without_colours(text)
        for parse in (parse_json, parse_logfmt, parse_anything):
            found = parse(plain, self._times)
            if found is not None:
                return _coloured(found, text, plain)
        return Header(body=text)


def _stream(header: Header) -> tuple[str | None, object]:
    return header.service, header.attributes.get("log.iostream")


def _goes_on(header: Header, step: Header) -> bool:
    return header.is_partial and _stream(step) == _stream(header)


def _completes(header: Header, step: Header) -> bool:
    """True for java.util.logging's second line: the first had the time, this has the level."""
    return (
        header.timestamp_unix_nano is not None
        and header.severity_number is None
        and step.timestamp_unix_nano is None
        and step.severity_number is not None
    )


def _coloured(header: Header, text: str, plain: str) -> Header:
    """The header with the colours its body had, when the body is the end of the line."""
    if len(plain) == len(text) or not plain.endswith(header.body):
        return header
    hidden = len(plain) - len(header.body)
    position = 0
    while hidden > 0:
        escape = ANSI.match(text, position)
        position = escape.end() if escape else position + 1
        hidden -= 0 if escape else 1
    return replace(header, body=text[position:])
