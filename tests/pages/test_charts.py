"""Frames and charts of the Live strip, without a browser."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from logstream.filter import LogFilter
from logstream.model import TrendBucket
from logstream.show import charts
from logstream.show.distribution import distribution_html
from logstream.show.live_strip import whole_buckets
from logstream.show.palette import SEVERITY_COLOURS
from logstream.show.system_service import rate_frame
from logstream.show.time_range import bucket_seconds, bucket_words, offset_steps

# 2026-11-23 06:00:00 UTC
SIX = 1_795_413_600


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_trend_frame_holds_every_bucket_once_a_series_zeros_included() -> None:
    buckets = [
        TrendBucket(SIX, 1200, 30, 100),
        TrendBucket(SIX + 60, 0, 0, 0),
        TrendBucket(SIX + 120, 7, 7, 0),
    ]
    # Long after the last bucket: nothing is still filling.
    frame = charts.trend_frame(buckets, 60, moment(SIX + 9999), UTC)

    # 3 buckets × 3 series
    assert len(frame) == 9
    assert set(frame["part"]) == {"settled"}
    totals = frame[frame["series"] == "total"]
    assert list(totals["count"]) == [1200, 0, 7]
    assert list(totals["start"]) == [SIX * 1000, (SIX + 60) * 1000, (SIX + 120) * 1000]
    assert list(frame[frame["series"] == "errors"]["count"]) == [30, 0, 7]
    assert list(frame[frame["series"] == "warnings"]["count"]) == [100, 0, 0]
    assert totals["total"].iloc[0] == "1,200"


def test_the_bucket_that_holds_now_is_open_and_joined_to_the_one_before() -> None:
    buckets = [
        TrendBucket(SIX, 5, 0, 0),
        TrendBucket(SIX + 60, 6, 0, 0),
        TrendBucket(SIX + 120, 2, 0, 0),
    ]
    frame = charts.trend_frame(buckets, 60, moment(SIX + 130), UTC)
    totals = frame[frame["series"] == "total"]

    settled, still_open = (totals[totals["part"] == part] for part in ("settled", "open"))
    assert list(settled["count"]) == [5, 6]
    # The open part begins at the last settled bucket, so that the two lines meet.
    assert list(still_open["count"]) == [6, 2]
    assert [("filling" in when) for when in still_open["when"]] == [False, True]


def test_the_tooltip_names_the_time_in_the_chosen_zone() -> None:
    frame = charts.trend_frame(
        [TrendBucket(SIX, 1, 0, 0)], 60, moment(SIX + 9999), ZoneInfo("Asia/Kolkata")
    )
    # 06:00 UTC is 11:30 in Kolkata (UTC+5:30).
    assert frame["when"].iloc[0] == "Mon 23 Nov 11:30 – 11:31"


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


def test_a_drag_takes_whole_buckets() -> None:
    # From 20 s into the first minute to 10 s into the third.
    dragged = ((SIX + 20) * 1000.0, (SIX + 130) * 1000.0)
    assert whole_buckets(dragged, 60) == (moment(SIX), moment(SIX + 180))
    # A drag of no width still takes the bucket it lies in.
    assert whole_buckets((SIX * 1000.0, SIX * 1000.0), 60) == (moment(SIX), moment(SIX + 60))


def test_few_errors_among_many_lines_rise_from_the_floor() -> None:
    frame = charts.trend_frame([TrendBucket(SIX, 900, 9, 40)], 60, moment(SIX), UTC)
    spec = charts.compiled(charts.trend_chart(frame, bucket_seconds=60, offsets=[(SIX, 0)]))
    scales = {json.dumps(layer["encoding"].get("y", {}).get("scale")) for layer in spec["layer"]}
    # 9 of 900 stand at √0.01 = a tenth of the height.
    assert any('"sqrt"' in scale for scale in scales)


def test_a_daylight_saving_change_gives_two_offsets() -> None:
    # Berlin leaves summer time on 2026-10-25 at 01:00 UTC: from UTC+2 to UTC+1.
    change = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())
    steps = offset_steps(ZoneInfo("Europe/Berlin"), moment(change - 3600), moment(change + 3600))
    assert steps == [(change - 3600, 7200), (change, 3600)]


def test_the_compiled_trend_carries_no_data_and_both_selections() -> None:
    frame = charts.trend_frame([TrendBucket(SIX, 1, 0, 0)], 60, moment(SIX), UTC)
    spec = charts.compiled(charts.trend_chart(frame, bucket_seconds=60, offsets=[(SIX, 19_800)]))
    text = json.dumps(spec)
    assert "datasets" not in spec and "data" not in spec
    assert {charts.BRUSH, charts.RESTORE} <= {
        parameter["name"] for parameter in spec.get("params", [])
    } | {p["name"] for layer in spec["layer"] for p in layer.get("params", [])}
    # Labels are shifted by the zone: 5 h 30 min = 19,800,000 ms.
    assert "19800000" in text


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


def test_chart_colours_in_the_theme_are_those_of_the_palette() -> None:
    import tomllib
    from pathlib import Path

    config = tomllib.loads(Path(".streamlit/config.toml").read_text("utf-8"))
    for theme in ("light", "dark"):
        colours = SEVERITY_COLOURS[theme]
        assert config["theme"][theme]["chartCategoricalColors"] == [
            colours["trace"],
            colours["error"],
            colours["warn"],
        ]
