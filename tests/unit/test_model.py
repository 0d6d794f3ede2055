"""Times and severities keep what the sender gave."""

from datetime import UTC, datetime

import pytest

from logstream.model import Severity, iso_time, to_datetime, to_unix_nano


@pytest.mark.parametrize(
    ("unix_nano", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000_120_000_000, "2023-11-14T22:13:20.120Z"),
        (1_700_000_000_120_400_000, "2023-11-14T22:13:20.120400Z"),
        (1_700_000_000_120_400_007, "2023-11-14T22:13:20.120400007Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (-62_135_596_800 * 10**9, "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_written_with_the_fewest_digits_that_keep_it_whole(
    unix_nano: int, text: str
) -> None:
    assert iso_time(unix_nano) == text


def test_a_moment_keeps_its_microseconds_both_ways() -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    assert to_datetime(to_unix_nano(moment) + 999) == moment


def test_each_of_the_24_numbers_belongs_to_its_group() -> None:
    words = [Severity.of(number).word for number in range(1, 25)]
    assert words == [
        w for w in ("trace", "debug", "info", "warn", "error", "fatal") for _ in "1234"
    ]


def test_a_moment_outside_the_calendar_becomes_its_nearest_end() -> None:
    first, end = -62_135_596_800 * 10**9, 253_402_300_800 * 10**9  # years 1 and 10000
    assert to_datetime(first - 1) == datetime.min.replace(tzinfo=UTC)
    assert to_datetime(end) == datetime.max.replace(tzinfo=UTC)
