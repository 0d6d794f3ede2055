"""Frames, buckets and distributions as the pages draw them, without a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from logstream.filter import LogFilter
from logstream.show.distribution import distribution_html
from logstream.show.system_service import rate_frame
from logstream.show.time_range import bucket_seconds, bucket_words

# 2026-11-23 06:00:00 UTC
SIX = 1_795_413_600


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("range_text", "seconds", "words"),
    [
        ("5m", 60, "per minute"),
        ("15m", 60, "per minute"),
        ("1h", 60, "per minute"),  # 60 buckets
        ("24h", 1800, "per 30 minutes"),  # 48 buckets; 900 s would give 96
        ("7d", 14_400, "per 4 hours"),  # 42 buckets; 7200 s would give 84
        ("30d", 43_200, "per 12 hours"),  # 60 buckets
        ("365d", 7 * 86_400, "per 7 days"),  # 365 / 60 = 6.08, so 7 days: 53 buckets
        ("3650d", 90 * 86_400, "per 90 days"),  # 3650 / 60 = 60.8, so 90 days: 41 buckets
    ],
)
def test_a_range_is_cut_into_at_most_sixty_buckets(
    range_text: str, seconds: int, words: str
) -> None:
    width = bucket_seconds(LogFilter(range_text=range_text), moment(SIX))
    assert width == seconds
    assert bucket_words(width) == words


def test_an_absolute_range_is_cut_by_its_own_length() -> None:
    log_filter = LogFilter(start=moment(SIX), end=moment(SIX) + timedelta(hours=2))
    # 7200 s / 120 s = 60 buckets
    assert bucket_seconds(log_filter, moment(SIX + 86_400)) == 120


def test_the_rate_is_the_mean_of_each_whole_five_seconds() -> None:
    points = [
        (SIX + second, lines) for second, lines in enumerate([10, 20, 30, 40, 50, 7, 0, 0, 0, 0, 9])
    ]
    frame = rate_frame(points, UTC)
    # (10 + 20 + 30 + 40 + 50) / 5 = 30; 7 / 5 = 1.4; the eleventh second waits for its four.
    assert list(frame["lines"]) == [30.0, 1.4]
    assert list(frame["when"]) == ["06:00:00", "06:00:05"]


def test_a_distribution_has_a_bar_a_bucket_and_leaves_empty_ends_out() -> None:
    buckets = [(1.0, 0), (2.0, 3), (5.0, 0), (10.0, 1), (None, 0)]
    drawn = distribution_html(
        "Time to land",
        buckets,
        value_words=lambda value: f"{value:g} ms",
        noun="request",
        marks=[("p50", 1.5), ("p95", None)],
    )
    # Between the first and the last that hold something: 1–2, 2–5 (empty), 5–10.
    assert drawn.count("<b ") == 3
    assert "1 ms to 2 ms: 3 requests, 75 %" in drawn
    assert "height:100%" in drawn and "height:33%" in drawn and "height:0%" in drawn
    assert "aria-label='Time to land: 4 requests between 1 ms and 10 ms'" in drawn
    assert "p50" in drawn and "p95" not in drawn


def test_a_distribution_says_what_lies_beyond_its_last_bound() -> None:
    drawn = distribution_html("Rows", [(1.0, 0), (None, 2)], value_words=str, noun="commit")
    assert "over 1.0: 2 commits, 100 %" in drawn
    assert "Nothing measured" in distribution_html("Rows", [], value_words=str, noun="commit")
