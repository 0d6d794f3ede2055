"""JSON text that PostgreSQL takes: hygiene on bytes, without parsing them.

PostgreSQL's json and jsonb refuse NUL, lone surrogates, invalid UTF-8 and numbers beyond
`numeric`; a client's line must not be lost for any of them, so each is replaced.
"""

import re
from typing import Any

import msgspec

from logstream.errors import DecodeError

MAX_DEPTH = 100
REPLACEMENT = "\ufffd".encode()

# A backslash pair is consumed whole, so that "\\u0000" (a backslash, then text) stays.
_BAD_ESCAPE = re.compile(
    rb"\\\\|\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
# A string ends at its line's end: one broken line of NDJSON must not turn the next inside out.
_STRING_OR_NUMBER = re.compile(rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|-?\d[-+.\deE]*+')
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{},]', re.DOTALL)
_NUMBER = re.compile(rb"-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")

# A copy in which digits read 0, exponent letters e and signs -, other letters x: a long
# exponent then reads 0e0000, and one inside a hexadecimal id ends at a letter or quote.
_EXPONENT_SHAPE = bytes.maketrans(
    b'0123456789eE+-"abcdfABCDFGHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz',
    b"0000000000ee--" + b"x" * 51,
)
_LONG_EXPONENT = re.compile(rb"0e-?0{4,}+[^ex-]")
# Limits of PostgreSQL's numeric: 131,072 digits before the point, 16,383 after.
_MAX_WHOLE_DIGITS, _MAX_DECIMALS = 131_072, 16_383
_BEFORE_A_NUMBER = b":,[ \t\r\n"
_LONGEST_MANTISSA = 200
_LONG_DIGITS = b"0" * 15_000  # shorter ones fit with any exponent of three digits
_encode = msgspec.json.encode


def clean_json(body: bytes) -> bytes:
    """The same JSON as PostgreSQL takes it; text that is clean already comes back as it is.

    Invalid UTF-8, NUL and lone surrogates become U+FFFD; a number beyond PostgreSQL's
    numeric becomes a string of its digits.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("utf-8", "replace").encode()
    if b"\x00" in body:
        body = body.replace(b"\x00", REPLACEMENT)
    if b"\\" in body and b"\\u" in body:
        body = _BAD_ESCAPE.sub(_keep_or_replace, body)
    if _may_hold_huge(body):
        body = _STRING_OR_NUMBER.sub(_quote_huge, body)
    return body


def clean_text(text: str) -> str:
    """The same text without NUL or lone surrogates; each becomes U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def is_deeper_than(json_text: bytes, depth: int = MAX_DEPTH) -> bool:
    """True when arrays and objects are nested more than `depth` levels."""
    if len(json_text) <= 2 * depth or json_text.count(b"{") + json_text.count(b"[") <= depth:
        return False
    level = 0
    for match in _STRING_OR_BRACKET.finditer(json_text):
        token = match[0]
        if token in (b"{", b"["):
            level += 1
            if level > depth:
                return True
        elif token in (b"}", b"]"):
            level -= 1
    return False


def without_depths(json_text: bytes, depth: int = 2 * MAX_DEPTH) -> bytes:
    """The same with null for whatever is nested more than `depth` levels.

    No parser gives up on it, and what was nested too deep still is: only that is refused.
    """
    parts: list[bytes] = []
    level, start = 0, 0
    for match in _STRING_OR_BRACKET.finditer(json_text):
        token = match[0]
        if token in (b"{", b"["):
            level += 1
            if level == depth + 1:
                parts += (json_text[start : match.start()], b"null")
                start = len(json_text)
        elif token in (b"}", b"]"):
            level -= 1
            if level == depth:
                start = match.end()
    return b"".join((*parts, json_text[start:]))


def back_to_back(json_text: bytes) -> list[bytes]:
    """What may be objects and arrays one after the other, some of which no parser takes.

    Only brackets and strings are looked at; what is left at the end is a piece too.
    """
    pieces: list[bytes] = []
    level, start = 0, 0
    for match in _STRING_OR_BRACKET.finditer(json_text):
        token = match[0]
        if token in (b"{", b"["):
            level += 1
        elif token in (b"}", b"]"):
            level -= 1
            if level == 0:
                pieces.append(json_text[start : match.end()].strip())
                start = match.end()
    rest = json_text[start:].strip()
    return [*pieces, rest] if rest else pieces


def array_elements(array: bytes) -> list[bytes]:
    """The elements of a JSON array no parser takes whole, split at its top-level commas.

    Only brackets and strings are looked at: each element must still be parsed.
    Raises DecodeError when the array is not closed or something follows it.
    """
    elements: list[bytes] = []
    level, start = 0, 0
    for match in _STRING_OR_BRACKET.finditer(array):
        token = match[0]
        if token in (b"{", b"["):
            level += 1
            start = match.end() if level == 1 else start
        elif token in (b"}", b"]"):
            level -= 1
            if level == 0:
                if array[match.end() :].strip():
                    break
                elements.append(array[start : match.start()].strip())
                return elements if elements != [b""] else []
        elif token == b"," and level == 1:
            elements.append(array[start : match.start()].strip())
            start = match.end()
    raise DecodeError(
        "the body is not valid JSON: its array does not end where the body ends",
        "close every bracket, or send one object a line",
    )


def merged(object_text: bytes, extra: dict[str, Any]) -> bytes:
    """A JSON object's text with more members; values may be msgspec.Raw."""
    if not extra:
        return object_text
    members = _encode(extra)[1:]
    head = object_text.rstrip()[:-1].rstrip()
    return head + (b"" if head == b"{" else b",") + members


def _may_hold_huge(body: bytes) -> bool:
    """False when no number outside of strings can be beyond PostgreSQL's numeric."""
    shape = body.translate(_EXPONENT_SHAPE)
    if _LONG_DIGITS in shape:
        return True
    for match in _LONG_EXPONENT.finditer(shape):
        # Nearly always a piece of an id in a text, so look at what stands before the digits.
        end = match.start() + 1
        before = body[max(0, end - _LONGEST_MANTISSA) : end].rstrip(b"0123456789.-")
        if not before or before[-1:] in _BEFORE_A_NUMBER:
            return True
    return False


def _keep_or_replace(match: re.Match[bytes]) -> bytes:
    token = match[0]
    # Two units: a backslash pair, or a high surrogate followed by its low one.
    return token if len(token) in (2, 12) else REPLACEMENT


def _quote_huge(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token[0] == 34:
        return token
    number = _NUMBER.fullmatch(token)
    if number is None:
        return token
    whole, decimals, exponent_text = number.groups(b"")
    if len(exponent_text) > 7:
        return b'"' + token + b'"'
    exponent = int(exponent_text or b"0")
    fits = len(whole) + exponent <= _MAX_WHOLE_DIGITS and len(decimals) - exponent <= _MAX_DECIMALS
    return token if fits else b'"' + token + b'"'
