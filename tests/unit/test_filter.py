"""LogFilter's faces agree with one another and bad values are named."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import FilterError
from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, LogLine, normal_trace_id, to_unix_nano

NOON = to_unix_nano(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))


def a_line(**changes: object) -> LogLine:
    fields: dict[str, object] = {
        "id": 7,
        "timestamp_unix_nano": NOON - 60 * NANOS_PER_SECOND,
        "observed_unix_nano": NOON,
        "environment": "production",
        "service_name": "checkout",
        "severity_number": 17,
        "body": "Card declined for order 1841",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    return LogLine(**{**fields, **changes})  # type: ignore[arg-type]


names = (
    st.text(min_size=1, max_size=12).map(str.strip).filter(lambda name: name and "\x00" not in name)
)
choices = st.builds(
    Choice,
    st.lists(names, unique=True, max_size=3).map(tuple),
    st.lists(names, unique=True, max_size=3).map(tuple),
)


@given(choices)
def test_a_choice_survives_the_url_whatever_the_names_hold(choice: Choice) -> None:
    assert Choice.from_url(choice.to_url()) == choice


def test_a_filter_survives_the_url() -> None:
    url = {
        "env": "production",
        "service": "checkout,-search",
        "severity": "error,fatal",
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "q": '"card declined" -test',
        "range": "1h",
    }
    assert LogFilter.from_url(url).to_url() == url


def test_a_moment_survives_the_url_and_can_be_left_out() -> None:
    url = {"service": "checkout", "range": "15m", "at": "2026-03-01T12:00:00.000001Z"}
    read = LogFilter.from_url(url)
    assert read.to_url() == url
    assert read.without("at") == LogFilter.from_url({"service": "checkout", "range": "15m"})
    assert read.without("range").at == read.at


def test_a_relative_range_counts_back_from_the_moment() -> None:
    hour_later = NOON + 3600 * NANOS_PER_SECOND
    read = LogFilter.from_url({"range": "15m", "at": "2026-03-01T12:00:30Z"})
    assert read.window_unix_nano(hour_later) == read.without("at").window_unix_nano(NOON)


def test_an_absolute_range_survives_the_url() -> None:
    url = {"from": "2026-03-01T11:00:00Z", "to": "2026-03-01T12:00:00Z"}
    assert LogFilter.from_url(url).to_url() == url


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        ("severity", "loud", "severity 'loud' is not known"),
        ("range", "fortnight", "range 'fortnight' is not a time range"),
        ("from", "yesterday", "from 'yesterday' is not a time"),
        ("at", "noonish", "at 'noonish' is not a time"),
        ("q", "a\x00b", "q holds a NUL character"),
    ],
)
def test_a_bad_value_is_named_and_the_rest_is_kept(parameter: str, value: str, said: str) -> None:
    url = {"service": "checkout", parameter: value}
    with pytest.raises(FilterError, match=said) as caught:
        LogFilter.from_url(url)
    assert caught.value.parameter == parameter
    assert caught.value.hint
    kept, problems = LogFilter.read_url(url)
    assert kept.service.only == ("checkout",)
    assert [problem.parameter for problem in problems] == [parameter]


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(FilterError, match="is not before"):
        LogFilter.from_url({"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T11:00:00Z"})


def test_a_plus_that_the_url_turned_into_a_space_is_still_an_offset() -> None:
    read = LogFilter.from_url({"from": "2026-03-01T12:00:00 01:00"})
    assert read.start == datetime(2026, 3, 1, 11, 0, tzinfo=UTC)


def test_fifteen_minutes_are_the_current_minute_and_the_fourteen_before() -> None:
    # 12:00:30 - 15 min = 11:45:30, rounded up to 11:46:00: minutes 11:46 … 12:00 are 15.
    start, end = LogFilter(range_text="15m").window_unix_nano(NOON)
    assert start == to_unix_nano(datetime(2026, 3, 1, 11, 46, tzinfo=UTC))
    # A day ahead, for senders whose clock is fast, on a whole minute too.
    assert end == to_unix_nano(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("url", "is_meant"),
    [
        ({}, True),
        ({"env": "production"}, True),
        ({"env": "staging"}, False),
        ({"service": "-checkout"}, False),
        ({"severity": "error"}, True),
        ({"severity": "warn,info"}, False),
        ({"trace": "4BF92F35-77B3-4DA6-A3CE-929D0E0E4736"}, True),
        ({"trace": "abc"}, False),
        ({"q": "card DECLINED"}, True),
        ({"q": '"declined for"'}, True),
        ({"q": '"declined order"'}, False),
        ({"q": "-declined"}, False),
        ({"range": "15m"}, True),
        ({"to": "2026-03-01T11:59:30Z"}, False),
        ({"from": "2026-03-01T11:59:30Z"}, True),
        # Received at 12:00:30, a minute after it was written.
        ({"at": "2026-03-01T12:00:30.000001Z"}, True),
        ({"at": "2026-03-01T12:00:30Z"}, False),
        ({"at": "2026-03-01T12:20:00Z", "range": "15m"}, False),
    ],
)
def test_the_predicate_means_what_the_url_says(url: dict[str, str], is_meant: bool) -> None:
    assert LogFilter.from_url(url).matches(a_line(), NOON) is is_meant


def test_a_trace_id_is_recognised_in_any_spelling_and_others_are_left_alone() -> None:
    assert normal_trace_id("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736") == (
        "4bf92f3577b34da6a3ce929d0e0e4736"
    )
    assert normal_trace_id("00F067AA0BA902B7") == "00f067aa0ba902b7"
    assert normal_trace_id("Order-17") == "Order-17"


def test_the_words_for_people_name_every_condition() -> None:
    read = LogFilter.from_url(
        {
            "severity": "error,fatal",
            "service": "checkout",
            "env": "production",
            "q": "declined -test",
            "range": "15m",
        }
    )
    assert read.words() == (
        "error and fatal of checkout in production with declined, without test, last 15m"
    )
    as_of = replace(read, at=datetime(2026, 3, 1, 14, 5, tzinfo=UTC))
    assert as_of.words() == f"{read.words()}, as of 2026-03-01T14:05:00Z"
