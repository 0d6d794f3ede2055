"""What the spans of a trace say together: whose child each is, and its own share of the time.

Nothing is refused: a trace arrives in pieces, out of order, from clocks that differ. What
does not fit is shown as it was sent, with a warning.
"""

from collections.abc import Iterable, Sequence

import msgspec

from logstream.model import Span

# Two halves of one call may have one id, as Zipkin's shared spans do: this one is the callee's.
_CALLEE = ("server", "consumer")
# Of more spans with one id the others are nobody's parent: looking at all would take for ever.
_MAX_TWINS = 8


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


def without_copies(spans: Iterable[Span]) -> list[Span]:
    """Each span once: a sender that was not answered sends the same ones again."""
    seen: dict[Span, Span] = {}
    for span in spans:
        seen.setdefault(msgspec.structs.replace(span, observed_unix_nano=0), span)
    return list(seen.values())


def in_trace(spans: Sequence[Span]) -> list[SpanInTrace]:
    """The spans in the same order, each beside what its neighbours say about it."""
    by_id: dict[str, list[int]] = {}
    for place, span in enumerate(spans):
        twins = by_id.setdefault(span.span_id, [])
        if len(twins) < _MAX_TWINS:
            twins.append(place)
    parents = [_parent(place, spans, by_id) for place in range(len(spans))]
    children: dict[int, list[Span]] = {}
    for span, parent in zip(spans, parents, strict=True):
        if parent is not None:
            children.setdefault(parent, []).append(span)
    return [
        SpanInTrace(
            span,
            self_time_nano(span, children.get(place, ())),
            tuple(
                _warnings(
                    span,
                    None if parent is None else spans[parent],
                    [spans[other] for other in by_id[span.span_id] if other != place],
                )
            ),
        )
        for place, (span, parent) in enumerate(zip(spans, parents, strict=True))
    ]


def self_time_nano(span: Span, children: Iterable[Span]) -> int:
    """Its duration without what its children took of it; 0 for a negative duration."""
    start, end = span.start_unix_nano, _end(span)
    covered, reached = 0, start
    for first, last in sorted((child.start_unix_nano, _end(child)) for child in children):
        first, last = max(first, reached), min(last, end)
        if last > first:
            covered += last - first
            reached = last
    return max(0, end - start) - covered


def _end(span: Span) -> int:
    return span.start_unix_nano + span.duration_nano


def _parent(place: int, spans: Sequence[Span], by_id: dict[str, list[int]]) -> int | None:
    """Which span is the parent of the one at a place; None for a root or one that is unknown."""
    span = spans[place]
    if span.kind in _CALLEE:
        for other in by_id[span.span_id]:
            if spans[other].kind not in _CALLEE:
                return other
    if span.parent_span_id is None:
        return None
    others = [other for other in by_id.get(span.parent_span_id, ()) if other != place]
    if not others:
        return None
    # Of two with one id, a child is of its own service, or else of the one that was called.
    return max(
        others,
        key=lambda other: (
            spans[other].service_name == span.service_name,
            spans[other].kind in _CALLEE,
        ),
    )


def _warnings(span: Span, parent: Span | None, twins: Sequence[Span]) -> Iterable[str]:
    if span.duration_nano < 0:
        yield f"its duration is negative: {span.duration_nano} ns"
    if any((twin.kind in _CALLEE) == (span.kind in _CALLEE) for twin in twins):
        yield f"another span has the same id {span.span_id}"
    if span.parent_span_id is not None and parent is None:
        is_own = span.parent_span_id == span.span_id
        yield (
            "it names itself as its parent"
            if is_own
            else (f"its parent {span.parent_span_id} is not known (yet)")
        )
    if parent is not None:
        early = parent.start_unix_nano - span.start_unix_nano
        late = _end(span) - _end(parent)
        if early > 0:
            yield f"it starts {early} ns before its parent"
        if late > 0:
            yield f"it ends {late} ns after its parent"
