"""Which spans a request waited for."""

from hypothesis import given
from hypothesis import strategies as st

from logstream.model import Span
from logstream.query.critical_path import critical_path
from logstream.query.span_tree import end_of, tree_of
from tests.records import NOON, a_span

MS = 1_000_000


def path(*spans: Span) -> list[tuple[str, int, int]]:
    """(span, from, to) in ms, latest first."""
    return [
        (
            spans[one.place].span_id,
            (one.start_unix_nano - NOON) // MS,
            (one.end_unix_nano - NOON) // MS,
        )
        for one in critical_path(tree_of(spans))
    ]


ROOT = a_span("root", duration_ms=100)


def test_a_span_alone_is_its_own_path() -> None:
    assert path(ROOT) == [("root", 0, 100)]
    assert path() == []


def test_children_one_after_the_other_are_all_waited_for() -> None:
    assert path(
        ROOT,
        a_span("a", parent="root", start_ms=10, duration_ms=20),
        a_span("b", parent="root", start_ms=40, duration_ms=30),
        a_span("in b", parent="b", start_ms=50, duration_ms=10),
    ) == [
        ("root", 70, 100),
        ("b", 60, 70),
        ("in b", 50, 60),
        ("b", 40, 50),
        ("root", 30, 40),
        ("a", 10, 30),
        ("root", 0, 10),
    ]


def test_of_children_side_by_side_the_one_that_ends_last_is_waited_for() -> None:
    assert path(
        ROOT,
        a_span("short", parent="root", start_ms=10, duration_ms=20),
        a_span("long", parent="root", start_ms=10, duration_ms=60),
    ) == [("root", 70, 100), ("long", 10, 70), ("root", 0, 10)]


def test_a_child_that_still_ran_when_the_next_began_is_not_waited_for() -> None:
    assert path(
        ROOT,
        a_span("a", parent="root", start_ms=10, duration_ms=40),
        a_span("b", parent="root", start_ms=45, duration_ms=45),
    ) == [("root", 90, 100), ("b", 45, 90), ("root", 0, 45)]


def test_children_are_cut_to_their_parents() -> None:
    assert path(
        ROOT,
        a_span("early", parent="root", start_ms=-20, duration_ms=30),
        a_span("late", parent="root", start_ms=80, duration_ms=90),
        # Cut to what is left of `late`: 80 to 100.
        a_span("in late", parent="late", start_ms=90, duration_ms=70),
    ) == [
        ("in late", 90, 100),
        ("late", 80, 90),
        ("root", 10, 80),
        ("early", 0, 10),
    ]


def test_a_child_longer_than_its_parent_on_both_sides_is_all_of_it() -> None:
    assert path(ROOT, a_span("a", parent="root", start_ms=-5, duration_ms=200)) == [("a", 0, 100)]


def test_what_starts_after_its_parent_ended_is_left_out_with_all_below() -> None:
    assert path(
        ROOT,
        a_span("after", parent="root", start_ms=120, duration_ms=30),
        a_span("below", parent="after", start_ms=50, duration_ms=10),
    ) == [("root", 0, 100)]


def test_nobody_waits_for_the_consumer_of_a_message() -> None:
    assert path(
        ROOT,
        a_span("send", parent="root", kind="producer", start_ms=10, duration_ms=50),
        a_span("got", parent="send", kind="consumer", service="mail", start_ms=20, duration_ms=10),
        a_span("straight", parent="root", kind="consumer", service="mail", start_ms=70),
    ) == [("root", 60, 100), ("send", 10, 60), ("root", 0, 10)]


def test_messages_worked_on_one_by_one_are_waited_for_by_who_took_them() -> None:
    taken = a_span("poll", kind="consumer", duration_ms=30)
    one = a_span("work", parent="poll", kind="consumer", start_ms=5, duration_ms=20)
    assert path(taken, one) == [("poll", 25, 30), ("work", 5, 25), ("poll", 0, 5)]


def test_every_root_has_a_path_of_its_own() -> None:
    assert path(
        a_span("lost", parent="gone", start_ms=-50, duration_ms=900),
        ROOT,
        a_span("a", parent="root", start_ms=10, duration_ms=20),
    ) == [("lost", -50, 850), ("root", 30, 100), ("a", 10, 30), ("root", 0, 10)]


def test_of_two_that_end_together_the_longer_one_was_waited_for() -> None:
    assert path(
        ROOT,
        a_span("long", parent="root", start_ms=10, duration_ms=80),
        a_span("short", parent="root", start_ms=60, duration_ms=30),
    ) == [("root", 90, 100), ("long", 10, 90), ("root", 0, 10)]


def test_a_moment_at_the_end_hides_no_child_that_ended_then() -> None:
    assert path(
        ROOT,
        a_span("work", parent="root", start_ms=40, duration_ms=60),
        a_span("log", parent="root", start_ms=100, duration_ms=0),
    ) == [("work", 40, 100), ("root", 0, 40)]


def test_durations_of_zero_and_below_take_no_part() -> None:
    assert path(
        ROOT,
        a_span("zero", parent="root", start_ms=40, duration_ms=0),
        a_span("back", parent="root", start_ms=60, duration_ms=-30),
    ) == [("root", 40, 100), ("root", 0, 40)]
    assert path(a_span("back", duration_ms=-30)) == []


def test_a_chain_of_fifty_thousand_is_walked() -> None:
    chain = [
        a_span(f"{n + 1:x}", parent=f"{n:x}" if n else None, nanos=n, duration_ms=1)
        for n in range(50_000)
    ]
    # All end later than their parents and are cut to the root's end: each is alone for 1 ns.
    found = critical_path(tree_of(chain))
    assert len(found) == 50_000
    assert found[-1].end_unix_nano - found[-1].start_unix_nano == 1


spans = st.builds(
    a_span,
    st.sampled_from("bcdefg"),
    parent=st.sampled_from("abcdefg"),
    kind=st.sampled_from(["internal", "consumer", "server"]),
    start_ms=st.integers(-5, 30),
    duration_ms=st.integers(-3, 30),
)


@given(st.lists(spans, max_size=12))
def test_the_path_covers_every_root_without_gap_or_overlap(children: list[Span]) -> None:
    tree = tree_of([a_span("a", duration_ms=25), *children])
    found = iter(critical_path(tree))
    for root in tree.roots:
        until = end_of(tree.spans[root])
        while until > tree.spans[root].start_unix_nano:
            section = next(found)
            assert section.end_unix_nano == until
            until = section.start_unix_nano
    assert not list(found)
