"""Reading a regular expression of the portable subset into a small tree.

Ranges and letters are taken in lower case, because that is what they are compared with.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from logstream.text_query.char_sets import BLANK, DIGIT, DOT, LAST, WORD, CharSet
from logstream.text_query.parts import folded

MAX_DEPTH = 20
# PostgreSQL counts to 255.
MAX_COUNT = 255
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_SETS = {"d": DIGIT, "w": WORD, "s": BLANK}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_WORD = WORD.pattern()
_ASSERTIONS = {
    "^": "^",
    # `$` alone would also be before a last line break, in Python only.
    "$": "(?![^\\u000a]|\\u000a)",
    "\\b": f"(?:(?<!{_WORD})(?={_WORD})|(?<={_WORD})(?!{_WORD}))",
}
_HINT = "put the text in quotes to search for it as it stands"


class RegexProblem(Exception):
    """Why an expression is refused, where in it, and what to do."""

    def __init__(self, position: int, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.position, self.message, self.hint = position, message, hint


@dataclass(frozen=True)
class Chars:
    """One character of a set."""

    chars: CharSet

    def pattern(self) -> str:
        """As every dialect writes it."""
        return self.chars.pattern()


@dataclass(frozen=True)
class Assertion:
    """A place: `^`, `$`, `\\b`."""

    sign: str

    def pattern(self) -> str:
        """As every dialect writes it."""
        return _ASSERTIONS[self.sign]


@dataclass(frozen=True)
class Sequence:
    """One after the other; nothing for an empty one."""

    items: tuple["Item", ...]

    def pattern(self) -> str:
        """As every dialect writes it."""
        return "".join(
            f"(?:{item.pattern()})" if isinstance(item, Choice) else item.pattern()
            for item in self.items
        )


@dataclass(frozen=True)
class Choice:
    """One of them."""

    arms: tuple["Item", ...]

    def pattern(self) -> str:
        """As every dialect writes it."""
        return "|".join(arm.pattern() for arm in self.arms)


@dataclass(frozen=True)
class Repeat:
    """The item `least` to `most` times (None: without end); `position` is for messages."""

    item: "Item"
    least: int
    most: int | None
    is_lazy: bool
    position: int

    def pattern(self) -> str:
        """As every dialect writes it."""
        inner = self.item.pattern()
        if not isinstance(self.item, Chars):
            inner = f"(?:{inner})"
        match self.least, self.most:
            case 0, None:
                sign = "*"
            case 1, None:
                sign = "+"
            case 0, 1:
                sign = "?"
            case least, None:
                sign = f"{{{least},}}"
            case least, most if least == most:
                sign = f"{{{least}}}"
            case least, most:
                sign = f"{{{least},{most}}}"
        return f"{inner}{sign}{'?' * self.is_lazy}"


Item: TypeAlias = "Chars | Assertion | Sequence | Choice | Repeat"


def read_regex(source: str) -> Item:
    """The tree of an expression; raises RegexProblem."""
    reader = _Reader(source)
    tree = reader.choice(0)
    if reader.at < len(source):
        raise RegexProblem(reader.at, "`)` closes nothing", "write \\) for the sign itself")
    return tree


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        # Letters are compared in any case anyway.
        self.at = 4 if source.startswith("(?i)") else 0

    @property
    def next(self) -> str:
        return self.source[self.at : self.at + 1]

    def choice(self, depth: int) -> Item:
        if depth > MAX_DEPTH:
            raise RegexProblem(self.at, f"groups are more than {MAX_DEPTH} deep", "make it simpler")
        arms = [self.sequence(depth)]
        while self.next == "|":
            self.at += 1
            arms.append(self.sequence(depth))
        return arms[0] if len(arms) == 1 else Choice(tuple(arms))

    def sequence(self, depth: int) -> Sequence:
        items: list[Item] = []
        while self.next not in ("", "|", ")"):
            start = self.at
            item = self.repeated(self.atom(depth), start)
            # A group that is not repeated is as good as what stands in it.
            items += item.items if isinstance(item, Sequence) else (item,)
        return Sequence(tuple(items))

    def repeated(self, item: Item, start: int) -> Item:
        at = self.at
        least, most = 1, 1 if not (bounds := self.bounds()) else bounds[1]
        if not bounds:
            return item
        least = bounds[0]
        if isinstance(item, Assertion):
            raise RegexProblem(at, f"`{self.source[start:at]}` is a place and cannot be repeated")
        is_lazy = self.next == "?"
        self.at += is_lazy
        if self.next in ("*", "+", "?") or (
            self.next == "{" and _COUNT.match(self.source, self.at)
        ):
            raise RegexProblem(self.at, f"`{self.next}` repeats a repetition", "keep one of both")
        return Repeat(item, least, most, is_lazy, start)

    def bounds(self) -> tuple[int, int | None] | None:
        signs: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self.next in signs and self.next:
            self.at += 1
            return signs[self.source[self.at - 1]]
        match = _COUNT.match(self.source, self.at)
        if match is None:
            return None
        least = int(match[1])
        most = least if not match[2] else int(match[3]) if match[3] else None
        if max(least, most or 0) > MAX_COUNT or (most is not None and most < least):
            raise RegexProblem(
                self.at, f"`{match[0]}` cannot be counted", f"use at most {MAX_COUNT}, less first"
            )
        self.at = match.end()
        return least, most

    def atom(self, depth: int) -> Item:
        start, sign = self.at, self.next
        if count := _COUNT.match(self.source, start):
            raise RegexProblem(start, f"`{count[0]}` repeats nothing", "write \\{ for the sign")
        self.at += 1
        match sign:
            case "(":
                return self.group(depth, start)
            case "[":
                return Chars(self.char_set(start))
            case ".":
                return Chars(DOT)
            case "^" | "$":
                return Assertion(sign)
            case "*" | "+" | "?":
                raise RegexProblem(
                    start, f"`{sign}` repeats nothing", f"write \\{sign} for the sign"
                )
            case "\\":
                if self.next == "b":
                    self.at += 1
                    return Assertion("\\b")
                return Chars(self.escaped(start))
        return Chars(CharSet.one_of(folded(sign)))

    def group(self, depth: int, start: int) -> Item:
        if self.next == "?":
            if not self.source.startswith("?:", self.at):
                raise RegexProblem(
                    start,
                    f"`{self.source[start : start + 3]}` is not among what every engine reads",
                    "look-around, names and flags are left out: use plain groups, and a second"
                    " term such as -/regex/ for what must not be there",
                )
            self.at += 2
        inner = self.choice(depth + 1)
        if self.next != ")":
            raise RegexProblem(start, "`)` is missing for this bracket", "write \\( for the sign")
        self.at += 1
        return inner

    def escaped(self, start: int) -> CharSet:
        sign = self.next
        self.at += 1
        if not sign:
            raise RegexProblem(start, "a lone backslash at the end", "write \\\\ for the sign")
        if sign.lower() in _SETS:
            found = _SETS[sign.lower()]
            return found if sign.islower() else found.without_these()
        if sign in _CONTROLS:
            return CharSet.one_of(_CONTROLS[sign])
        if sign in "xu":
            digits = self.source[self.at : self.at + (2 if sign == "x" else 4)]
            if re.fullmatch(r"[0-9a-fA-F]{2}|[0-9a-fA-F]{4}", digits, re.ASCII):
                self.at += len(digits)
                code = int(digits, 16)
                if code and not 0xD800 <= code < 0xE000:
                    return CharSet.one_of(folded(chr(code)))
            raise RegexProblem(start, f"`\\{sign}{digits}` is no character", "use \\x41 or \\u20ac")
        if sign.isdigit():
            raise RegexProblem(
                start, f"`\\{sign}` refers back to a group, which not every engine can", _HINT
            )
        if sign.isalnum():
            raise RegexProblem(
                start,
                f"`\\{sign}` is not among what every engine reads",
                "use \\d \\w \\s \\b \\D \\W \\S \\n \\t, or [a-z]",
            )
        return CharSet.one_of(folded(sign))

    def char_set(self, start: int) -> CharSet:
        is_negated = self.next == "^"
        self.at += is_negated
        ranges: list[tuple[int, int]] = []
        while True:
            if not self.next:
                raise RegexProblem(
                    start, "`]` is missing for this bracket", "write \\[ for the sign"
                )
            if self.next == "]" and ranges:
                break
            if self.next == "]":
                raise RegexProblem(start, "there is nothing between `[` and `]`", "write \\[\\]")
            if self.source.startswith("[:", self.at):
                raise RegexProblem(self.at, "`[:` is not among what every engine reads", "use \\w")
            at = self.at
            first = self.set_member()
            if self.next == "-" and self.source[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                last = self.set_member()
                if not first.only or not last.only or last.only < first.only:
                    raise RegexProblem(
                        at, f"`{self.source[at : self.at]}` is no range", "use [a-z], [0-9]"
                    )
                ranges += _folded_range(ord(first.only), ord(last.only))
            else:
                ranges += _each_folded(first)
        self.at += 1
        found = CharSet.of(ranges)
        found = found.without_these() if is_negated else found
        if not found.ranges or found.ranges == ((0, LAST),):
            raise RegexProblem(start, "this set is every character or none", "use (.|\\n) for any")
        return found

    def set_member(self) -> CharSet:
        start, sign = self.at, self.next
        self.at += 1
        return self.escaped(start) if sign == "\\" else CharSet.one_of(sign)


def _each_folded(chars: CharSet) -> list[tuple[int, int]]:
    only = chars.only
    return [(ord(folded(only)), ord(folded(only)))] if only else list(chars.ranges)


def _folded_range(first: int, last: int) -> list[tuple[int, int]]:
    """A range with its letters in lower case; beyond ASCII by its ends."""
    if first > 127:
        ends = sorted((ord(folded(chr(first))), ord(folded(chr(last)))))
        return [(ends[0], ends[1])]
    ranges = [(first, last)]
    upper = max(first, 65), min(last, 90)
    if upper[0] <= upper[1]:
        ranges = [(upper[0] + 32, upper[1] + 32)]
        ranges += [(first, 64)] if first < 65 else []
        ranges += [(91, last)] if last > 90 else []
    return ranges
