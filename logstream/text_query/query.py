"""TextQuery: what `q` means. Rules and examples for people: docs/search.md.

`matches` is one of three twins: `logstream/query/text_conditions.py` says the same in SQL,
`show/live_feed/predicate.js` in the browser. Tests hold all three to the same cases.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from logstream.model import LogLine, Severity, normal_trace_id

# Keys that mean a column of the line's own; any other key is an attribute's name.
LABELS = ("service", "env", "severity", "trace")
# What an edge of a part may ask of the character beside it: to be none of these.
DIGITS, LETTERS_AND_DIGITS = "0-9", "0-9a-z"

_TERM = re.compile(
    r'(?P<is_not>-?)(?P<key>(?:[^\W\d]|@)[\w./@-]*):"(?P<quoted>[^"]+)"?'
    r'|(?P<is_no_phrase>-?)"(?P<phrase>[^"]*)"?'
    r"|(?P<word>\S+)"
)
# An address, a path on Windows, `std::string` and `fe80::1` are words, not tests.
_KEY_AND_VALUE = re.compile(r"((?:[^\W\d]|@)[\w./@-]*):([^/\\:\"].*)", re.DOTALL)
_LEFT_RUN = re.compile(r"\A[0-9a-z]*")
_RIGHT_RUN = re.compile(r"(?<![0-9a-z])[0-9a-z]*\Z")
# Larger exponents mean nothing to a browser, and the largest nothing to PostgreSQL.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True)
class TextPart:
    """A word or phrase in lower case, which must occur in a message.

    `user-17` is not found in `user-175`: an edge is *bound* by the letters and digits (ASCII)
    at it. All digits: no digit may stand beside them. Digits and letters: neither may.
    Letters only, or anything else: whatever stands there. An open edge asks nothing.
    """

    text: str
    is_open_left: bool = False
    is_open_right: bool = False

    @classmethod
    def of_word(cls, word: str) -> "TextPart":
        """The part a typed word means: `*` at an end opens that edge."""
        return cls(folded(word.strip("*")), word.startswith("*"), word.endswith("*"))

    @cached_property
    def left_bound(self) -> str:
        """What may not precede: "", DIGITS or LETTERS_AND_DIGITS."""
        return "" if self.is_open_left else _bound_of(_first(_LEFT_RUN, self.text))

    @cached_property
    def right_bound(self) -> str:
        """What may not follow: "", DIGITS or LETTERS_AND_DIGITS."""
        return "" if self.is_open_right else _bound_of(_first(_RIGHT_RUN, self.text))

    @property
    def is_bound(self) -> bool:
        """False when it is enough that the message holds the text."""
        return bool(self.left_bound or self.right_bound)

    @cached_property
    def pattern(self) -> str:
        """A regular expression for text in lower case, in Python, PostgreSQL and JavaScript."""
        left = f"(?<![{self.left_bound}])" if self.left_bound else ""
        right = f"(?![{self.right_bound}])" if self.right_bound else ""
        return f"{left}{re.escape(self.text)}{right}"

    @property
    def whole_text(self) -> str:
        """The text without the runs at its edges that may be a piece of a longer one.

        So `tokens_of(part.whole_text) <= tokens_of(message)` for every message that matches.
        """
        left, right = _first(_LEFT_RUN, self.text), _first(_RIGHT_RUN, self.text)
        start = 0 if self.left_bound else len(left)
        end = len(self.text) if self.right_bound else len(self.text) - len(right)
        return self.text[start:end]

    def occurs_in(self, lowered: str) -> bool:
        """True when a text in lower case (see `folded`) holds this part."""
        return self.text in lowered and (
            not self.is_bound or self._regex.search(lowered) is not None
        )

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def words(self) -> str:
        """As a person would type it."""
        text = f'"{self.text}"' if re.search(r"\s", self.text) else self.text
        return f"{'*' * self.is_open_left}{text}{'*' * self.is_open_right}"


@dataclass(frozen=True)
class AttributeTest:
    """`key:value`: a column of the line (LABELS; any of `values`), or an attribute.

    An attribute is the member of that name, dots included, or the one at that path, dots
    between its names; both are looked at. It equals the value as text, to the letter, or as
    a number, true, false or null when the value reads as one. Arrays and objects never do.
    """

    key: str
    values: tuple[str, ...]

    @property
    def is_label(self) -> bool:
        """True when a column is meant, not an attribute."""
        return self.key in LABELS

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where an attribute is looked for, names from the outside in."""
        return ((self.key,), tuple(self.key.split("."))) if "." in self.key else ((self.key,),)

    @cached_property
    def literal(self) -> str:
        """The value as JSON other than text: a number, true, false or null; "" if it is none."""
        value = self.values[0]
        is_literal = value in ("true", "false", "null") or _NUMBER.fullmatch(value)
        return value if is_literal else ""

    def documents(self) -> Iterator[str]:
        """JSON objects, one of which is contained in the attributes of a line that matches."""
        for path in self.paths:
            for value in filter(None, (json.dumps(self.values[0]), self.literal)):
                opening = "".join(f"{{{json.dumps(name)}: " for name in path)
                yield f"{opening}{value}{'}' * len(path)}"

    def matches(self, line: LogLine) -> bool:
        """True when the line has one of the values."""
        match self.key:
            case "service":
                return line.service_name in self.values
            case "env":
                return line.environment in self.values
            case "severity":
                return Severity.of(line.severity_number).word in self.values
            case "trace":
                return line.trace_id in self.values
        return any(self._equals(_member(line.attributes, path)) for path in self.paths)

    def _equals(self, found: object) -> bool:
        if isinstance(found, str):
            return found == self.values[0]
        if found is None or isinstance(found, bool):
            return self.literal == json.dumps(found)
        if isinstance(found, int | float) and self._number is not None:
            # By its shortest decimals, as JSON and PostgreSQL have it: 0.1 is 0.1.
            return Decimal(repr(found) if isinstance(found, float) else found) == self._number
        return False

    @cached_property
    def _number(self) -> Decimal | None:
        return Decimal(self.literal) if _NUMBER.fullmatch(self.literal) else None

    def words(self) -> str:
        """`http.status_code is 503`, `service is cart or checkout`."""
        return f"{self.key} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class TextQuery:
    """All of `include` and `attributes` must match, and nothing of the other two."""

    include: tuple[TextPart, ...] = ()
    exclude: tuple[TextPart, ...] = ()
    attributes: tuple[AttributeTest, ...] = ()
    not_attributes: tuple[AttributeTest, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude or self.attributes or self.not_attributes)

    @property
    def needs_rows(self) -> bool:
        """False when counts by environment, service and severity can answer."""
        tests = (*self.attributes, *self.not_attributes)
        return bool(self.include or self.exclude) or any(
            not test.is_label or test.key == "trace" for test in tests
        )

    @classmethod
    def parse(cls, text: str) -> "TextQuery":
        """The query that a person's text means; any text means one."""
        parts: dict[bool, dict[TextPart, None]] = {False: {}, True: {}}
        tests: dict[bool, dict[AttributeTest, None]] = {False: {}, True: {}}
        for match in _TERM.finditer(text):
            if match["quoted"] is not None:
                test = _test(match["key"], [match["quoted"]])
                tests[bool(match["is_not"])][test] = None
            elif match["phrase"]:
                parts[bool(match["is_no_phrase"])][TextPart(folded(match["phrase"]))] = None
            elif word := match["word"]:
                is_not = len(word) > 1 and word.startswith("-")
                word = word[is_not:]
                pair = _KEY_AND_VALUE.fullmatch(word)
                values = _listed(*pair.groups()) if pair else []
                if pair and values:
                    tests[is_not][_test(pair[1], values)] = None
                elif word.strip("*"):
                    parts[is_not][TextPart.of_word(word)] = None
        return cls(tuple(parts[False]), tuple(parts[True]), tuple(tests[False]), tuple(tests[True]))

    def matches(self, line: LogLine) -> bool:
        """True when the line is meant."""
        if not all(test.matches(line) for test in self.attributes):
            return False
        if any(test.matches(line) for test in self.not_attributes):
            return False
        if not self.include and not self.exclude:
            return True
        lowered = folded(line.body)
        return all(part.occurs_in(lowered) for part in self.include) and not any(
            part.occurs_in(lowered) for part in self.exclude
        )

    def words(self) -> str:
        """`with timeout and "order 17", without health, where http.status_code is 503`."""
        wheres = [test.words() for test in self.attributes]
        wheres += [f"not {test.words()}" for test in self.not_attributes]
        return ", ".join(
            f"{before} {joint.join(terms)}"
            for before, joint, terms in (
                ("with", " and ", [part.words() for part in self.include]),
                ("without", " or ", [part.words() for part in self.exclude]),
                ("where", " and ", wheres),
            )
            if terms
        )


def terms_of(text: str) -> list[str]:
    """The terms of a text as they are written."""
    return [match[0] for match in _TERM.finditer(text)]


def folded(text: str) -> str:
    """The text in lower case, one character for each: what `q` compares.

    So do PostgreSQL's ILIKE and the browser's twin. Python's and JavaScript's own lower
    case differ from it in two characters: İ becomes two, and Σ at a word's end ς. Nothing
    else is folded: ß is not ss, é is not e.
    """
    return (text if text.isascii() else text.replace("İ", "i").replace("Σ", "σ")).lower()


def _bound_of(run: str) -> str:
    if not run or run.isalpha():
        return ""
    return DIGITS if run.isdigit() else LETTERS_AND_DIGITS


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return "" if match is None else match[0]


def _listed(key: str, value: str) -> list[str]:
    return [part for part in value.split(",") if part] if key in LABELS else [value]


def _test(key: str, values: Iterable[str]) -> AttributeTest:
    if key == "severity":
        named = ((Severity.named(value), value) for value in values)
        values = (group.word if group else value for group, value in named)
    elif key == "trace":
        values = map(normal_trace_id, values)
    return AttributeTest(key, tuple(dict.fromkeys(values)))


_ABSENT: Any = object()


def _member(attributes: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(attributes, dict) or name not in attributes:
            return _ABSENT
        attributes = attributes[name]
    return attributes
