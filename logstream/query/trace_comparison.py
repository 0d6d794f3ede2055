"""Two traces side by side: what is only in one, and what took longer or shorter.

Spans correspond when the way to them from the root is the same, by service, kind and operation
(numbers and ids in it aside). Where the children of two spans that correspond are as many on
both sides, the first belongs to the first, the second to the second; else they are one node with
their counts, as of a query that is asked fifty times instead of once:

    this   root ├ SELECT ├ SELECT ├ … 50        root           1 → 1     + 480 ms   slower
           root └ charge                          SELECT       1 → 50    + 480 ms   slower
    other  root ├ SELECT                          charge       0 → 1                added
           root └ mail                            mail         1 → 0                removed

After the differences of traces in Jaeger (jaegertracing/jaeger-ui, TraceDiff).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from logstream.query.span_tree import SpanTree, end_of
from logstream.query.trace_view import TraceView

Change = Literal["added", "removed", "slower", "faster", "same"]

# More of one kind under one span are one node, also where they are as many.
MOST_PAIRED = 8
# Less of a difference is none: a share of the other side, and nanoseconds.
LEAST_SHARE, LEAST_NANO = 0.1, 100_000
_NUMBERS = re.compile(r"[0-9a-fA-F-]*\d[0-9a-fA-F-]*")
_Key = tuple[str, str, str]


class ComparedSpans(msgspec.Struct, frozen=True, gc=False):
    """The spans of one side that a node stands for; `span_id` is the first one's."""

    span_id: str
    count: int
    error_count: int
    duration_nano: int
    self_time_nano: int


class ComparedNode(msgspec.Struct, frozen=True, gc=False):
    """Spans that correspond; None for a side that has none.

    `parent` is the place in `Comparison.nodes`. Differences are this trace's less the other's,
    a side that is missing taken for 0; `percent` is of the other's, None where that is 0.
    """

    parent: int | None
    depth: int
    service: str
    operation: str
    kind: str
    change: Change
    own: ComparedSpans | None
    other: ComparedSpans | None
    difference_nano: int
    self_difference_nano: int
    percent: float | None


class Comparison(msgspec.Struct, frozen=True):
    """All nodes, parents before children; `changes` counts them; durations are of whole traces."""

    nodes: Sequence[ComparedNode]
    changes: Mapping[Change, int]
    own_nano: int
    other_nano: int


def compared(own: TraceView, other: TraceView) -> Comparison:
    """How a trace differs from another."""
    nodes: list[ComparedNode] = []
    waiting: list[tuple[int | None, int, list[int], list[int]]] = [
        (None, 0, *pair)
        for pair in reversed(_pairs(own.tree, own.tree.roots, other.tree, other.tree.roots))
    ]
    while waiting:
        parent, depth, places, other_places = waiting.pop()
        at = len(nodes)
        nodes.append(_node(parent, depth, own, places, other, other_places))
        below = _pairs(
            own.tree,
            [child for place in places for child in own.tree.children[place]],
            other.tree,
            [child for place in other_places for child in other.tree.children[place]],
            is_group=len(places) > 1 or len(other_places) > 1,
        )
        waiting += [(at, depth + 1, *pair) for pair in reversed(below)]
    changes = Counter(node.change for node in nodes)
    return Comparison(nodes, changes, _length(own.tree), _length(other.tree))


def _pairs(
    tree: SpanTree,
    places: Iterable[int],
    other_tree: SpanTree,
    other_places: Iterable[int],
    *,
    is_group: bool = False,
) -> list[tuple[list[int], list[int]]]:
    """Those that correspond, this trace's in their order, then what only the other has."""
    by_key: dict[_Key, tuple[list[int], list[int]]] = {}
    for place in places:
        by_key.setdefault(_key(tree, place), ([], []))[0].append(place)
    for place in other_places:
        by_key.setdefault(_key(other_tree, place), ([], []))[1].append(place)
    pairs: list[tuple[list[int], list[int]]] = []
    for here, there in by_key.values():
        if not is_group and len(here) == len(there) <= MOST_PAIRED:
            pairs += [([one], [another]) for one, another in zip(here, there, strict=True)]
        else:
            pairs.append((here, there))
    return pairs


def _key(tree: SpanTree, place: int) -> _Key:
    span = tree.spans[place]
    return span.service_name, span.kind, _NUMBERS.sub("#", span.name)


def _node(
    parent: int | None,
    depth: int,
    own: TraceView,
    places: Sequence[int],
    other: TraceView,
    other_places: Sequence[int],
) -> ComparedNode:
    here, there = _side(own, places), _side(other, other_places)
    span = own.tree.spans[places[0]] if places else other.tree.spans[other_places[0]]
    now, before = (0 if side is None else side.duration_nano for side in (here, there))
    now_self, before_self = (0 if side is None else side.self_time_nano for side in (here, there))
    return ComparedNode(
        parent=parent,
        depth=depth,
        service=span.service_name,
        operation=span.name,
        kind=span.kind,
        change=_change(here, there),
        own=here,
        other=there,
        difference_nano=now - before,
        self_difference_nano=now_self - before_self,
        percent=100 * (now - before) / before if before > 0 else None,
    )


def _side(view: TraceView, places: Sequence[int]) -> ComparedSpans | None:
    if not places:
        return None
    spans = [view.tree.spans[place] for place in places]
    return ComparedSpans(
        span_id=spans[0].span_id,
        count=len(spans),
        error_count=sum(span.status == "error" for span in spans),
        duration_nano=sum(max(0, span.duration_nano) for span in spans),
        self_time_nano=sum(view.spans[place].self_time_nano for place in places),
    )


def _change(here: ComparedSpans | None, there: ComparedSpans | None) -> Change:
    if there is None:
        return "added"
    if here is None:
        return "removed"
    difference = here.duration_nano - there.duration_nano
    if abs(difference) < max(LEAST_NANO, LEAST_SHARE * there.duration_nano):
        return "same"
    return "slower" if difference > 0 else "faster"


def _length(tree: SpanTree) -> int:
    first = min((span.start_unix_nano for span in tree.spans), default=0)
    return max((max(span.start_unix_nano, end_of(span)) for span in tree.spans), default=0) - first
