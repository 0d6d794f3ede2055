"""logfmt: `time=… level=info msg="order paid" user=7`."""

import re

from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.json_lines import header_of
from logstream.receive.text_shapes.times import Times

_PAIR = re.compile(r"\s*([A-Za-z_@][\w.@/-]*)=(?:\"((?:[^\"\\]|\\.)*+)\"|([^\s\"]*))(?=\s|$)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def pairs_of(line: str) -> dict[str, str] | None:
    """The pairs of a line that is nothing but two or more of them."""
    fields: dict[str, str] = {}
    position = 0
    while match := _PAIR.match(line, position):
        quoted, bare = match[2], match[3]
        fields[match[1]] = bare if quoted is None else _ESCAPE.sub(_unescape, quoted)
        position = match.end()
    return None if len(fields) < 2 or line[position:].strip() else fields


def parse_logfmt(line: str, times: Times) -> Header | None:
    """The header of a line that is nothing but two or more pairs, a level or message among them."""
    fields = pairs_of(line)
    if fields is None:
        return None
    header = header_of(fields, line, times)
    return None if header.body is line and header.has_no_sign else header


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])
