"""A window is cut into whole minutes for the rollup and edges for the rows."""

from datetime import UTC, datetime

from logstream.model import to_unix_nano
from logstream.query.counts import MINUTE, whole_units
from logstream.query.trends import bucket_for


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


def nano(hour: int, minute: int, second: int = 0) -> int:
    return to_unix_nano(at(hour, minute, second))


def test_whole_minutes_have_no_edges() -> None:
    assert whole_units(nano(12, 0), nano(12, 5), MINUTE) == (at(12, 0), at(12, 5), [])


def test_ragged_ends_become_edges() -> None:
    assert whole_units(nano(12, 0, 20), nano(12, 5, 40), MINUTE) == (
        at(12, 1),
        at(12, 5),
        [(nano(12, 0, 20), nano(12, 1)), (nano(12, 5), nano(12, 5, 40))],
    )


def test_a_window_inside_one_minute_is_all_edge() -> None:
    first, end, edges = whole_units(nano(12, 0, 20), nano(12, 0, 40), MINUTE)
    assert first == end
    assert edges == [(nano(12, 0, 20), nano(12, 0, 40))]


def test_an_open_window_has_one_edge_at_most() -> None:
    assert whole_units(None, None, MINUTE) == (None, None, [])
    assert whole_units(nano(12, 0, 30), None, MINUTE) == (
        at(12, 1), None, [(nano(12, 0, 30), nano(12, 1))]
    )  # fmt: skip


def test_a_bucket_is_the_finest_that_gives_at_most_sixty_pieces() -> None:
    assert [bucket_for(minutes * 60) for minutes in (15, 60, 61, 24 * 60, 7 * 24 * 60)] == [
        60, 60, 300, 1_800, 10_800
    ]  # fmt: skip
