"""TextQuery: what `q` means. Rules and examples for people: docs/search.md.

`matches` is one of three twins: `logstream/query/text_conditions.py` says the same in SQL,
`show/live_feed/predicate.js` in the browser. Tests hold all three to the same cases.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from logstream.model import LogLine
from logstream.text_query.parser import parsed
from logstream.text_query.parts import TextPart, folded
from logstream.text_query.regex import Regex
from logstream.text_query.tree import All, AnyOf, Node, Not, asks_text_only, is_counted


@dataclass(frozen=True)
class TextQuery:
    """All of `terms` must hold; none of them means every line."""

    terms: tuple[Node, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    @classmethod
    def parse(cls, text: str) -> "TextQuery":
        """The query that a person's text means; raises QueryError, a FilterError."""
        return _query(text)

    @cached_property
    def needs_rows(self) -> bool:
        """False when counts by environment, service, severity and pattern can answer."""
        return not all(is_counted(term) for term in self.terms)

    @cached_property
    def include(self) -> tuple[TextPart, ...]:
        """Words and phrases that every match holds."""
        return tuple(term for term in self.terms if isinstance(term, TextPart))

    def marks(self) -> Iterator[TextPart | Regex]:
        """What is worth marking in a message that matches: asked for somewhere, not ruled out."""
        for term in self.terms:
            yield from _sought(term)

    def matches(self, line: LogLine) -> bool:
        """True when the line is meant."""
        for term in self._quick:
            if not term.holds(line, ""):
                return False
        if self._slow:
            lowered = folded(line.body)
            for term in self._slow:
                if not term.holds(line, lowered):
                    return False
        return True

    @cached_property
    def _quick(self) -> tuple[Node, ...]:
        return tuple(term for term in self.terms if not term.needs_body)

    @cached_property
    def _slow(self) -> tuple[Node, ...]:
        return tuple(term for term in self.terms if term.needs_body)

    def words(self) -> str:
        """`with timeout and "order 17", without health, where http.status_code is 503`."""
        said: dict[str, list[str]] = {"with": [], "without": [], "where": []}
        for term in self.terms:
            asks_text = asks_text_only(term)
            if asks_text and isinstance(term, Not):
                said["without"].append(term.node.words())
            else:
                said["with" if asks_text else "where"].append(term.words())
        joints = {"with": " and ", "without": " or ", "where": " and "}
        return ", ".join(f"{how} {joints[how].join(found)}" for how, found in said.items() if found)


@lru_cache(maxsize=2_000)
def _query(text: str) -> TextQuery:
    terms: dict[Node, None] = {}
    for piece in parsed(text):
        terms.update(dict.fromkeys(_flat(piece.node)))
    return TextQuery(tuple(terms))


def _flat(node: Node) -> Iterator[Node]:
    if isinstance(node, All):
        for inner in node.nodes:
            yield from _flat(inner)
    else:
        yield node


def _sought(node: Node) -> Iterator[TextPart | Regex]:
    match node:
        case TextPart() | Regex():
            yield node
        case All() | AnyOf():
            for inner in node.nodes:
                yield from _sought(inner)
