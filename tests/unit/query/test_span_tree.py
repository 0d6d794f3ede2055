"""Whose child each span is, whatever arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.query.self_time import in_trace
from logstream.query.span_tree import tree_of
from tests.records import a_span


def test_children_are_oldest_first_whatever_the_order_of_arrival() -> None:
    tree = tree_of(
        [
            a_span("aa", parent="11", start_ms=9),
            a_span("bb", parent="11", start_ms=3),
            a_span("11"),
            a_span("cc", parent="bb", start_ms=4),
        ]
    )
    assert tree.parents == [2, 2, None, 1]
    assert tree.children == [[], [3], [1, 0], []]
    assert tree.order == [2, 1, 3, 0]
    assert tree.unknown_parents == []


@pytest.mark.parametrize("spelled", ["00F067AA0BA902B7", "00f067aa-0ba902b7", "f067aa0ba902b7"])
def test_a_parent_is_found_in_any_spelling_of_its_id(spelled: str) -> None:
    assert tree_of([a_span("00f067aa0ba902b7"), a_span("01", parent=spelled)]).parents == [None, 0]


def test_ids_that_are_no_hexadecimal_are_compared_as_they_are() -> None:
    tree = tree_of([a_span("Span-A"), a_span("b", parent="span-a"), a_span("c", parent="Span-A")])
    assert tree.parents == [None, None, 0]
    assert tree.unknown_parents == ["span-a"]


def test_parents_that_are_missing_are_listed_once_in_the_order_of_their_children() -> None:
    tree = tree_of(
        [
            a_span("a", parent="late", start_ms=9),
            a_span("b", parent="early", start_ms=1),
            a_span("c", parent="late", start_ms=10),
            a_span("d", parent="d"),
            a_span("e"),
        ]
    )
    assert tree.unknown_parents == ["early", "late"]
    # d names itself, e and d start before b and a.
    assert [tree.spans[at].span_id for at in tree.roots] == ["d", "e", "b", "a", "c"]


def test_a_circle_is_cut_at_its_oldest_span() -> None:
    tree = tree_of(
        [
            a_span("a", parent="c", start_ms=2),
            a_span("b", parent="a", start_ms=1),
            a_span("c", parent="b", start_ms=3),
            a_span("tail", parent="c", start_ms=0),
        ]
    )
    # a → c → b → a: b is the oldest of the three, what hangs below stays below.
    assert tree.cut == {1}
    assert tree.parents == [2, None, 1, 2]
    assert tree.order == [1, 2, 3, 0]
    assert tree.unknown_parents == []


def test_fifty_thousand_spans_in_one_chain_are_no_deeper_than_any_other() -> None:
    chain = [
        a_span(f"{n + 1:x}", parent=f"{n:x}" if n else None, start_ms=n) for n in range(50_000)
    ]
    tree = tree_of(chain[::-1])
    assert len(tree.order) == 50_000
    assert tree.order[-1] == 0
    assert len(in_trace(tree)) == 50_000


def test_fifty_thousand_children_of_one_span_are_all_drawn() -> None:
    tree = tree_of([a_span("1"), *(a_span(f"{n:x}", parent="1") for n in range(2, 50_002))])
    assert len(tree.children[0]) == 50_000
    assert in_trace(tree)[0].self_time_nano == 0


any_spans = st.builds(
    a_span,
    st.sampled_from("abcdefg"),
    parent=st.sampled_from("abcdefghi") | st.none(),
    kind=st.sampled_from(["internal", "client", "server"]),
    start_ms=st.integers(-5, 5),
    duration_ms=st.integers(-3, 10),
)


@given(st.lists(any_spans, max_size=14))
def test_every_span_has_one_place_below_its_parent(spans: list) -> None:  # type: ignore[type-arg]
    tree = tree_of(spans)
    assert sorted(tree.order) == list(range(len(spans)))
    placed = {at: n for n, at in enumerate(tree.order)}
    for at, parent in enumerate(tree.parents):
        assert parent is None or placed[parent] < placed[at]
        assert parent is None or at in tree.children[parent]
