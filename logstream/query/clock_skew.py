"""By how much the spans of a trace would move if every service's clock were right.

Jaeger's way (jaegertracing/jaeger, its clock skew adjuster): only where a span's service is
another than its parent's, and only when it does not fit its parent. Half of what the parent
has to spare goes before it, as if the way there and back took as long:

    cart    ├────────────────────┤            20, from 0
    stock                    ├──────────┤     10, from 14: ends 4 too late
    stock        ├──────────┤                 from (20 − 10) / 2 = 5: shift −9

A child longer than its parent only moves up to its start, if it is before that. Spans of the
same service move with their parent. One whose parent is not here stays.
"""

from logstream.query.span_tree import SpanTree, end_of


def clock_shifts(tree: SpanTree) -> dict[int, int]:
    """Nanoseconds to add to the start, by place in the tree; only where there are any."""
    shifts: dict[int, int] = {}
    for at in tree.order:
        parent = tree.parents[at]
        if parent is None:
            continue
        shift = shifts.get(parent, 0)
        if tree.spans[at].service_name != tree.spans[parent].service_name:
            shift = _shift(tree, at, parent, shift)
        if shift:
            shifts[at] = shift
    return shifts


def _shift(tree: SpanTree, at: int, parent: int, shift_of_parent: int) -> int:
    child, above = tree.spans[at], tree.spans[parent]
    start, end = above.start_unix_nano + shift_of_parent, end_of(above) + shift_of_parent
    if child.duration_nano > above.duration_nano:
        return max(0, start - child.start_unix_nano)
    if child.start_unix_nano >= start and end_of(child) <= end:
        return 0
    spare = (above.duration_nano - child.duration_nano) // 2
    return start + spare - child.start_unix_nano
