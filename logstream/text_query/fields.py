"""Tests of a line's own fields (labels) and of its attributes.

An attribute is the member of that name, dots included, or the one at that path, dots between
its names; both are looked at.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from logstream.model import LogLine, Severity

# Keys that mean a column of the line's own; any other key is an attribute's name.
LABELS = ("service", "env", "severity", "pattern", "trace", "latency")
# The labels that counts are kept by.
COUNTED_LABELS = frozenset(("service", "env", "severity", "pattern"))
# Larger exponents mean nothing to a browser, and the largest nothing to PostgreSQL.
NUMBER = "-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
# Longer texts are not read as numbers.
MAX_NUMBER_CHARACTERS = 40
# Deeper paths are no paths.
MAX_STEPS = 32
# Whole numbers below it are the same text everywhere.
MAX_WHOLE_NUMBER = 10**15
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NUMBER = re.compile(NUMBER)
_COMPARED = {">": "over", ">=": "at least", "<": "under", "<=": "at most"}


@dataclass(frozen=True)
class FieldTest:
    """What all tests of one label or attribute share."""

    key: str

    @property
    def is_label(self) -> bool:
        """True when a column is meant, not an attribute."""
        return self.key in LABELS

    @property
    def is_counted(self) -> bool:
        """True when counts by environment, service, severity and pattern can answer."""
        return self.key in COUNTED_LABELS

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where an attribute is looked for, names from the outside in."""
        steps = tuple(self.key.split("."))
        return ((self.key,), steps) if 1 < len(steps) <= MAX_STEPS else ((self.key,),)

    @property
    def needs_body(self) -> bool:
        """False: see Leaf in tree.py."""
        return False

    def found(self, line: LogLine) -> Iterator[Any]:
        """The attribute's values, one of each path that is there."""
        for path in self.paths:
            value = _member(line.attributes, path)
            if value is not _ABSENT:
                yield value


@dataclass(frozen=True)
class AttributeTest(FieldTest):
    """`key:value`: a column of the line (LABELS; any of `values`), or an attribute.

    The attribute equals the value as text, to the letter, or as a number, true, false or null
    when the value reads as one. Arrays and objects never do.
    """

    values: tuple[str, ...]

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

    def holds(self, line: LogLine, _lowered: str = "") -> bool:
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
            case "pattern":
                own = (str(line.pattern_id or line.skeleton_id), str(line.skeleton_id))
                return any(one in self.values for one in own)
        return any(self._equals(value) for value in self.found(line))

    def leaves(self) -> Iterator["AttributeTest"]:
        """Itself."""
        yield self

    def _equals(self, found: object) -> bool:
        if isinstance(found, str):
            return found == self.values[0]
        if found is None or isinstance(found, bool):
            return self.literal == json.dumps(found)
        if isinstance(found, int | float) and self._number is not None:
            return _decimal(found) == self._number
        return False

    @cached_property
    def _number(self) -> Decimal | None:
        return Decimal(self.literal) if _NUMBER.fullmatch(self.literal) else None

    def words(self) -> str:
        """`http.status_code is 503`, `service is cart or checkout`."""
        return f"{self.key} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class Wildcard(FieldTest):
    """`key:value*`: text to the letter with open ends, in a label or an attribute.

    Whole numbers are compared as text too, so `status:5*` is every 5xx.
    """

    text: str
    is_open_left: bool = False
    is_open_right: bool = False

    def holds(self, line: LogLine, _lowered: str = "") -> bool:
        """True when the value, or one of both, is like this."""
        match self.key:
            case "service":
                return self._is_like(line.service_name)
            case "env":
                return self._is_like(line.environment)
            case "trace":
                return line.trace_id is not None and self._is_like(line.trace_id)
        return any(self._is_like(_as_text(value)) for value in self.found(line))

    def leaves(self) -> Iterator["Wildcard"]:
        """Itself."""
        yield self

    def _is_like(self, value: str | None) -> bool:
        if value is None:
            return False
        if self.is_open_left and self.is_open_right:
            return self.text in value
        return value.endswith(self.text) if self.is_open_left else value.startswith(self.text)

    def words(self) -> str:
        """`path is like /api/*`."""
        text = f"{'*' * self.is_open_left}{self.text}{'*' * self.is_open_right}"
        return f"{self.key} is like {text}"


@dataclass(frozen=True)
class Existence(FieldTest):
    """`key:*`: the line has it, whatever its value."""

    def holds(self, line: LogLine, _lowered: str = "") -> bool:
        """True when it is there."""
        match self.key:
            case "service" | "env" | "severity" | "pattern":
                return True
            case "trace":
                return line.trace_id is not None
            case "latency":
                return line.duration_ms is not None
        return any(True for _ in self.found(line))

    def leaves(self) -> Iterator["Existence"]:
        """Itself."""
        yield self

    def words(self) -> str:
        """`has user.id`."""
        return f"has {self.key}"


@dataclass(frozen=True)
class Comparison(FieldTest):
    """`key>=number`: of an attribute, of `latency` (milliseconds) or of severity_number.

    `operator` is one of OPERATORS, or `=`. A text that reads as a number counts as one.
    """

    operator: str
    number: Decimal
    shown: str = field(default="", compare=False)

    def holds(self, line: LogLine, _lowered: str = "") -> bool:
        """True when there is a number, and it compares so."""
        match self.key:
            case "severity":
                return self._is_so(line.severity_number, int(self.number))
            case "latency":
                found = line.duration_ms
                return found is not None and self._is_so(found, float(self.number))
        return any(
            number is not None and self._is_so(number, self.number)
            for number in map(_as_number, self.found(line))
        )

    def leaves(self) -> Iterator["Comparison"]:
        """Itself."""
        yield self

    def _is_so(self, found: Any, number: Any) -> bool:
        return bool(
            found == number if self.operator == "=" else OPERATORS[self.operator](found, number)
        )

    def words(self) -> str:
        """`latency over 500ms`, `severity at least warn`."""
        return f"{self.key} {_COMPARED.get(self.operator, 'is')} {self.shown or self.number}"


_ABSENT: Any = object()


def _member(attributes: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(attributes, dict) or name not in attributes:
            return _ABSENT
        attributes = attributes[name]
    return attributes


def _decimal(found: int | float) -> Decimal:
    # By its shortest decimals, as JSON and PostgreSQL have it: 0.1 is 0.1.
    return Decimal(repr(found) if isinstance(found, float) else found)


def _as_number(found: object) -> Decimal | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return _decimal(found)
    if isinstance(found, str) and len(found) <= MAX_NUMBER_CHARACTERS and _NUMBER.fullmatch(found):
        return Decimal(found)
    return None


def _as_text(found: object) -> str | None:
    if isinstance(found, str):
        return found
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    is_whole = abs(found) < MAX_WHOLE_NUMBER and found == int(found)
    return str(int(found)) if is_whole else None
