"""The tree of a query: what is asked of a line, joined by and, or and not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from logstream.model import LogLine
from logstream.text_query.fields import (
    AttributeTest,
    Comparison,
    Existence,
    FieldTest,
    Wildcard,
)
from logstream.text_query.parts import TextPart
from logstream.text_query.regex import Regex

# What a line is asked: `holds(line, message in lower case)`; without `needs_body` the second
# may be anything.
Leaf = TextPart | Regex | AttributeTest | Wildcard | Existence | Comparison


@dataclass(frozen=True)
class All:
    """Every one of the nodes."""

    nodes: tuple["Node", ...]

    @cached_property
    def needs_body(self) -> bool:
        """True when the message is asked about."""
        return any(node.needs_body for node in self.nodes)

    def holds(self, line: LogLine, lowered: str) -> bool:
        """True when all hold."""
        return all(node.holds(line, lowered) for node in self.nodes)

    def leaves(self) -> Iterator[Leaf]:
        """Everything that is asked, from left to right."""
        for node in self.nodes:
            yield from node.leaves()

    def words(self) -> str:
        """`(timeout and status is 503)`."""
        return f"({' and '.join(node.words() for node in self.nodes)})"


@dataclass(frozen=True)
class AnyOf:
    """At least one of the nodes."""

    nodes: tuple["Node", ...]

    @cached_property
    def needs_body(self) -> bool:
        """True when the message is asked about."""
        return any(node.needs_body for node in self.nodes)

    def holds(self, line: LogLine, lowered: str) -> bool:
        """True when one holds."""
        return any(node.holds(line, lowered) for node in self.nodes)

    def leaves(self) -> Iterator[Leaf]:
        """Everything that is asked, from left to right."""
        for node in self.nodes:
            yield from node.leaves()

    def words(self) -> str:
        """`(timeout or status is 503)`."""
        return f"({' or '.join(node.words() for node in self.nodes)})"


@dataclass(frozen=True)
class Not:
    """The opposite of a node."""

    node: "Node"

    @property
    def needs_body(self) -> bool:
        """True when the message is asked about."""
        return self.node.needs_body

    def holds(self, line: LogLine, lowered: str) -> bool:
        """True when the node does not hold."""
        return not self.node.holds(line, lowered)

    def leaves(self) -> Iterator[Leaf]:
        """Everything that is asked, from left to right."""
        yield from self.node.leaves()

    def words(self) -> str:
        """`not region is eu`."""
        return f"not {self.node.words()}"


Node = Leaf | All | AnyOf | Not


def is_counted(node: Node) -> bool:
    """True when the counts can answer: only labels that they are kept by."""
    return all(isinstance(leaf, FieldTest) and leaf.is_counted for leaf in node.leaves())


def asks_text_only(node: Node) -> bool:
    """True when only the message is asked about."""
    return all(isinstance(leaf, TextPart | Regex) for leaf in node.leaves())


def opposite_of(node: Node) -> Node:
    """Not the node; nothing is denied twice."""
    return node.node if isinstance(node, Not) else Not(node)
