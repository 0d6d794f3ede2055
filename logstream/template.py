"""Templates: a message with typed places, such as `order <num> packed in <duration>`.

A place's kind tells what stands there as far as its shape shows it. Text of a message that
looks like a place itself (`<num>`) is one of kind `word`, so a template is read in one way.
Every expression is linear in the text: log text is anybody's.
"""

import re
from functools import lru_cache

KINDS = (
    "num", "id", "ip", "path", "duration", "size", "time", "hex", "url", "email", "word", "list",
    "text",
)  # fmt: skip
# Of longer messages the beginning.
MAX_CHARACTERS = 2_000
PLACE = re.compile(rf"<({'|'.join(KINDS)})>")
RARE_MESSAGES = "<various rare messages>"
UNNAMED = "<lines from before there were patterns>"

_WORD_END = r"(?![A-Za-z0-9_])"
_SHAPES: tuple[tuple[str, str], ...] = (
    ("word", PLACE.pattern.replace("(", "(?:", 1)),
    ("url", r"\b[a-z][a-z0-9+.-]{1,15}+://[^\s\"'<>|)\]}]++"),
    ("email", r"(?<![\w.+-])[\w.+-]{1,64}+@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++"),
    (
        "time",
        r"(?<![\w.-])\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
        r"(?:[T :]\d{1,2}:\d\d(?::\d\d)?+(?:[.,:]\d{1,9})?+)?+"
        rf"(?:Z|\s?[+-]\d\d:?\d\d)?+{_WORD_END}"
        rf"|(?<![\w.:])\d{{1,2}}:\d\d:\d\d(?:[.,]\d{{1,9}})?+(?![\w:])",
    ),
    ("id", r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"),
    (
        "ip",
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?+(?:/\d{1,2})?+(?![\w.]*\d)"
        r"|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])"
        r"|(?<![\w:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![\w:])",
    ),
    ("hex", rf"(?<![A-Za-z0-9])0[xX][0-9A-Fa-f]++{_WORD_END}"),
    (
        "path",
        r"(?<![\w.:/\\<>)-])(?:[A-Za-z]:)?\\{1,2}[\w.$%@~+-]++(?:\\{1,2}[\w.$%@~+{}-]++)*+\\?+"
        r"|(?<![\w./\\<>)-])[A-Za-z]:(?:\\{1,2}[\w.$%@~+{}-]++)++\\?+"
        r"|(?<![\w./<>)-])~?/(?:[\w.@%+~=$:-]++/)*+[\w.@%+~=$:-]++/?+(?![\w/])",
    ),
    (
        "duration",
        r"(?<![\w.])[-+]?\d++(?:\.\d++)?+\s?(?:ns|us|µs|μs|ms|msecs?|secs?|seconds?|mins?|minutes?"
        rf"|hours?|hrs?|s|h){_WORD_END}",
    ),
    (
        "size",
        rf"(?<![\w.])\d++(?:\.\d++)?+\s?(?:[KMGTP]i?B|[kKMGT]b|B|[bB]ytes?){_WORD_END}",
    ),
    (
        "id",
        # Long hexadecimal runs with a digit in them, and words that end in a long number.
        r"(?<![0-9A-Za-z])(?=[a-f]*+[A-F]*+[0-9])[0-9A-Fa-f]{12,}+(?![0-9A-Za-z])"
        r"|(?<![0-9A-Za-z])[A-Za-z]{1,16}+_-?\d{6,}+(?:_\d++)*+(?![0-9A-Za-z])",
    ),
    ("num", r"(?<![\w.])[-+]?\d++(?:[.,]\d++)*+%?+(?![A-Za-z0-9_])"),
)
_SHAPE = re.compile("|".join(f"(?P<{kind}_{n}>{shape})" for n, (kind, shape) in enumerate(_SHAPES)))


def masked(message: str) -> str:
    """The message with a place for everything whose shape says that it varies."""
    return _SHAPE.sub(_place, message[:MAX_CHARACTERS])


def values_at_places(template: str, message: str) -> list[str] | None:
    """What stands at each place of the template, left to right; None when it does not fit."""
    literals = _literals(template)
    if not message.startswith(literals[0]):
        return None
    values: list[str] = []
    at = len(literals[0])
    for literal in literals[1:-1]:
        found = message.find(literal, at)
        if found < 0:
            return None
        values.append(message[at:found])
        at = found + len(literal)
    if len(literals) == 1:
        return values if at == len(message) else None
    end = len(message) - len(literals[-1])
    if end < at or not message.endswith(literals[-1]):
        return None
    values.append(message[at:end])
    return values


def kinds_of_places(template: str) -> list[str]:
    """The kind of each place, left to right."""
    return PLACE.findall(template)


@lru_cache(maxsize=1_000)
def _literals(template: str) -> list[str]:
    return PLACE.split(template)[::2]


def _place(match: re.Match[str]) -> str:
    kind = match.lastgroup or "word"
    return f"<{kind.partition('_')[0]}>"
