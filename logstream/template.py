"""Templates: a message with typed places, such as `order <num> packed in <duration>`.

A place's kind tells what stands there as far as its shape shows. Text of a message that looks
like a place itself (`<num>`) is one of kind `word`, so a template is read in one way. White
space is one space. Every expression here is linear in the text: log text is anybody's.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

KINDS = (
    *("num", "id", "ip", "path", "duration", "size", "money", "time", "hex", "url", "email"),
    "word",
    # Several of these in a row; and words that vary in number.
    *("list", "text"),
)
# Of longer messages the beginning.
MAX_CHARACTERS = 2_000
PLACE = re.compile(rf"<({'|'.join(KINDS)})>")
RARE_MESSAGES = "<various rare messages>"
UNNAMED = "<lines from before there were patterns>"

_END = r"(?![A-Za-z0-9_])"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}+,?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}+\.?"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?+(?:[.,:]\d{1,9})?+(?:\s?[AP]M\b)?+"
_ZONE = r"(?:Z\b|\s?[+-]\d\d:?\d\d\b|\s(?:UTC|GMT|[ECMP][SD]T|CES?T)\b)?+"
_CURRENCIES = (
    "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|ILS|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|RUB|SEK|SGD"
    "|THB|TRY|TWD|UAH|USD|ZAR"
)
# The leftmost that matches, and of several there the first, is what stands at a place.
_SHAPES: tuple[tuple[str, str], ...] = (
    ("url", r"[a-z][a-z0-9+.-]{1,15}+://[^\s\"'<>|)\]}]++"),
    ("email", r"(?<![\w.+-])[\w.+-]{1,64}+@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++"),
    (
        "time",
        rf"(?<![\w.-])\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[T :]{_CLOCK}{_ZONE})?+{_END}"
        rf"|(?<![\w.-])\d{{1,2}}[-/.](?:\d{{1,2}}|{_MONTH})[-/.]\d{{2,4}}[ :T]{_CLOCK}{_ZONE}{_END}"
        rf"|(?:{_DAY}\s{{1,2}})?+(?:{_MONTH}\s{{1,2}}\d{{1,2}}|\d{{1,2}}\s{_MONTH}),?"
        rf"(?:\s\d{{4}},?)?\s{_CLOCK}{_ZONE}(?:\s\d{{4}})?+{_END}"
        rf"|(?<![\w.:])\d{{1,2}}:\d\d:\d\d(?:[.,]\d{{1,9}})?+(?![\w:])",
    ),
    ("id", r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"),
    (
        "ip",
        # Version 4, version 6, network cards, and hosts with a port.
        r"(?<![\w.])/?(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?+(?:/\d{1,2})?+(?![./-]?\w)"
        r"|(?<![\w:.])(?=[A-Fa-f:]*+[0-9])(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){7}"
        r"|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}"
        r"|(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})(?:%\w++)?+(?![\w:])"
        r"|(?<![\w.@-])(?:[A-Za-z0-9-]{1,63}\.){1,8}(?:com|net|org|edu|gov|io|local|internal"
        r"|[a-z]{2}):\d{2,5}(?![\w:.])",
    ),
    ("hex", rf"(?<![A-Za-z0-9])0[xX][0-9A-Fa-f]++{_END}"),
    (
        "path",
        r"(?<![\w./\\<>)-])[A-Za-z]:(?:\\{1,2}[\w.$%@~+{}-]++)++\\?+"
        r"|(?<![\w.:/\\<>)-])\\{1,2}[\w.$%@~+-]++(?:\\{1,2}[\w.$%@~+{}-]++)*+\\?+"
        r"|(?<![\w./<>)-])~?(?:/[\w.@%+~=$:-]++)++/?+(?:\?[^\s\"'<>)\]]*+)?+(?![\w/])",
    ),
    (
        "duration",
        r"(?<![\w.])[-+]?\d++(?:\.\d++)?+\s?(?:ns|us|µs|μs|ms|msecs?|secs?|seconds?|mins?|minutes?"
        rf"|hours?|hrs?|s|h){_END}",
    ),
    ("size", rf"(?<![\w.])\d++(?:\.\d++)?+\s?(?:[KMGTP]i?B|[kKMGT]b|B|[bB]ytes?){_END}"),
    ("money", rf"(?<![\w.-])[-+]?\d++(?:[.,]\d++)*+\s?(?:{_CURRENCIES}){_END}"),
    # Of a key that is written with its value: nothing else could be told from it.
    ("word", rf"(?<==)(?:true|false|null|nil|none|None|True|False){_END}"),
    (
        "id",
        # Long hexadecimal runs with a digit in them, and words that end in a long number.
        r"(?<![0-9A-Za-z])(?=[A-Fa-f]*+[0-9])[0-9A-Fa-f]{12,}+(?![0-9A-Za-z])"
        r"|(?<![0-9A-Za-z])[A-Za-z]{1,16}+_-?\d{6,}+(?:_\d++)*+(?![0-9A-Za-z])",
    ),
    ("num", r"(?<![\w.-])[-+]?\d++(?:[.,]\d++)*+%?+(?![A-Za-z0-9_]|[-.]\w)"),
)
# None begins within a word, which spares trying them all at every letter.
_SHAPE = re.compile(
    rf"(?P<word>{PLACE.pattern.replace('(', '(?:', 1)})|(?<![0-9A-Za-z])(?=[\w/\\~+:-])(?:"
    + "|".join(f"(?P<{kind}_{n}>{shape})" for n, (kind, shape) in enumerate(_SHAPES))
    + ")"
)
# Of these a value may hold a space, so what follows the place does not tell where it ends.
_SPACED = {
    name: re.compile("|".join(shape for kind, shape in _SHAPES if kind == name))
    for name in ("duration", "size", "money", "time")
}
_SPACE = re.compile(r"\s+")


def places_of(message: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of everything in a message whose shape says that it varies."""
    for match in _SHAPE.finditer(message):
        yield match.start(), match.end(), (match.lastgroup or "word").partition("_")[0]


def masked(message: str) -> str:
    """The template of one message alone."""
    message = spaced(message)
    text, at, was_place = "", 0, False
    for start, end, kind in places_of(message):
        if not (was_place and start == at):
            text += f"{message[at:start]}<{kind}>"
        at, was_place = end, True
    return text + message[at:]


def spaced(message: str) -> str:
    """The beginning of a message with one space for all white space; none at the ends."""
    return _SPACE.sub(" ", message[:MAX_CHARACTERS]).strip()


def values_at_places(template: str, message: str) -> list[str] | None:
    """What stands at each place of the template, left to right; None when it does not fit."""
    literals, kinds = _read(template)
    message = spaced(message)
    if not message.startswith(literals[0]):
        return None
    if not kinds:
        return [] if message == literals[0] else None
    end = len(message) - len(literals[-1])
    if not message.endswith(literals[-1]):
        return None
    values: list[str] = []
    at = len(literals[0])
    for kind, literal in zip(kinds[:-1], literals[1:-1], strict=True):
        found = _end_of_value(kind, literal, message, at)
        if found < 0:
            return None
        values.append(message[at:found])
        at = found + len(literal)
    if at > end:
        return None
    return [*values, message[at:end]]


def kinds_of_places(template: str) -> list[str]:
    """The kind of each place, left to right."""
    return _read(template)[1]


def _end_of_value(kind: str, literal: str, message: str, at: int) -> int:
    if kind in _SPACED:
        match = _SPACED[kind].match(message, at)
        if match is not None and message.startswith(literal, match.end()):
            return match.end()
    return message.find(literal, at)


@lru_cache(maxsize=1_000)
def _read(template: str) -> tuple[list[str], list[str]]:
    parts = PLACE.split(template)
    return parts[::2], parts[1::2]
