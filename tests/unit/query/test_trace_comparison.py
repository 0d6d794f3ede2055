"""Two traces side by side."""

import msgspec

from logstream.model import Span
from logstream.query.trace_comparison import Comparison, compared
from logstream.query.trace_view import view_of
from logstream.trace_port import WholeTrace
from tests.records import a_span

MS = 1_000_000


def compare(own: list[Span], other: list[Span]) -> Comparison:
    whole = [WholeTrace("t", spans, [], False, False, False) for spans in (own, other)]
    return compared(view_of(whole[0]), view_of(whole[1]))


def told(found: Comparison) -> list[tuple[str, str, int, int, float]]:
    """(indented operation, change, spans here and there, difference in ms)."""
    return [
        (
            "  " * node.depth + node.operation,
            node.change,
            node.own.count if node.own else 0,
            node.other.count if node.other else 0,
            node.difference_nano / MS,
        )
        for node in found.nodes
    ]


def root(duration: float) -> Span:
    return a_span("1", name="POST /orders", kind="server", duration_ms=duration)


def test_each_node_says_what_changed_with_numbers() -> None:
    found = compare(
        [
            root(100),
            a_span("2", parent="1", name="charge", start_ms=10, duration_ms=60),
            a_span("3", parent="1", name="notify", start_ms=75, duration_ms=5),
            a_span("4", parent="1", name="stock", start_ms=85, duration_ms=10),
        ],
        [
            root(50),
            a_span("8", parent="1", name="stock", start_ms=1, duration_ms=20),
            a_span("9", parent="1", name="charge", start_ms=22, duration_ms=12),
            a_span("a", parent="1", name="mail", start_ms=40, duration_ms=5),
        ],
    )
    assert told(found) == [
        ("POST /orders", "slower", 1, 1, 50),
        ("  charge", "slower", 1, 1, 48),
        ("  notify", "added", 1, 0, 5),
        ("  stock", "faster", 1, 1, -10),
        ("  mail", "removed", 0, 1, -5),
    ]
    assert found.changes == {"slower": 2, "added": 1, "faster": 1, "removed": 1}
    top, charge = found.nodes[:2]
    # 100 − 60 − 5 − 10 = 25 less 50 − 20 − 12 − 5 = 13; 48 of 12 is 400 %
    assert (top.self_difference_nano, top.percent) == (12 * MS, 100)
    assert (charge.percent, charge.parent) == (400, 0)
    assert (found.own_nano, found.other_nano) == (100 * MS, 50 * MS)


def test_as_many_of_one_kind_correspond_one_by_one() -> None:
    def spans(second: float) -> list[Span]:
        return [
            root(100),
            a_span("2", parent="1", name="SELECT", start_ms=1, duration_ms=10),
            a_span("3", parent="1", name="SELECT", start_ms=20, duration_ms=second),
            a_span("4", parent="3", name="rows", start_ms=21, duration_ms=second - 2),
        ]

    assert told(compare(spans(60), spans(10))) == [
        ("POST /orders", "same", 1, 1, 0),
        ("  SELECT", "same", 1, 1, 0),
        ("  SELECT", "slower", 1, 1, 50),
        ("    rows", "slower", 1, 1, 50),
    ]


def test_a_query_asked_fifty_times_is_one_node_with_its_count() -> None:
    queries = [
        a_span(f"b{n:02x}", parent="1", name=f"SELECT {n}", start_ms=n, duration_ms=1)
        for n in range(50)
    ]
    rows = [a_span(f"c{n:02x}", parent=f"b{n:02x}", name="rows", start_ms=n) for n in range(50)]
    found = compare([root(100), *queries, *rows], [root(50), queries[0], rows[0]])
    assert told(found) == [
        ("POST /orders", "slower", 1, 1, 50),
        # 50 × 1 − 1
        ("  SELECT 0", "slower", 50, 1, 49),
        # 50 × 20 − 20
        ("    rows", "slower", 50, 1, 980),
    ]


def test_the_way_from_the_root_counts_not_the_name_alone() -> None:
    def spans(parent: str) -> list[Span]:
        return [
            root(50),
            a_span("2", parent="1", name="a", start_ms=1),
            a_span("3", parent="1", name="b", start_ms=2),
            a_span("4", parent=parent, name="SELECT", start_ms=3),
        ]

    assert told(compare(spans("2"), spans("3"))) == [
        ("POST /orders", "same", 1, 1, 0),
        ("  a", "same", 1, 1, 0),
        ("    SELECT", "added", 1, 0, 20),
        ("  b", "same", 1, 1, 0),
        ("    SELECT", "removed", 0, 1, -20),
    ]


def test_traces_that_begin_differently_have_nothing_in_common() -> None:
    found = compare([root(50)], [a_span("1", name="GET /health", duration_ms=0)])
    assert told(found) == [
        ("POST /orders", "added", 1, 0, 50),
        ("GET /health", "removed", 0, 1, 0),
    ]
    assert found.nodes[0].percent is None


def test_a_trace_is_the_same_as_itself_and_as_nothing() -> None:
    spans = [root(50), a_span("2", parent="1", start_ms=2)]
    assert set(compare(spans, spans).changes) == {"same"}
    assert set(compare(spans, []).changes) == {"added"}
    assert compare([], []).nodes == []


def test_errors_are_counted_on_both_sides() -> None:
    failed = msgspec.structs.replace(root(50), status="error")
    (node,) = compare([failed], [root(50)]).nodes
    assert node.own and node.other
    assert (node.own.error_count, node.other.error_count) == (1, 0)
