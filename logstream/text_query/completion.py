"""What may come next in `q` while somebody types it; pure, the facts are given."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from logstream.text_query.editing import term_for
from logstream.text_query.fields import LABELS
from logstream.text_query.lexer import ALIASES, KEY

MOST = 12
# What is asked for by most, in place of values.
_LATENCIES = ("latency>100ms", "latency>500ms", "latency>1s", "latency>5s")
_MEANINGS = {
    "service": "the service that wrote the line",
    "env": "its environment",
    "severity": "also severity>=warn",
    "pattern": "the pattern of its message",
    "trace": "lines of one trace",
    "latency": "also latency>500ms",
}
_WORD = re.compile(rf'[(]*(?:-[(]*)?((?:{KEY}(?::|>=|<=|!=|>|<))?(?:"(?:[^"]|"")*"?|\S*))')
_TEST = re.compile(rf"({KEY})(:|>=|<=|!=|>|<)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Suggestion:
    """`text` in place of the characters from `start` to `end`; `kind` is `key` or `value`."""

    text: str
    start: int
    end: int
    kind: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class Typing:
    """The term at the caret: what of it is typed (up to the caret), and where it stands."""

    typed: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """The key whose values are wanted; "" while the key itself is typed."""
        match = _TEST.fullmatch(self.typed)
        return ALIASES.get(match[1], match[1]) if match else ""


def typing_at(text: str, caret: int) -> Typing:
    """The term that the caret is in or behind; an empty one between blanks."""
    caret = max(0, min(caret, len(text)))
    at = 0
    while True:
        while at < len(text) and text[at].isspace() and at < caret:
            at += 1
        match = _WORD.match(text, at)
        if match is None or at >= caret or match.end() == at:
            return Typing("", caret, caret)
        if match.end() >= caret:
            start, end = match.span(1)
            return Typing(text[start:caret], min(start, caret), max(end, caret))
        at = match.end()


def complete(
    text: str,
    caret: int,
    names: Mapping[str, str],
    values: Callable[[str], Sequence[tuple[str, int]]],
) -> list[Suggestion]:
    """The most likely first. `names` are attributes with a word about each; `values` of a key
    come with how many lines have them, and are only asked for when they are wanted.
    """
    typing = typing_at(text, caret)
    match = _TEST.fullmatch(typing.typed)
    found = _values(typing, match, values) if match else _keys(typing, names)
    as_it_is = text[typing.start : typing.end]
    return [one for one in found if one.text != as_it_is][:MOST]


def _keys(typing: Typing, names: Mapping[str, str]) -> list[Suggestion]:
    if '"' in typing.typed or "/" in typing.typed[:1]:
        return []
    known = {**_MEANINGS, **names}
    return [
        Suggestion(f"{name}:", typing.start, typing.end, "key", name, known[name])
        for name in _fitting(typing.typed, known)
        # Only what can be written as a key.
        if re.fullmatch(KEY, name)
    ]


def _values(
    typing: Typing,
    match: re.Match[str],
    values: Callable[[str], Sequence[tuple[str, int]]],
) -> list[Suggestion]:
    key, sign, typed = ALIASES.get(match[1], match[1]), match[2], match[3].removeprefix('"')
    typed = typed.removesuffix('"')
    if key == "latency":
        fitting = [one for one in _LATENCIES if one.startswith(typing.typed.replace(":", ">"))]
        return [Suggestion(one, typing.start, typing.end, "value", one) for one in fitting]
    if sign not in (":", "!=") and key != "severity":
        return []
    before = ""
    if key in LABELS and sign == ":" and "," in typed and not match[3].startswith('"'):
        before, _, typed = typed.rpartition(",")
    counts = dict(values(key))
    chosen = set(before.split(",")) if before else set()
    suggestions = []
    for value in _fitting(typed, counts):
        term = term_for(key, value)
        if not term or value in chosen:
            continue
        if before or sign != ":":
            if term != f"{key}:{value}":
                continue  # a value that needs quotes stands alone
            term = f"{key}{sign}{f'{before},' if before else ''}{value}"
        lines = "1 line" if counts[value] == 1 else f"{counts[value]:,} lines"
        suggestions.append(Suggestion(term, typing.start, typing.end, "value", value, lines))
    return suggestions


def _fitting(typed: str, names: Mapping[str, object]) -> list[str]:
    """Names that begin so, then those that hold it."""
    sought = typed.lower().strip("*")
    beginning = [name for name in names if name.lower().startswith(sought)]
    holding = [name for name in names if sought in name.lower() and name not in beginning]
    return beginning + holding
