"""`/regex/`: one portable subset, written anew so that three engines read it alike.

Python, PostgreSQL and JavaScript differ in many corners (what `.`, `$`, `\\w` and `\\b` mean,
escapes, characters beyond 16 bits). So an expression is read by regex_parser.py into the
small tree below and written out in what all of them share. What could run away on a text of
unlucky shape is refused: the browser and Python have no time limit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from logstream.model import LogLine
from logstream.text_query.regex_checks import check_cost
from logstream.text_query.regex_parser import Chars, Sequence, read_regex


@dataclass(frozen=True)
class Regex:
    """An expression that must be found somewhere in a message, in any case of letters.

    `pattern` is for text in lower case; with JavaScript's flag `u`.
    """

    source: str = field(compare=False)
    pattern: str
    # Texts that every match holds.
    required: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, source: str) -> "Regex":
        """The expression between the slashes; raises RegexProblem."""
        return _read(source)

    @property
    def needs_body(self) -> bool:
        """True: see Leaf in tree.py."""
        return True

    def holds(self, _line: LogLine, lowered: str) -> bool:
        """True when the message has it."""
        return self._compiled.search(lowered) is not None

    def leaves(self) -> Iterator["Regex"]:
        """Itself."""
        yield self

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def words(self) -> str:
        """As a person types it."""
        return f"/{self.source}/"


@lru_cache(maxsize=256)
def _read(source: str) -> Regex:
    tree = read_regex(source)
    check_cost(tree)
    return Regex(source, tree.pattern(), tuple(_required(tree)))


def _required(tree: object) -> Iterator[str]:
    """Runs of characters that stand in every match, of the outermost sequence."""
    if not isinstance(tree, Sequence):
        return
    run = ""
    for item in tree.items:
        only = item.chars.only if isinstance(item, Chars) else ""
        if only:
            run += only
            continue
        if run:
            yield run
        run = ""
    if run:
        yield run
