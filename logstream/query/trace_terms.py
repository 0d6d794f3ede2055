"""What the terms of `q` ask of a trace: of the whole of it, or of one of its spans.

docs/traces.md says it for people. Terms beside each other that ask about spans mean one span
that has them all; `-` means that no span is so.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from logstream.errors import FilterError
from logstream.text_query import (
    AttributeTest,
    Comparison,
    Existence,
    Node,
    Not,
    Regex,
    TextPart,
    Wildcard,
)
from logstream.text_query.fields import NUMBER, FieldTest
from logstream.text_query.meanings import UNITS
from logstream.text_query.tree import Leaf

KINDS = ("internal", "server", "client", "producer", "consumer")
# Numbers of the whole trace; `duration` in milliseconds.
NUMBERS = ("duration", "spans", "errors")
OF_TRACE = (*NUMBERS, "status", "root", "trace", "env")
NAMES = ("operation", "name")
_EQUAL_NUMBER = re.compile(rf"({NUMBER})([A-Za-zµ]*)")
_MEANINGLESS = {
    "severity": "choose error in the severity filter, or use errors>0 or status:error",
    "pattern": "patterns are of log lines: look for the lines on Explore, and open their trace",
}


@dataclass(frozen=True)
class OneSpan:
    """One span of the trace of which all the nodes are true."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Number:
    """A comparison of one of NUMBERS; `operator` as in Comparison."""

    key: str
    operator: str
    number: Decimal


def check(nodes: Iterable[Node]) -> None:
    """Raises FilterError for the first term that means nothing for traces."""
    for node in nodes:
        for leaf in node.leaves():
            _check(leaf)


def conjunction(nodes: Iterable[Node]) -> Iterator[Node | OneSpan]:
    """The nodes that must all be true, those about one span put together.

    A `service:` beside them is that span's; by itself it is a service that takes part.
    """
    together: list[Node] = []
    apart: list[Node] = []
    for node in nodes:
        (together if _may_be_of_span(node) else apart).append(node)
    if asks_spans(together):
        yield OneSpan(tuple(together))
    else:
        yield from together
    yield from apart


def asks_spans(nodes: Iterable[Node]) -> bool:
    """True when what a summary holds is not enough."""
    return any(_is_of_span(leaf) for node in nodes for leaf in node.leaves())


def number_of(test: Comparison | AttributeTest) -> Number:
    """The comparison that `duration>1.5s` or `spans:3` mean; raises FilterError."""
    if isinstance(test, Comparison):
        return Number(test.key, test.operator, test.number)
    match = _EQUAL_NUMBER.fullmatch(test.values[0])
    units = UNITS if test.key == "duration" else {"": "1"}
    if match is None or match[2] not in units:
        more = " or duration>1.5s" if test.key == "duration" else ""
        raise _refused(test, f"use {test.key}>5{more}")
    return Number(test.key, "=", Decimal(match[1]) * Decimal(units[match[2]]))


def _is_of_span(leaf: Leaf) -> bool:
    return not isinstance(leaf, FieldTest) or leaf.key not in (*OF_TRACE, "service")


def _may_be_of_span(node: Node) -> bool:
    return not _has_not(node) and all(
        _is_of_span(leaf) or getattr(leaf, "key", "") == "service" for leaf in node.leaves()
    )


def _has_not(node: Node) -> bool:
    return isinstance(node, Not) or any(map(_has_not, getattr(node, "nodes", ())))


def _check(leaf: Leaf) -> None:
    if isinstance(leaf, TextPart | Regex):
        return
    key = leaf.key
    if key in _MEANINGLESS:
        raise _refused(leaf, _MEANINGLESS[key])
    if key in NUMBERS:
        if isinstance(leaf, Comparison | AttributeTest):
            number_of(leaf)
        elif isinstance(leaf, Wildcard):
            raise _refused(leaf, f"use {key}>5")
    elif key == "status":
        if not isinstance(leaf, AttributeTest) or leaf.values[0] not in ("error", "ok"):
            raise _refused(
                leaf, "use status:error or status:ok; of HTTP: http.response.status_code:500"
            )
    elif key == "kind":
        if isinstance(leaf, AttributeTest) and leaf.values[0].lower() not in KINDS:
            raise _refused(leaf, f"use {', '.join(KINDS)}")
        if isinstance(leaf, Comparison):
            raise _refused(leaf, "use kind:server")
    elif key in ("root", *NAMES) and isinstance(leaf, Comparison):
        raise _refused(leaf, f"use {key}:NAME")


def _refused(leaf: AttributeTest | Wildcard | Existence | Comparison, remedy: str) -> FilterError:
    return FilterError("q", f"q: '{leaf.words()}' means nothing for traces", remedy)
