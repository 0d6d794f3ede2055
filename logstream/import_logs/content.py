"""A file's content as records: lines grouped by shape, or the elements of a JSON document."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import IO, Protocol

import msgspec

from logstream.import_logs.files import READ_ERRORS, lines_of
from logstream.receive.text_shapes.grouping import Grouped, Grouper, Line
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.json_lines import parse_json
from logstream.receive.text_shapes.shapes import shape_of
from logstream.receive.text_shapes.times import Times

SAMPLE_LINES = 300
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
DOCUMENT = "json document"
_raw = msgspec.json.Decoder(msgspec.Raw)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])


class Content(Protocol):
    """What is read of a file. Offsets count bytes of lines, or elements of a document."""

    shape: str
    end: int
    broken: Exception | None

    def grouped(self) -> Iterable[Grouped]:
        """The records in order."""
        ...

    def mark(self, end: int) -> tuple[int, str]:
        """(blank lines, SHA-256 of the content) before `end`, the end of the newest record."""
        ...


class LineContent:
    """Lines from `start` on (`digest` has taken what is before), up to `stop` if given."""

    def __init__(
        self,
        content: IO[bytes],
        times: Times,
        *,
        shape: str,
        start: int,
        digest: "hashlib._Hash",
        stop: int | None = None,
    ) -> None:
        lines = lines_of(content, start)
        sample = list(islice(lines, SAMPLE_LINES)) if shape == "auto" else []
        self.shape = shape_of([line.text for line, _ in sample], times) if sample else shape
        if self.shape == "auto":
            self.shape = "plain"
        self.end = start
        self._lines = chain(sample, lines)
        self._stop = stop
        self._times = times
        self._digest = digest
        self._blank = 0
        self.broken: Exception | None = None
        # The grouper looks one line ahead: a record ends at the last line or the one before.
        self._marks = [(start, 0, digest.copy())] * 2

    def grouped(self) -> Iterator[Grouped]:
        """The records in order."""
        return Grouper(self.shape, self._times).records(self._passing())

    def mark(self, end: int) -> tuple[int, str]:
        """(blank lines, SHA-256 of the content) before `end`."""
        if end == self.end:
            return self._blank, self._digest.hexdigest()
        blank, digest = next((b, d) for at, b, d in reversed(self._marks) if at == end)
        return blank, digest.hexdigest()

    def _passing(self) -> Iterator[Line]:
        for line, piece in self._whole_lines():
            self._digest.update(piece)
            self.end = line.end
            if not line.text or line.text.isspace():
                self._blank += 1
            else:
                self._marks = [self._marks[-1], (line.end, self._blank, self._digest.copy())]
            yield line
            if self._stop is not None and line.end >= self._stop:
                return

    def _whole_lines(self) -> Iterator[tuple[Line, bytes]]:
        """What can be read before the data breaks, if it does: `broken` then says how."""
        try:
            yield from self._lines
        except READ_ERRORS as error:
            self.broken = error


class DocumentContent:
    """The elements of one JSON document from `start` on, up to `stop` if given."""

    shape = DOCUMENT
    broken: Exception | None = None

    def __init__(
        self, elements: list[str], times: Times, *, start: int, stop: int | None = None
    ) -> None:
        self._elements = elements
        self._times = times
        self._start = start
        self.end = len(elements) if stop is None else stop

    def grouped(self) -> Iterator[Grouped]:
        """The records in order; an element that is no object is a record of its own text."""
        for index in range(self._start, self.end):
            text = self._elements[index]
            yield Grouped(parse_json(text, self._times) or Header(body=text), 1, index + 1)

    def mark(self, end: int) -> tuple[int, str]:
        """No blanks, and the SHA-256 of the elements before `end`."""
        return 0, elements_digest(self._elements[:end])


def elements_digest(elements: list[str]) -> str:
    """SHA-256 of some elements of a document, whatever stood between them."""
    digest = hashlib.sha256()
    for element in elements:
        digest.update(element.encode())
        digest.update(b"\x00")
    return digest.hexdigest()


def may_be_document(head: bytes) -> bool:
    """True when the content's beginning looks like an array or a pretty-printed object."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"[":
        return text[1:].lstrip()[:1] in (b"{", b"[", b'"', b"]")
    if text[:1] != b"{":
        return False
    try:
        _raw.decode_lines(text.partition(b"\n")[0])
    except (msgspec.DecodeError, RecursionError):
        return text.partition(b"\n")[0].strip() == b"{" or b"\n" in text[:200]
    return False


def document_elements(content: bytes) -> list[str] | None:
    """The elements of an array, or objects one behind the other; None when it is neither."""
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    text = text.decode("utf-8", "replace").replace("\x00", "\ufffd").encode()
    try:
        values = _raw_array.decode(text) if text[:1] == b"[" else _raw.decode_lines(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return [bytes(value).decode() for value in values]
