"""What single terms mean: words, phrases, `key:value`, comparisons, `/regex/`."""

import difflib
import re
from decimal import Decimal

from logstream.model import SEVERITY_WORDS, Severity, normal_trace_id
from logstream.text_query.fields import (
    LABELS,
    MAX_NUMBER_CHARACTERS,
    AttributeTest,
    Comparison,
    Existence,
    Wildcard,
)
from logstream.text_query.lexer import ALIASES, COMPARISON, QUOTED_TEST, TEST
from logstream.text_query.mistakes import did_you_mean
from logstream.text_query.parts import TextPart, folded
from logstream.text_query.regex import Regex
from logstream.text_query.regex_parser import RegexProblem
from logstream.text_query.tree import AnyOf, Node, Not

MAX_PATTERN_ID = 2**63 - 1
# In milliseconds.
UNITS = {
    **{"": "1", "ms": "1", "s": "1000", "m": "60000", "min": "60000", "h": "3600000"},
    **{"us": "0.001", "µs": "0.001", "ns": "0.000001"},
}
_ORDERED = ("severity", "latency")
_VALUE = re.compile(r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)([A-Za-zµ%]*)", re.ASCII)
_COMPARED = re.compile(r"(>=|<=|>|<)(.+)", re.DOTALL)
_ID = re.compile(r"[1-9]\d{0,18}", re.ASCII)


class TermProblem(Exception):
    """Why a term cannot be understood; `offset` is from the beginning of its text."""

    def __init__(self, offset: int, length: int, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.offset, self.length, self.problem, self.hint = offset, length, problem, hint


def word(text: str) -> Node:
    """A word: `*` at an end opens it."""
    return TextPart.of_word(text)


def phrase(text: str) -> Node:
    """A text in quotes."""
    return TextPart(folded(unquoted(text[1:-1])))


def regex(text: str) -> Node:
    """`/…/`; raises TermProblem."""
    try:
        return Regex.read(text[1:-1])
    except RegexProblem as problem:
        raise TermProblem(1 + problem.position, 1, problem.message, problem.hint) from problem


def test(text: str) -> Node:
    """`key:value`; raises TermProblem."""
    if match := QUOTED_TEST.fullmatch(text):
        return _equal(match[1], [unquoted(match[2])], match.start(2))
    match = TEST.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no test")
    key, value = match.groups()
    if (compared := _COMPARED.fullmatch(value)) and _VALUE.fullmatch(compared[2]):
        return _compared(key, compared[1], compared[2], match.start(2))
    if not value.strip("*"):
        return Existence(key)
    if key not in LABELS:
        return _open(key, value) or AttributeTest(key, (value,))
    values = list(dict.fromkeys(one for one in value.split(",") if one))
    wild = [one for one in (_open(key, value) for value in values) if one is not None]
    exact = [value for value in values if _open(key, value) is None]
    nodes: list[Node] = [_equal(key, exact, match.start(2))] if exact else []
    nodes += wild
    return nodes[0] if len(nodes) == 1 else AnyOf(tuple(nodes))


def comparison(text: str) -> Node:
    """`key>=number`, `severity>=warn`; raises TermProblem."""
    match = COMPARISON.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no comparison")
    key, sign, value = match[1], match[2], match[3]
    key = ALIASES.get(key, key)
    if not value:
        offered = "warn" if key == "severity" else "500" if key in _ORDERED else "…"
        raise TermProblem(
            match.start(2), len(sign), f"`{key}{sign}` needs a value", f"as in {key}{sign}{offered}"
        )
    if sign == "=":
        raise TermProblem(
            match.start(2),
            1,
            f"values of {key} are asked for with a colon",
            f'{did_you_mean(f"{key}:{value}")} For the text itself: "{text}"',
        )
    if sign == "!=":
        return Not(test(f"{key}:{value}") if key in LABELS else AttributeTest(key, (value,)))
    return _compared(key, sign, value, match.start(3))


def unquoted(text: str) -> str:
    """What stands between quotes; a quote in it was written twice."""
    return text.replace('""', '"')


def _open(key: str, value: str) -> Wildcard | None:
    if key in ("severity", "pattern", "latency") or not (value[0] == "*" or value[-1] == "*"):
        return None
    return Wildcard(key, value.strip("*"), value[0] == "*", value[-1] == "*")


def _equal(key: str, values: list[str], offset: int) -> Node:
    match key:
        case "severity":
            values = [_severity(value, offset).word for value in values]
        case "trace":
            values = [normal_trace_id(value) for value in values]
        case "pattern":
            for value in values:
                if not _ID.fullmatch(value) or int(value) > MAX_PATTERN_ID:
                    raise TermProblem(
                        offset,
                        len(value),
                        f"pattern '{value}' is not an id",
                        "click a pattern on the page to get its number",
                    )
        case "latency":
            nodes = tuple(_compared(key, "=", value, offset) for value in values)
            return nodes[0] if len(nodes) == 1 else AnyOf(nodes)
    return AttributeTest(key, tuple(dict.fromkeys(values)))


def _compared(key: str, sign: str, value: str, offset: int) -> Node:
    if key == "severity" and not value.isdigit():
        group = _severity(value, offset)
        # All of a group are alike: over warn is over its last number.
        edge = group.last_number if sign in (">", "<=") else group.value
        return Comparison(key, sign, Decimal(edge), group.word)
    if key in LABELS and key not in _ORDERED:
        raise TermProblem(
            offset,
            len(value),
            f"{key} has no order",
            f"{did_you_mean(f'{key}:{value}')} Numbers, severity and latency can be compared",
        )
    match = _VALUE.fullmatch(value)
    if match is None or len(match[1]) > MAX_NUMBER_CHARACTERS:
        raise TermProblem(
            offset,
            len(value),
            f"'{value}' is not a number",
            f"use {key}{sign}500 or {key}{sign}1.5s" if key == "latency" else f"use {key}{sign}5",
        )
    number, unit = Decimal(match[1]), match[2]
    # Of a trace `duration` is a label; of a line an attribute, whose numbers have no unit.
    if key == "latency" or (key == "duration" and unit):
        if unit not in UNITS:
            raise TermProblem(
                offset + len(match[1]),
                len(unit),
                f"'{unit}' is not a unit of time",
                "use ms (usual), s, m, h, us or ns",
            )
        return Comparison(key, sign, number * Decimal(UNITS[unit]), value if unit else f"{value}ms")
    if unit:
        raise TermProblem(
            offset + len(match[1]),
            len(unit),
            "only latency and duration are compared with a unit",
            did_you_mean(f"{key}{sign}{match[1]}"),
        )
    return Comparison(key, sign, number, value)


def _severity(value: str, offset: int) -> Severity:
    group = Severity.named(value)
    if group is None:
        known = ", ".join(SEVERITY_WORDS)
        close = difflib.get_close_matches(value.lower(), SEVERITY_WORDS, 1)
        hint = f"{did_you_mean(close[0])} It is one of {known}" if close else f"use {known}"
        raise TermProblem(offset, len(value), f"severity '{value}' is not known", hint)
    return group
