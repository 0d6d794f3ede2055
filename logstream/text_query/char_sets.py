"""Sets of characters as sorted ranges of code points, for regular expressions."""

from collections.abc import Iterable
from dataclasses import dataclass

LAST = 0x10FFFF
# What stands for itself only behind a backslash; the same in every dialect.
_SPECIAL, _SPECIAL_IN_SET = frozenset("^$\\.*+?()[]{}|/"), frozenset("\\]^-[")


@dataclass(frozen=True)
class CharSet:
    """Inclusive ranges, sorted, none touching the next."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> "CharSet":
        """The set of these ranges in any order."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @classmethod
    def one_of(cls, characters: str) -> "CharSet":
        """The set of these characters."""
        return cls.of((ord(character), ord(character)) for character in characters)

    def without_these(self) -> "CharSet":
        """Every other character."""
        others, begin = [], 0
        for first, last in self.ranges:
            if begin < first:
                others.append((begin, first - 1))
            begin = last + 1
        if begin <= LAST:
            others.append((begin, LAST))
        return CharSet(tuple(others))

    def meets(self, other: "CharSet") -> bool:
        """True when a character is in both."""
        return any(
            first <= last_there and first_there <= last
            for first, last in self.ranges
            for first_there, last_there in other.ranges
        )

    @property
    def only(self) -> str:
        """The one character in it; "" if there are more."""
        first, last = self.ranges[0] if len(self.ranges) == 1 else (0, 1)
        return chr(first) if first == last else ""

    @property
    def is_wide(self) -> bool:
        """True for nearly everything: a dot, or all but some."""
        return self.ranges[-1][1] == LAST

    def pattern(self) -> str:
        """As every dialect writes it."""
        if self.only:
            return literal(self.only)
        if self.is_wide:
            return f"[^{_listed(self.without_these().ranges)}]"
        return f"[{_listed(self.ranges)}]"


DIGIT = CharSet.of([(48, 57)])
# Texts are compared in lower case.
WORD = CharSet.of([(48, 57), (95, 95), (97, 122)])
BLANK = CharSet.one_of(" \t\n\r\f\v")
DOT = CharSet.one_of("\n").without_these()


def literal(character: str) -> str:
    """A character that means itself."""
    return f"\\{character}" if character in _SPECIAL else _shown(character)


def _listed(ranges: Iterable[tuple[int, int]]) -> str:
    def one(code: int) -> str:
        character = chr(code)
        return f"\\{character}" if character in _SPECIAL_IN_SET else _shown(character)

    return "".join(
        one(first) if first == last else f"{one(first)}{'-' if last > first + 1 else ''}{one(last)}"
        for first, last in ranges
    )


def _shown(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 32 or 0xD800 <= code < 0xE000 else character
