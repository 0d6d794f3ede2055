"""Message templates (messagetemplates.org) filled with an event's properties."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

_TOKEN = re.compile(
    r"\{\{|\}\}|\{([@$]?)([\w.]+)(?:,(-?\d{1,4}))?(?::([^{}]*))?\}",
)
_ZEROS = re.compile(r"0+").fullmatch
_FIXED = re.compile(r"(0+|#)\.(0{1,12})|[Ff](\d{1,2})").fullmatch


class _Hole(NamedTuple):
    """A place in a template for the value of a property."""

    text: str
    name: str
    width: int
    format: str | None


def rendered(
    template: str, properties: Mapping[str, msgspec.Raw], renderings: Sequence[str] = ()
) -> str:
    """The template with its holes filled; a hole without a property stays as it is written.

    `renderings` are what the sender made of the holes that have a format, in their order.
    Without them, widths and the formats of zeros (`000`, `0.00`, `F2`) are followed.
    """
    if "{" not in template and "}" not in template:
        return template
    made = iter(renderings)
    parts: list[str] = []
    for piece in _pieces(template):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        given = next(made, None) if piece.format is not None else None
        value = properties.get(piece.name)
        if given is not None:
            text = given
        elif value is None:
            parts.append(piece.text)
            continue
        else:
            text = _formatted(_text_of(value), piece.format)
        parts.append(text.rjust(piece.width) if piece.width > 0 else text.ljust(-piece.width))
    return "".join(parts)


@lru_cache(maxsize=2_000)
def _pieces(template: str) -> tuple[str | _Hole, ...]:
    pieces: list[str | _Hole] = []
    end = 0
    for match in _TOKEN.finditer(template):
        if match.start() > end:
            pieces.append(template[end : match.start()])
        end = match.end()
        if match[2] is None:
            pieces.append(match[0][0])
        else:
            pieces.append(_Hole(match[0], match[2], int(match[3] or 0), match[4]))
    if end < len(template):
        pieces.append(template[end:])
    return tuple(pieces)


def _text_of(value: msgspec.Raw) -> str:
    raw = bytes(value)
    return str(msgspec.json.decode(raw, type=str)) if raw[:1] == b'"' else raw.decode()


def _formatted(text: str, pattern: str | None) -> str:
    """The number with leading zeros or decimals as the pattern says; anything else unchanged."""
    if not pattern or len(text) > 300:
        return text
    if _ZEROS(pattern) and len(pattern) <= 100 and text.removeprefix("-").isdecimal():
        return text.zfill(len(pattern) + (text[0] == "-"))
    fixed = _FIXED(pattern)
    if fixed is not None:
        decimals = len(fixed[2]) if fixed[2] else int(fixed[3])
        try:
            return f"{float(text):.{decimals}f}"
        except ValueError:
            return text
    return text
