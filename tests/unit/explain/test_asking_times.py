"""Times in words, worked out by hand.

It is Monday, 30 November 2026, 14:30 in Berlin, which is 13:30 UTC: in winter local times lie an
hour ahead of UTC, in summer two.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from logstream.explain.ask import Reading, Vocabulary, interpret
from tests.unit.explain.shop_vocabulary import BERLIN, NOW

RELATIVE = [
    ("last 20 min", "20m"),
    ("past hour", "1h"),
    ("in the last 24 hrs", "24h"),
    ("for the past 7d", "7d"),
    ("last 30-days", "30d"),
    ("in the last week", "7d"),
    ("over the past month", "30d"),
    ("last half hour", "30m"),
    ("the last hour and a half", "90m"),
    ("last 1.5 hours", "90m"),
    ("in the past couple of hours", "2h"),
    ("during the last two weeks", "14d"),
    ("within the last five days", "5d"),
    ("the last year", "365d"),
]
ABSOLUTE = [
    # Yesterday 14:00 and 15:00 in Berlin are 13:00 and 14:00 UTC.
    ("yesterday between 2 and 3 pm", "11-29T13:00", "11-29T14:00"),
    ("between 2 and 3 pm yesterday", "11-29T13:00", "11-29T14:00"),
    ("yesterday from 14:00 to 15:00", "11-29T13:00", "11-29T14:00"),
    ("yesterday's lines after 3 pm", "11-29T14:00", "11-29T23:00"),
    ("between 11 and 1 pm yesterday", "11-29T10:00", "11-29T12:00"),
    ("between 09:00 and 10:30 today", "11-30T08:00", "11-30T09:30"),
    ("since 14:05", "11-30T13:05", None),
    ("since the deploy at 14:05", "11-30T13:05", None),
    ("since yesterday", "11-28T23:00", None),
    ("since 9", "11-30T08:00", None),
    # 15:05 has not come yet, so yesterday's is meant.
    ("since 15:05", "11-29T14:05", None),
    ("before 10:00 today", "11-29T23:00", "11-30T09:00"),
    ("today", "11-29T23:00", "11-30T23:00"),
    ("yesterday", "11-28T23:00", "11-29T23:00"),
    ("the day before yesterday", "11-27T23:00", "11-28T23:00"),
    ("this morning", "11-30T04:00", "11-30T11:00"),
    ("since this morning", "11-30T04:00", None),
    ("since the weekend", "11-27T23:00", None),
    ("since last week", "11-22T23:00", None),
    ("yesterday evening", "11-29T17:00", "11-29T23:00"),
    ("last night", "11-29T19:00", "11-30T05:00"),
    # Today is a Monday: the last one before it was the 23rd.
    ("on Monday", "11-29T23:00", "11-30T23:00"),
    ("last Monday", "11-22T23:00", "11-23T23:00"),
    ("on Friday at 10:00", "11-27T08:55", "11-27T09:05"),
    ("last Thursday morning", "11-26T04:00", "11-26T11:00"),
    ("Monday to Friday", "11-22T23:00", "11-27T23:00"),
    ("over the weekend", "11-27T23:00", "11-29T23:00"),
    ("last week", "11-22T23:00", "11-29T23:00"),
    ("this week", "11-29T23:00", None),
    ("last month", "09-30T22:00", "10-31T23:00"),
    ("in October", "09-30T22:00", "10-31T23:00"),
    ("a week ago", "11-22T23:00", "11-23T23:00"),
    ("5 days ago", "11-24T23:00", "11-25T23:00"),
    ("2 hours ago", "11-30T11:25", "11-30T11:35"),
    ("between 3 hours ago and 1 hour ago", "11-30T10:30", "11-30T12:30"),
    ("around 14:05", "11-30T12:55", "11-30T13:15"),
    ("at 2 pm", "11-30T12:55", "11-30T13:05"),
    ("30 minutes after 14:00", "11-30T13:00", "11-30T13:30"),
    ("10 minutes before 14:00", "11-30T12:50", "11-30T13:00"),
    ("within 2 hours of 10:00", "11-30T07:00", "11-30T11:00"),
    # Summer time: two hours ahead of UTC.
    ("on 3 May 2026 at 10:00", "05-03T07:55", "05-03T08:05"),
    ("on May 3rd", "05-02T22:00", "05-03T22:00"),
    ("from 2026-04-19 to 2026-05-04", "04-18T22:00", "05-04T22:00"),
    ("after 16:00 on 2026-09-08", "09-08T14:00", "09-08T22:00"),
    ("after 2026-10-06 01:58", "10-05T23:58", None),
    ("between 22:00 and 02:00", "11-29T21:00", "11-30T01:00"),
    ("from 9 to 5 on 26 November", "11-26T08:00", "11-26T16:00"),
    # Zones of their own.
    ("between 10:00 and 11:00 UTC", "11-30T10:00", "11-30T11:00"),
    ("since 2026-11-30T08:00:00Z", "11-30T08:00", None),
    ("since 2026-11-30T08:00:00+02:00", "11-30T06:00", None),
    ("since 8:15 am EST", "11-30T13:15", None),
    # 1,796,000,000 s are 20,787 days and 3,200 s: 2026-11-30 00:53:20 UTC.
    ("since 1796000000", "11-30T00:53:20", None),
    ("since 1796000000000", "11-30T00:53:20", None),
    # The clocks skip 02:00 to 03:00 on 29 March: 02:30 is read as 03:30, which is 01:30 UTC.
    ("since 2026-03-29 02:30", "03-29T01:30", None),
    ("on 29 March 2026", "03-28T23:00", "03-29T22:00"),
    # They show 02:00 to 03:00 twice on 25 October: both hours are meant, 00:00 to 02:00 UTC.
    ("between 2 and 3 am on 25 October 2026", "10-25T00:00", "10-25T02:00"),
    ("on 25 October 2026", "10-24T22:00", "10-25T23:00"),
]
NOT_TIMES = [
    *("errors may happen", "after 3 retries", "from 5 users", "more than 5 minutes"),
    *("between 5 and 10 retries", "the march of errors", "from 10.20.30.40", "at 5", "sun 10"),
    *("version 10.30", "ratio 16:9:4", "status 2024", '"yesterday"', "on 2026-02-30", "by 7"),
]


def read(question: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> Reading:
    return interpret(question, Vocabulary(), now=now, zone=zone)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(("question", "range_text"), RELATIVE)
def test_a_rolling_range_stays_relative(question: str, range_text: str) -> None:
    asked = read(question).log_filter
    assert (asked.range_text, asked.start, asked.end) == (range_text, None, None)


@pytest.mark.parametrize(("question", "start", "end"), ABSOLUTE)
def test_times_are_read_in_the_viewers_zone(question: str, start: str, end: str | None) -> None:
    asked = read(question).log_filter
    assert (asked.range_text, asked.start, asked.end) == ("", moment(start), moment(end))


@pytest.mark.parametrize("question", NOT_TIMES)
def test_what_is_no_time_makes_no_range(question: str) -> None:
    asked = read(question).log_filter
    assert (asked.range_text, asked.start, asked.end) == ("", None, None)


def test_the_same_words_mean_other_moments_elsewhere() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")  # 22:30 there; yesterday began at 15:00 UTC two days before
    asked = read("yesterday", zone=tokyo).log_filter
    assert asked.start == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert asked.end == datetime(2026, 11, 29, 15, tzinfo=UTC)


def test_a_day_of_changing_clocks_has_23_or_25_hours() -> None:
    after_spring = datetime(2026, 3, 30, 12, tzinfo=BERLIN)
    short = read("yesterday", now=after_spring).log_filter
    assert short.start and short.end and (short.end - short.start).total_seconds() == 23 * 3600
    after_autumn = datetime(2026, 10, 26, 12, tzinfo=BERLIN)
    long = read("yesterday", now=after_autumn).log_filter
    assert long.start and long.end and (long.end - long.start).total_seconds() == 25 * 3600


def test_what_was_decided_is_said() -> None:
    assert any("skip" in note for note in read("since 2026-03-29 02:30").notes)
    assert any("twice" in note for note in read("since 2026-10-25 02:30").notes)
    assert any("still to come" in note for note in read("since 15:05").notes)
    assert any("ahead of now" in note for note in read("tomorrow").notes)
    assert any("other reading" in note for note in read("since 03/04/2026").notes)
    assert any("5 minutes before" in note for note in read("at 14:05").notes)


def test_a_deploy_without_a_time_is_not_guessed() -> None:
    reading = read("errors since the last deploy")
    assert not reading.log_filter.start
    assert reading.not_understood == ("since the last deploy",)
    assert any("when the deploy was" in note for note in reading.notes)


def test_a_second_range_is_not_dropped_silently() -> None:
    reading = read("last hour or yesterday")
    assert reading.log_filter.range_text == "1h"
    assert reading.not_understood == ("yesterday",)


def test_impossible_and_endless_times_are_said() -> None:
    assert read("last 999999999 years").log_filter.range_text == "36500d"
    assert read("errors on 2026-02-30").not_understood == ("2026-02-30",)
