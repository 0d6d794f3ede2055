"""Numbers, sizes and untrusted text as people read them."""

import pytest

from logstream.show import words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (980, "980"),
        (1200, "1.2k"),
        (34_567, "35k"),
        (5_600_000, "5.6M"),
        (999_600, "1.0M"),
    ],
)
def test_a_compact_count_keeps_to_four_signs(count: int, text: str) -> None:
    assert words.compact(count) == text


@pytest.mark.parametrize(
    ("part", "total", "text"),
    [
        (0, 0, "0 %"),
        (0, 9, "0 %"),
        (1, 1000, "<1 %"),
        (1, 4, "25 %"),
        (999, 1000, ">99 %"),
        (3, 3, "100 %"),
    ],
)
def test_a_share_reads_zero_or_a_hundred_only_when_it_is(part: int, total: int, text: str) -> None:
    assert words.percent(part, total) == text


def test_markdown_in_a_service_name_stays_text() -> None:
    assert words.plain("[pay](http://x) **now** :material/home: $x$") == (
        r"\[pay\]\(http\://x\) \*\*now\*\* \:material/home\: \$x\$"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45, "45 s"), (200, "3 min 20 s"), (3600, "1 h"), (187_200, "2 d 4 h")],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert words.span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000_000_000_000, "2000.0 TB")],
)
def test_a_size_has_the_unit_that_keeps_it_small(count: int, text: str) -> None:
    assert words.size(count) == text
