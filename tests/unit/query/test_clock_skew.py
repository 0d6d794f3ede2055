"""Moving spans of clocks that differ."""

from logstream.model import Span
from logstream.query.clock_skew import clock_shifts
from logstream.query.span_tree import tree_of
from tests.records import a_span

MS = 1_000_000


def shifts_ms(*spans: Span) -> dict[str, float]:
    return {spans[at].span_id: nanos / MS for at, nanos in clock_shifts(tree_of(spans)).items()}


CALL = a_span("call", service="cart", duration_ms=20)


def test_a_callee_that_ends_too_late_is_put_in_the_middle_of_its_call() -> None:
    late = a_span("work", parent="call", service="stock", start_ms=14, duration_ms=10)
    # (20 − 10) / 2 = 5 spare before it: 5 − 14
    assert shifts_ms(CALL, late) == {"work": -9}


def test_a_callee_that_starts_too_early_takes_its_own_spans_along() -> None:
    spans = [
        CALL,
        a_span("work", parent="call", service="stock", start_ms=-100, duration_ms=16),
        a_span("query", parent="work", service="stock", start_ms=-95, duration_ms=4),
        # Within its parent once that has moved to 2–18: 102 − 95 + … = it starts at 5 and fits.
        a_span("rows", parent="query", service="postgres", start_ms=6, duration_ms=4),
    ]
    # (20 − 16) / 2 = 2: 2 + 100. query moves with it to 7–11. rows at 6–10 begins before 7:
    # no spare (4 − 4) / 2 = 0: 7 − 6.
    assert shifts_ms(*spans) == {"work": 102, "query": 102, "rows": 1}


def test_what_fits_or_is_of_the_same_service_stays() -> None:
    assert not shifts_ms(
        CALL,
        a_span("fits", parent="call", service="stock", start_ms=0, duration_ms=20),
        a_span("own", parent="call", service="cart", start_ms=-5, duration_ms=4),
    )


def test_a_callee_longer_than_its_call_is_only_kept_from_starting_before_it() -> None:
    assert (
        shifts_ms(CALL, a_span("a", parent="call", service="mail", start_ms=5, duration_ms=90))
        == {}
    )
    assert shifts_ms(
        CALL, a_span("a", parent="call", service="mail", start_ms=-3, duration_ms=90)
    ) == {"a": 3}


def test_a_span_whose_parent_is_missing_stays() -> None:
    assert not shifts_ms(CALL, a_span("a", parent="gone", service="mail", start_ms=-500))
