"""Words and phrases: what must occur in a message."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from logstream.model import LogLine

# What an edge of a part may ask of the character beside it: to be none of these.
DIGITS, LETTERS_AND_DIGITS = "0-9", "0-9a-z"

_LEFT_RUN = re.compile(r"\A[0-9a-z]*")
_RIGHT_RUN = re.compile(r"(?<![0-9a-z])[0-9a-z]*\Z")


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

    @cached_property
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

    @property
    def needs_body(self) -> bool:
        """True: see Leaf in tree.py."""
        return True

    def holds(self, _line: LogLine, lowered: str) -> bool:
        """True when the message has it."""
        return self.occurs_in(lowered)

    def leaves(self) -> Iterator["TextPart"]:
        """Itself."""
        yield self

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def words(self) -> str:
        """As a person would type it."""
        text = f'"{self.text}"' if re.search(r"\s", self.text) else self.text
        return f"{'*' * self.is_open_left}{text}{'*' * self.is_open_right}"


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
