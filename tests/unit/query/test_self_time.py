"""A span's own share of the time, and what does not fit in a trace."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from logstream.query.self_time import SpanInTrace, in_trace, self_time_nano
from logstream.query.span_tree import without_copies
from tests.records import a_span

MS = 1_000_000


def told(found: list[SpanInTrace]) -> dict[str, tuple[str, ...]]:
    return {one.span.span_id: one.warnings for one in found}


def test_a_span_without_children_spends_all_its_time_itself() -> None:
    assert self_time_nano(a_span(duration_ms=20), []) == 20 * MS


def test_children_that_overlap_are_counted_once_and_cut_to_the_span() -> None:
    parent = a_span("p", duration_ms=20)
    children = [
        a_span("a", start_ms=3, duration_ms=5),  # 3 to 8
        a_span("b", start_ms=6, duration_ms=6),  # 6 to 12: 8 to 12 is new
        a_span("c", start_ms=7, duration_ms=1),  # within b
        a_span("d", start_ms=17, duration_ms=9),  # 17 to 26: ends 6 after its parent
        a_span("e", start_ms=-5, duration_ms=6),  # -5 to 1: begins before it
        a_span("f", start_ms=30, duration_ms=5),  # after it
        a_span("g", start_ms=14, duration_ms=0),
    ]
    # 20 − (0–1) − (3–12) − (17–20) = 20 − 1 − 9 − 3
    assert self_time_nano(parent, children) == 7 * MS


def test_only_children_take_time_not_their_children() -> None:
    found = in_trace(
        [
            a_span("root", duration_ms=20),
            a_span("child", parent="root", start_ms=2, duration_ms=10),
            a_span("grandchild", parent="child", start_ms=4, duration_ms=5),
        ]
    )
    # 20 − 10, 10 − 5, 5
    assert [one.self_time_nano for one in found] == [10 * MS, 5 * MS, 5 * MS]
    assert set(told(found).values()) == {()}


def test_a_negative_duration_is_told_and_takes_no_time() -> None:
    backwards = msgspec.structs.replace(a_span("a", parent="p"), duration_nano=-5)
    found = in_trace([a_span("p", duration_ms=20), backwards])
    assert [one.self_time_nano for one in found] == [20 * MS, 0]
    assert "its duration is negative: -5 ns" in told(found)["a"]


def test_a_child_outside_of_its_parent_is_told() -> None:
    found = in_trace(
        [
            a_span("p", duration_ms=20),
            a_span("early", parent="p", start_ms=-1, duration_ms=2),
            a_span("late", parent="p", start_ms=19, duration_ms=3),
        ]
    )
    assert told(found)["early"] == ("it starts 1000000 ns before its parent",)
    assert told(found)["late"] == ("it ends 2000000 ns after its parent",)


def test_a_parent_that_is_missing_or_the_span_itself_is_told() -> None:
    found = in_trace([a_span("a", parent="gone"), a_span("b", parent="b")])
    assert told(found) == {
        "a": ("its parent gone is not known (yet)",),
        "b": ("it names itself as its parent",),
    }


def test_spans_that_are_each_others_parents_are_shown() -> None:
    found = in_trace([a_span("b", parent="a", start_ms=5, duration_ms=15), a_span("a", parent="b")])
    # The older one is taken for the root: 15, and 20 − 15.
    assert [one.self_time_nano for one in found] == [15 * MS, 5 * MS]
    assert told(found) == {
        "a": ("its parents lead back to itself: it is shown as if it had none",),
        "b": (),
    }


def test_the_two_halves_of_a_shared_span_are_caller_and_callee() -> None:
    """Zipkin: client and server send one id; what the server does belongs to its half."""
    found = in_trace(
        [
            a_span("call", kind="client", service="cart", duration_ms=20),
            a_span("call", kind="server", service="stock", start_ms=2, duration_ms=10),
            a_span("read", parent="call", service="stock", start_ms=3, duration_ms=4),
            a_span("log", parent="call", service="cart", start_ms=13, duration_ms=1),
        ]
    )
    # 20 − 10 (the callee) − 1 (log), 10 − 4 (read), 4, 1
    assert [one.self_time_nano // MS for one in found] == [9, 6, 4, 1]
    assert set(told(found).values()) == {()}


def test_two_spans_with_one_id_are_told_unless_they_are_the_same() -> None:
    one, other = a_span("a", name="first"), a_span("a", name="second")
    found = in_trace([one, other])
    assert all(each.warnings == ("another span has the same id a",) for each in found)
    again = msgspec.structs.replace(one, observed_unix_nano=one.observed_unix_nano + 5)
    assert without_copies([one, other, again]) == [one, other]


spans = st.builds(
    a_span,
    st.sampled_from("abcd"),
    parent=st.sampled_from("abcde") | st.none(),
    kind=st.sampled_from(["internal", "client", "server"]),
    start_ms=st.integers(-5, 5),
    duration_ms=st.integers(-3, 10),
)


@given(st.lists(spans, max_size=12))
def test_no_trace_is_refused_and_no_span_has_more_than_its_own_time(trace: list) -> None:  # type: ignore[type-arg]
    found = in_trace(trace)
    assert [one.span for one in found] == trace
    for one in found:
        assert 0 <= one.self_time_nano <= max(0, one.span.duration_nano)


def test_thousands_of_spans_with_one_id_take_no_time_worth_mentioning() -> None:
    many = [a_span("same", parent="same", name=f"{n}") for n in range(10_000)]
    assert len(in_trace(many)) == 10_000
