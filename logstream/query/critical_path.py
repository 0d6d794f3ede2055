"""Which spans a request waited for, moment by moment: its critical path.

The method is Jaeger's (jaegertracing/jaeger-ui, TracePage/CriticalPath), after CRISP (Zhang
et al., USENIX ATC 2022): from the end of the root walk back. The child that finished last was
waited for; before it started, the one of the others that had finished last by then; where
there is none, the span itself worked.

    root    ├──────────────────────────────┤
    a         ├───────┤                           still ran when b began: nobody waited for it
    b               ├────────┤
    c                            ├────────┤
    path    ├━━root━┿━━━b━━━━┿root┿━━━c━━━┿━┤     root again after c

Children are cut to their parents, those wholly outside are left out, with all below them: so is
one that started after its parent ended. A consumer is not waited for by what sent its message.
One ending in the very moment another starts is not taken to be waited for, as in Jaeger.
"""

import msgspec

from logstream.query.span_tree import SpanTree, end_of


class Section(msgspec.Struct, frozen=True, gc=False):
    """A part of the critical path: the span at this place (in the tree) worked, or waited alone."""

    place: int
    start_unix_nano: int
    end_unix_nano: int


def critical_path(tree: SpanTree) -> list[Section]:
    """The path through every root, oldest root first, of each the latest section first.

    None of the sections is empty.
    """
    return [section for root in tree.roots for section in _path(tree, root)]


def _path(tree: SpanTree, root: int) -> list[Section]:
    times = _times_waited_for(tree, root)
    # The one that ended last comes last; of several, the one that began first.
    waiting = {
        at: sorted(
            (child for child in reversed(tree.children[at]) if child in times),
            key=lambda child: times[child][1],
        )
        for at in times
    }
    path: list[Section] = []
    at, until = root, times[root][1]
    is_back = False
    while True:
        children = waiting[at]
        # Down from its end the last one counts; back at it, those that had ended before.
        while is_back and children and times[children[-1]][1] >= until:
            children.pop()
        start = times[children[-1]][1] if children else times[at][0]
        if start < until:
            path.append(Section(at, start, until))
        if children:
            at, until, is_back = children.pop(), start, False
            continue
        parent = tree.parents[at]
        if at == root or parent is None:
            return path
        at, until, is_back = parent, times[at][0], True


def _times_waited_for(tree: SpanTree, root: int) -> dict[int, tuple[int, int]]:
    """Start and end of every span that can be on the path, cut to its parent's, by place."""
    first = tree.spans[root]
    times = {root: (first.start_unix_nano, max(first.start_unix_nano, end_of(first)))}
    below = [root]
    while below:
        at = below.pop()
        start, end = times[at]
        for child in tree.children[at]:
            span = tree.spans[child]
            if _is_sent_away(tree, child) or span.duration_nano < 0:
                continue
            low, high = max(start, span.start_unix_nano), min(end, end_of(span))
            # One without duration in the moment its parent ended is outside as well.
            if low < high or (span.duration_nano == 0 and low == high < end):
                times[child] = low, high
                below.append(child)
    return times


def _is_sent_away(tree: SpanTree, place: int) -> bool:
    """Whether it handles a message that its parent sent and did not wait for."""
    parent = tree.parents[place]
    span = tree.spans[place]
    if parent is None or span.kind != "consumer":
        return False
    sender = tree.spans[parent]
    return sender.kind == "producer" or sender.service_name != span.service_name
