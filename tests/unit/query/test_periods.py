"""The time before, and the buckets of a clock on the wall."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.model import to_unix_nano
from logstream.query.periods import bucket_edges, edges_before, period_before

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
HOUR, DAY = 3_600, 86_400


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def local(edges: list[int], zone: ZoneInfo) -> list[str]:
    return [datetime.fromtimestamp(edge, zone).strftime("%a %d %H:%M") for edge in edges]


def before(**url: str) -> dict[str, str]:
    now = to_unix_nano(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))
    asked = LogFilter.from_url({name.rstrip("_"): value for name, value in url.items()})
    return period_before(asked, now).to_url()


def test_the_time_before_is_as_long_as_the_time_asked_about() -> None:
    assert before(from_="2026-03-01T10:00:00Z", to="2026-03-01T10:20:00Z", service="cart") == {
        "service": "cart",
        "from": "2026-03-01T09:40:00Z",
        "to": "2026-03-01T10:00:00Z",
    }


def test_before_a_range_lie_whole_minutes() -> None:
    # 15m at 12:00:30 is 11:46 to 12:00:30, fifteen minutes with the one under way.
    assert before(range="15m") == {"from": "2026-03-01T11:31:00Z", "to": "2026-03-01T11:46:00Z"}
    # Since 11:50 is ten and a half minutes so far.
    assert before(from_="2026-03-01T11:50:00Z")["from"] == "2026-03-01T11:39:00Z"


def test_a_range_of_the_past_counts_back_from_its_moment() -> None:
    asked = before(range="15m", at="2026-02-01T08:00:00Z")
    assert asked["from"] == "2026-02-01T07:30:00Z" and asked["at"] == "2026-02-01T08:00:00Z"


def test_before_all_time_there_is_none() -> None:
    with pytest.raises(FilterError, match="no time before"):
        before(to="2026-03-01T10:00:00Z")


def test_days_of_a_clock_change_are_shorter_or_longer() -> None:
    spring = bucket_edges(
        seconds("2026-03-28T12:00:00+01:00"), seconds("2026-03-30T12:00:00+02:00"), DAY, BERLIN
    )
    assert local(spring, BERLIN) == ["Sat 28 00:00", "Sun 29 00:00", "Mon 30 00:00", "Tue 31 00:00"]
    assert [b - a for a, b in pairwise(spring)] == [DAY, 23 * HOUR, DAY]
    autumn = bucket_edges(
        seconds("2026-10-25T00:00:00+02:00"), seconds("2026-10-26T00:00:00+01:00"), DAY, BERLIN
    )
    assert [b - a for a, b in pairwise(autumn)] == [25 * HOUR]


def test_buckets_of_some_hours_stay_on_the_clock_over_a_change() -> None:
    edges = bucket_edges(
        seconds("2026-03-29T00:00:00+01:00"), seconds("2026-03-29T12:00:00+02:00"), 3 * HOUR, BERLIN
    )
    assert local(edges, BERLIN) == [
        *("Sun 29 00:00", "Sun 29 03:00", "Sun 29 06:00", "Sun 29 09:00", "Sun 29 12:00")
    ]
    assert edges[1] - edges[0] == 2 * HOUR


def test_minutes_pass_a_change_one_by_one() -> None:
    edges = bucket_edges(
        seconds("2026-10-25T01:30:00+02:00"), seconds("2026-10-25T03:30:00+01:00"), 1_800, BERLIN
    )
    assert {b - a for a, b in pairwise(edges)} == {1_800}
    assert len(edges) == 7  # from 23:30 to 02:30 UTC


def test_days_begin_where_the_zone_has_midnight() -> None:
    edges = bucket_edges(
        seconds("2026-03-01T00:00:00Z"), seconds("2026-03-02T00:00:00Z"), DAY, KOLKATA
    )
    assert local(edges, KOLKATA) == ["Sun 01 00:00", "Mon 02 00:00", "Tue 03 00:00"]
    assert edges[0] == seconds("2026-02-28T18:30:00Z")


def test_weeks_begin_on_mondays() -> None:
    edges = bucket_edges(
        seconds("2026-03-04T00:00:00Z"), seconds("2026-03-10T00:00:00Z"), 7 * DAY, UTC
    )
    assert edges == [
        seconds(f"2026-03-{day}T00:00:00Z") for day in ("02", "09", "16")
    ]  # 2 March 2026 is a Monday


def test_as_many_buckets_lie_before() -> None:
    edges = bucket_edges(
        seconds("2026-03-29T00:00:00+01:00"), seconds("2026-04-01T00:00:00+02:00"), DAY, BERLIN
    )
    earlier = edges_before(edges, DAY, BERLIN)
    assert local(earlier, BERLIN) == [
        *("Thu 26 00:00", "Fri 27 00:00", "Sat 28 00:00", "Sun 29 00:00")
    ]
    minutes = bucket_edges(
        seconds("2026-03-01T10:00:30Z"), seconds("2026-03-01T10:05:00Z"), 60, UTC
    )
    assert len(minutes) == 6
    assert edges_before(minutes, 60, UTC) == [edge - 300 for edge in minutes]
