"""Times that are compared, and the words for it."""

from datetime import UTC, datetime, timedelta

import pytest

from logstream.filter import LogFilter
from logstream.show.explore.baselines import baselines
from logstream.show.explore.period import before_words, change_words, shown_time

NOW = datetime(2026, 11, 23, 9, 24, 20, tzinfo=UTC)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "before", "words"),
    [
        (112, 100, "+12 % against the hour before"),
        (92, 100, "−8 % against the hour before"),
        (1001, 1000, "+<1 % against the hour before"),
        (100, 100, "as many as in the hour before"),
        (420, 100, "4.2 × the hour before"),
        (1260, 100, "13 × the hour before"),
        (0, 0, ""),
        (7, 0, "none in the hour before"),
        (0, 7, "7 in the hour before"),
    ],
)
def test_a_change_is_said_in_words(count: int, before: int, words: str) -> None:
    assert change_words(count, before, "the hour before") == words


@pytest.mark.parametrize(
    ("log_filter", "words"),
    [
        (LogFilter(range_text="15m"), "the 15 min before"),
        (LogFilter(range_text="1h"), "the hour before"),
        (LogFilter(range_text="1d"), "the day before"),
        (LogFilter(start=at(9, 0), end=at(9, 20)), "the 20 min before"),
    ],
)
def test_the_time_before_has_a_name(log_filter: LogFilter, words: str) -> None:
    assert before_words(log_filter, NOW) == words


def test_nothing_is_shown_beyond_now_and_nothing_compared_without_a_beginning() -> None:
    # 15m: the current minute and the fourteen before it.
    assert shown_time(LogFilter(range_text="15m"), NOW) == (at(9, 10), NOW)
    assert shown_time(LogFilter(start=at(9, 0), end=at(12, 0)), NOW) == (at(9, 0), NOW)
    assert shown_time(LogFilter(start=at(9, 0)), NOW) == (at(9, 0), NOW)
    assert shown_time(LogFilter(end=at(9, 0)), NOW) is None
    assert shown_time(LogFilter(start=at(12, 0), end=at(13, 0)), NOW) is None


def test_a_part_is_compared_with_the_rest_of_what_is_shown() -> None:
    offered = baselines((at(9, 10), at(9, 15)), (at(8, 30), at(9, 24)), UTC, NOW)
    assert [(one.name, one.start, one.end) for one in offered] == [
        ("earlier", at(8, 30), at(9, 10)),
        ("before", at(9, 5), at(9, 10)),
        ("later", at(9, 15), at(9, 24)),
        ("day", at(9, 10) - timedelta(days=1), at(9, 15) - timedelta(days=1)),
        ("week", at(9, 10) - timedelta(days=7), at(9, 15) - timedelta(days=7)),
    ]
    assert offered[0].words == "the time shown before it, 08:30 – 09:10"
    assert offered[1].words == "the 5 min before it"
    asked = offered[1].of(LogFilter(q="timeout", range_text="1h"))
    assert asked == LogFilter(q="timeout", start=at(9, 5), end=at(9, 10))


def test_what_is_shown_as_a_whole_is_compared_with_as_long_before() -> None:
    offered = baselines((at(8, 24), at(9, 24)), None, UTC, NOW)
    assert [one.name for one in offered] == ["before", "day", "week"]
    assert (offered[0].start, offered[0].words) == (at(7, 24), "the 1 h before it")
    # With little before it in the time shown, as long before says more.
    offered = baselines((at(8, 32), at(9, 24)), (at(8, 30), at(9, 24)), UTC, NOW)
    assert [one.name for one in offered][:2] == ["before", "earlier"]
