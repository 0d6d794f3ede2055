r"""Redaction: what must not be stored is masked before it lands, and the record says so.

Patterns are looked for in messages and inside the strings of attributes; a quick look tells
most texts apart that hold nothing. The built-in patterns take time that grows with the text
and no faster; what a pattern of one's own costs is up to its author.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from logstream.errors import SettingsError
from logstream.model import Decoded, LogRecord, Reject, Span
from logstream.receive.attribute_text import with_attribute

MARK = "logstream.redacted"
# A JSON string, quotes included; possessive, so that nothing is tried twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Runs are tried from their beginning only, and only as long as an address may be.
_EMAIL = re.compile(
    r"(?<![\w.%+\-])[\w.%+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){0,8}\.[^\W\d_]{2,24}(?![\w\-])"
)
# As printed on cards, four by four (American Express: 4, 6, 5), or without gaps.
_CARD = re.compile(
    r"(?<![\w.])(?:[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}|3[47]\d\d([ -])\d{6}\2\d{5}|[2-6]\d{12,18})"
    r"(?!\w)"
)
_DIGITS = re.compile(r"\d(?:[ -]?\d){12}")
_BEARER = re.compile(
    r"(?P<kept>\b(?i:bearer|basic|splunk|apikey)[ \t]{1,4})[\w.~+/\-]{8,8192}={0,2}"
    r"|\beyJ[\w\-]{8,8192}\.[\w\-]{2,8192}\.[\w\-]{2,8192}"
    r"|\bls_[0-9A-Za-z]{8}_[0-9A-Za-z]{16,64}"
)
_BEARER_HINT = re.compile(r"(?i:bearer|basic|splunk|apikey)[ \t]|eyJ|ls_")
_PART = re.compile(r"\s*((?:[\w-]+=)?/(?:\\.|[^/\\])+/|[^,/]+)\s*(?:,|$)")
_NAMED = re.compile(r"(?:([\w-]+)=)?/(.+)/", re.DOTALL)


class Pattern(NamedTuple):
    """A kind of text to mask. `hint` finds, quickly, whether a text may hold one."""

    name: str
    pattern: re.Pattern[str]
    hint: Callable[[str], object]
    is_meant: Callable[[re.Match[str]], bool] = lambda _match: True


def _passes_luhn(match: re.Match[str]) -> bool:
    """Whether the digits are a card's: the last one checks the others (ISO/IEC 7812-1)."""
    digits = [int(one) for one in match[0] if one.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


BUILT_IN = {
    "email": Pattern("email", _EMAIL, lambda text: "@" in text),
    "card": Pattern("card", _CARD, _DIGITS.search, _passes_luhn),
    "bearer": Pattern("bearer", _BEARER, _BEARER_HINT.search),
}


class Redaction:
    """The patterns of one installation."""

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self._patterns = patterns

    @classmethod
    def parse(cls, text: str) -> "Redaction | None":
        """From `email,card,bearer,/one's own/,name=/another/`; None for nothing.

        Raises SettingsError.
        """
        patterns: list[Pattern] = []
        position = 0
        while text[position:].strip():
            part = _PART.match(text, position)
            if part is None:
                raise _refused(text[position:].strip(), "is no pattern")
            patterns.append(_pattern(part[1].strip()))
            position = part.end()
        return cls(tuple(patterns)) if patterns else None

    def apply(self, decoded: Decoded) -> Decoded:
        """The same with all that the patterns find masked."""
        return msgspec.structs.replace(
            decoded,
            records=[self._record(record) for record in decoded.records],
            spans=[self._span(span) for span in decoded.spans],
            rejects=[self._reject(reject) for reject in decoded.rejects],
        )

    def text(self, text: str, found: dict[str, None]) -> str:
        """The text masked; the names of what was found are added to `found`."""
        for pattern in self._patterns:
            if pattern.hint(text):
                text = _mask(pattern, text, found)
        return text

    def replaced(self, text: str, stand_in: Callable[[str, str], str]) -> str:
        """The text with `stand_in(name of the pattern, what it found)` for each thing found."""
        for pattern in self._patterns:
            if pattern.hint(text):
                text = _replace(pattern, text, stand_in)
        return text

    def json(self, value: bytes, found: dict[str, None]) -> bytes:
        """JSON with its strings masked; the same bytes when nothing is found."""
        if len(value) <= 2:
            return value
        text = value.decode()
        if "\\" not in text and not any(pattern.hint(text) for pattern in self._patterns):
            return value

        def masked(match: re.Match[bytes]) -> bytes:
            # A message in which nothing is found keeps the sender's own escapes.
            before = msgspec.json.decode(match[0], type=str)
            after = self.text(before, found)
            return match[0] if after == before else msgspec.json.encode(after)

        return _STRING.sub(masked, value)

    def _record(self, record: LogRecord) -> LogRecord:
        found: dict[str, None] = {}
        body = self.text(record.body, found)
        attributes = self.json(record.attributes, found)
        if not found:
            return record
        return msgspec.structs.replace(
            record, body=body, attributes=with_attribute(attributes, MARK, list(found))
        )

    def _span(self, span: Span) -> Span:
        found: dict[str, None] = {}
        name = self.text(span.name, found)
        message = span.status_message and self.text(span.status_message, found)
        attributes = self.json(span.attributes, found)
        events, links = self.json(span.events, found), self.json(span.links, found)
        if not found:
            return span
        return msgspec.structs.replace(
            span,
            name=name,
            status_message=message,
            attributes=with_attribute(attributes, MARK, list(found)),
            events=events,
            links=links,
        )

    def _reject(self, reject: Reject) -> Reject:
        found: dict[str, None] = {}
        # Bytes that may be anything: Latin-1 gives each a character and takes it back.
        raw = self.text(reject.raw.decode("latin-1"), found).encode("latin-1", "replace")
        error = self.text(reject.error, found)
        if not found:
            return reject
        return msgspec.structs.replace(reject, error=error, raw=raw)


def _mask(pattern: Pattern, text: str, found: dict[str, None]) -> str:
    def masked(name: str, _secret: str) -> str:
        found[name] = None
        return f"[redacted:{name}]"

    return _replace(pattern, text, masked)


def _replace(pattern: Pattern, text: str, stand_in: Callable[[str, str], str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if not pattern.is_meant(match):
            return match[0]
        kept = match.groupdict().get("kept") or ""
        return kept + stand_in(pattern.name, match[0][len(kept) :])

    return pattern.pattern.sub(replaced, text)


def _pattern(word: str) -> Pattern:
    named = _NAMED.fullmatch(word)
    if named is None:
        if word not in BUILT_IN:
            raise _refused(word, "is no pattern")
        return BUILT_IN[word]
    name, source = named[1] or "custom", named[2].replace("\\/", "/")
    try:
        pattern = re.compile(source)
    except re.error as error:
        raise _refused(word, f"cannot be read: {error}") from None
    if pattern.search("") is not None:
        raise _refused(word, "matches the empty text, so it would mask everything")
    return Pattern(name, pattern, pattern.search)


def _refused(word: str, why: str) -> SettingsError:
    return SettingsError(
        f"LOGSTREAM_REDACT: '{word}' {why}",
        "use a comma list of email, card, bearer and /regular expressions/ as Python reads them",
    )
