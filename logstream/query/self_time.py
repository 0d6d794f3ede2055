"""What each span of a trace spent itself, and what about it does not fit.

What does not fit is shown as it was sent, with a warning: clocks differ, spans get lost.
"""

from collections.abc import Iterable, Sequence

import msgspec

from logstream.model import Span
from logstream.query.span_tree import CALLEE, SpanTree, end_of, tree_of


class SpanInTrace(msgspec.Struct, frozen=True):
    """A span, the time in it that no child of it was running, and what is odd about it.

    self_time_nano = duration − length of the union of the children's times inside it:

        span      ├──────────────────┤      20
        children     ├────┤               \\
                        ├─────┤            ├ 5 + 4 (the union, cut to the span) = 12
                                  ├────┤  /
        self      ├─┤         ├──┤           8
    """

    span: Span
    self_time_nano: int
    warnings: tuple[str, ...]


def in_trace(spans: Sequence[Span] | SpanTree) -> list[SpanInTrace]:
    """The spans in the same order, each beside what its neighbours say about it."""
    tree = spans if isinstance(spans, SpanTree) else tree_of(spans)
    return [
        SpanInTrace(
            span,
            self_time_nano(span, [tree.spans[child] for child in tree.children[place]]),
            tuple(_warnings(tree, place)),
        )
        for place, span in enumerate(tree.spans)
    ]


def self_time_nano(span: Span, children: Iterable[Span]) -> int:
    """Its duration without what its children took of it; 0 for a negative duration."""
    start, end = span.start_unix_nano, end_of(span)
    covered, reached = 0, start
    for first, last in sorted((child.start_unix_nano, end_of(child)) for child in children):
        first, last = max(first, reached), min(last, end)
        if last > first:
            covered += last - first
            reached = last
    return max(0, end - start) - covered


def _warnings(tree: SpanTree, place: int) -> Iterable[str]:
    span, at = tree.spans[place], tree.parents[place]
    if span.duration_nano < 0:
        yield f"its duration is negative: {span.duration_nano} ns"
    is_callee = span.kind in CALLEE
    if any((tree.spans[twin].kind in CALLEE) == is_callee for twin in tree.twins[place]):
        yield f"another span has the same id {span.span_id}"
    if place in tree.cut:
        yield "its parents lead back to itself: it is shown as if it had none"
    elif tree.is_orphan(place):
        yield f"its parent {span.parent_span_id} is not known (yet)"
    elif span.parent_span_id is not None and at is None:
        yield "it names itself as its parent"
    if at is not None:
        parent = tree.spans[at]
        early = parent.start_unix_nano - span.start_unix_nano
        late = end_of(span) - end_of(parent)
        if early > 0:
            yield f"it starts {early} ns before its parent"
        if late > 0:
            yield f"it ends {late} ns after its parent"
