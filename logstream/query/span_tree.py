"""Whose child each span of a trace is.

Nothing is refused: a trace arrives in pieces, out of order, with ids in any spelling. Parents
that are missing, lead round in a circle or are there twice still give a tree, in linear time
and at any depth: nothing here calls itself.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from logstream.model import Span

# Two halves of one call may have one id, as Zipkin's shared spans do: this one is the callee's.
CALLEE = ("server", "consumer")
# Of more spans with one id the others are nobody's parent: looking at all would take for ever.
_MAX_TWINS = 8
_HEX_ID = re.compile(r"[0-9a-fA-F-]{1,64}").fullmatch


class SpanTree(msgspec.Struct, frozen=True):
    """Spans and, by their places in `spans`, who belongs to whom.

    `parents` has None for a root. `children` are oldest first. `order` has every place once,
    parents before their children and children in their order. `twins` are further spans with
    the same id. `cut` are roots only because their parents lead back to themselves.
    """

    spans: Sequence[Span]
    parents: Sequence[int | None]
    children: Sequence[Sequence[int]]
    order: Sequence[int]
    twins: Sequence[Sequence[int]]
    cut: frozenset[int]

    @property
    def roots(self) -> list[int]:
        """Places of spans without a parent here, oldest first."""
        return _by_age(self.spans, (at for at, parent in enumerate(self.parents) if parent is None))

    @property
    def main_root(self) -> int | None:
        """The span that stands for the whole: the oldest without a parent, else the longest root.

        None only of no spans.
        """
        roots = self.roots
        for at in roots:
            if self.spans[at].parent_span_id is None:
                return at
        return max(roots, key=lambda at: self.spans[at].duration_nano, default=None)

    @property
    def unknown_parents(self) -> list[str]:
        """Ids that are named as a parent and that no span has, in the order of their children."""
        return list(
            dict.fromkeys(
                span.parent_span_id
                for at in self.order
                if (span := self.spans[at]).parent_span_id is not None and self.is_orphan(at)
            )
        )

    def is_orphan(self, place: int) -> bool:
        """True when it names a parent that is not here."""
        span = self.spans[place]
        return (
            span.parent_span_id is not None
            and self.parents[place] is None
            and place not in self.cut
            and span_key(span.parent_span_id) != span_key(span.span_id)
        )


def span_key(span_id: str) -> str:
    """One form for all spellings of an id: no case, no dashes, no zeros before it."""
    if _HEX_ID(span_id):
        return span_id.replace("-", "").lower().lstrip("0") or "0"
    return span_id


def end_of(span: Span) -> int:
    """When it ended, in nanoseconds since the epoch; before its start where clocks went back."""
    return span.start_unix_nano + span.duration_nano


def without_copies(spans: Iterable[Span]) -> list[Span]:
    """Each span once: a sender that was not answered sends the same ones again."""
    seen: dict[Span, Span] = {}
    for span in spans:
        seen.setdefault(msgspec.structs.replace(span, observed_unix_nano=0), span)
    return list(seen.values())


def tree_of(spans: Sequence[Span]) -> SpanTree:
    """The tree, or the trees, that the spans make."""
    keys = [span_key(span.span_id) for span in spans]
    by_key: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        same = by_key.setdefault(key, [])
        if len(same) < _MAX_TWINS:
            same.append(place)
    parents = [_parent(place, spans, keys, by_key) for place in range(len(spans))]
    cut = _cut_circles(spans, parents)
    children: list[list[int]] = [[] for _ in spans]
    for place in _by_age(spans, range(len(spans))):
        parent = parents[place]
        if parent is not None:
            children[parent].append(place)
    twins = [
        [other for other in by_key[key] if other != place] if len(by_key[key]) > 1 else ()
        for place, key in enumerate(keys)
    ]
    return SpanTree(spans, parents, children, _order(spans, parents, children), twins, cut)


def _by_age(spans: Sequence[Span], places: Iterable[int]) -> list[int]:
    return sorted(places, key=lambda at: (spans[at].start_unix_nano, at))


def _parent(
    place: int, spans: Sequence[Span], keys: Sequence[str], by_key: dict[str, list[int]]
) -> int | None:
    """Which span is the parent of the one at a place; None for a root or one that is unknown."""
    span = spans[place]
    if span.kind in CALLEE:
        for other in by_key[keys[place]]:
            if spans[other].kind not in CALLEE:
                return other
    if span.parent_span_id is None:
        return None
    key = span_key(span.parent_span_id)
    others = [other for other in by_key.get(key, ()) if other != place]
    if not others or key == keys[place]:
        return None
    if len(others) == 1:
        return others[0]
    # Of two with one id, a child is of its own service, or else of the one that was called.
    return max(
        others,
        key=lambda other: (
            spans[other].service_name == span.service_name,
            spans[other].kind in CALLEE,
        ),
    )


def _cut_circles(spans: Sequence[Span], parents: list[int | None]) -> frozenset[int]:
    """Makes a root of the oldest span of every circle; their places."""
    cut = set()
    # By which walk each place was reached.
    walk_of = [-1] * len(spans)
    for start in range(len(spans)):
        place: int | None = start
        while place is not None and walk_of[place] == -1:
            walk_of[place] = start
            place = parents[place]
        if place is None or walk_of[place] != start:
            continue
        circle, other = [place], parents[place]
        while other is not None and other != place:
            circle.append(other)
            other = parents[other]
        oldest = _by_age(spans, circle)[0]
        parents[oldest] = None
        cut.add(oldest)
    return frozenset(cut)


def _order(
    spans: Sequence[Span], parents: Sequence[int | None], children: Sequence[Sequence[int]]
) -> list[int]:
    waiting = _by_age(spans, (at for at, parent in enumerate(parents) if parent is None))[::-1]
    order = []
    while waiting:
        place = waiting.pop()
        order.append(place)
        waiting.extend(reversed(children[place]))
    return order
