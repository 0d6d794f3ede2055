import pytest

from logstream.receive.timestamps import NotATime, parse_timestamp

# 2026-01-31T14:05:00Z: 56 years and 14 leap days after 1970 are 20,454 days, January's 30
# make 20,484; 20,484 x 86,400 + 14 x 3,600 + 5 x 60 = 1,769,868,300.
SECOND = 1_769_868_300
NANO = SECOND * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("2026-01-31T14:05:00Z", 0),
        ("2026-01-31T14:05:00.5Z", 500_000_000),
        ("2026-01-31T14:05:00.123456789Z", 123_456_789),
        ("2026-01-31T14:05:00.1234567891Z", 123_456_789),
        ("2026-01-31 14:05:00,250", 250_000_000),
        ("2026-01-31t14:05:00z", 0),
        ("2026-01-31T14:05Z", 0),
        ("20260131T140500Z", 0),
        ("20260131T140500.123Z", 123_000_000),
        ("2026-01-31T15:05:00+01:00", 0),
        ("2026-01-31T19:35:00.000+0530", 0),
        ("2026-01-31T09:05:00-05", 0),
        ("2026-01-31 14:05:00 UTC", 0),
        ("2026-01-31T14:04:60Z", 0),
    ],
)
def test_iso_texts_keep_their_nanoseconds(text: str, nanos: int) -> None:
    # Twice: the second reading comes from the cache of seconds.
    assert parse_timestamp(text) == parse_timestamp(text) == NANO + nanos


def test_the_cache_of_seconds_confuses_no_two_shapes() -> None:
    assert parse_timestamp("20260131T140500.123Z") == NANO + 123_000_000
    assert parse_timestamp("20260131T140500.123Z") == NANO + 123_000_000
    assert parse_timestamp("2026-01-31T14:05:00Z") == NANO
    assert parse_timestamp("2026-01-31T14:05:00+01:00") == NANO - 3_600_000_000_000
    with pytest.raises(NotATime):
        parse_timestamp("2026-01-31T14:05:00xZ")


@pytest.mark.parametrize(
    ("value", "nanos"),
    [
        (SECOND, 0),
        (SECOND * 1_000 + 7, 7_000_000),
        (SECOND * 1_000_000 + 7, 7_000),
        (NANO + 7, 7),
        (str(SECOND), 0),
        (f"{SECOND}.000000007", 7),
        (1769868300.6014807, 601_480_700),
    ],
)
def test_a_number_s_unit_is_told_by_its_size(value: str | float, nanos: int) -> None:
    assert parse_timestamp(value) == NANO + nanos


def test_a_text_without_a_zone_is_in_the_given_one() -> None:
    # Berlin is an hour ahead of UTC in January.
    assert parse_timestamp("2026-01-31T15:05:00", "Europe/Berlin") == NANO


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("20260131140500", NANO),
        ("20260131", NANO - 50_700_000_000_000),  # 14:05 is 50,700 s into the day
        ("20261331", 20_261_331_000_000_000),  # no thirteenth month: seconds
    ],
)
def test_digits_that_write_a_date_are_that_date(text: str, nano: int) -> None:
    assert parse_timestamp(text) == nano


def test_times_before_1970_are_negative() -> None:
    assert parse_timestamp("1969-12-31T23:59:59.5Z") == -500_000_000
    assert parse_timestamp(-1) == -1_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "2026-01-31T25:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-31T14:05:00+99:00",
        1e300,
        10**40,
        float("nan"),
        "1e99",
        "٢٠٢٦-01-31",
    ],
)
def test_what_is_no_time_between_the_years_1_and_9999_is_refused(value: str | float) -> None:
    with pytest.raises(NotATime):
        parse_timestamp(value)
