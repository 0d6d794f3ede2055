"""What level and time the lines of other people's programs get."""

from pathlib import Path

import pytest

from logstream.model import iso_time
from logstream.receive.text_shapes.grouping import Grouper, Line
from logstream.receive.text_shapes.levels import leading_level, level_after
from logstream.receive.text_shapes.shapes import shape_of
from logstream.receive.text_shapes.times import Times

REFERENCE = 1_769_904_000_000_000_000  # 2026-02-01T00:00:00Z


def kinds() -> list[tuple[str, str, str | None, int | None]]:
    """(kind, line, its time, its severity number): the entries of kinds_of_logs.txt."""
    text = Path(__file__).with_name("kinds_of_logs.txt").read_text("utf-8")
    found = []
    for entry in text.split("\n\n")[1:]:
        head, line = entry.removesuffix("\n").split("\n")
        kind, number, clock = head.split(" | ")
        moment = None if clock == "-" else f"2026-01-31T{clock}Z"
        line = line.replace("\\t", "\t").replace("\\e", "\x1b")
        found.append((kind, line, moment, None if number == "-" else int(number)))
    return found


KINDS = kinds()


@pytest.mark.parametrize(
    ("line", "moment", "number"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS]
)
def test_a_line_gets_the_level_and_time_it_names(
    line: str, moment: str | None, number: int | None
) -> None:
    times = Times(REFERENCE)
    (record,) = Grouper(shape_of([line] * 5, times), times).records([Line(line, 0)])
    found = record.header.timestamp_unix_nano
    assert record.header.severity_number == number
    assert (None if found is None else iso_time(found)) == moment


@pytest.mark.parametrize(
    "text",
    [
        " the cart could not be read: ERROR 7",
        " reading it gave an error: none",
        " order 7 paid, 0 errors",
        " shop.Error.Handler started",
        " retry of info-service",
        " user ann (error budget left) paid",
        " {order: 7, state: paid} stored after fatal",
    ],
)
def test_a_word_in_a_sentence_behind_the_time_is_no_level(text: str) -> None:
    assert level_after(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" [config] ERROR no cart", 17),
        (" [default] WARN slow", 13),
        (" [main/config] ERROR no cart", 17),
        (" [system] (log) FATAL no cart", 21),
        (" [System] ready for connections", 9),
    ],
)
def test_a_level_wins_over_a_name_in_brackets_that_reads_like_one(text: str, number: int) -> None:
    level = level_after(text)
    assert level is not None
    assert level.number == number


@pytest.mark.parametrize(
    "text",
    [
        "error while reading the cart",
        "the cart could not be read: ERROR 7",
        "info-service started",
        "warning-lights are off",
        "Context of order 7",
        "error://cart",
    ],
)
def test_a_word_that_opens_a_sentence_is_no_level(text: str) -> None:
    assert leading_level(text) is None


def test_a_number_is_a_time_only_between_2000_and_tomorrow() -> None:
    times = Times(REFERENCE)
    # 946684799 is the last second of 1999; the reference and a day is 1769990400.
    assert times.find("cart 946684799 started") is None
    assert times.find("cart 1769990401 started") is None
    assert times.find("cart 1769990400 started") is not None
    assert times.find("order seven of 1769868300 started") is None


def test_a_very_long_line_is_read_by_its_beginning() -> None:
    assert level_after(" " + "[" * 1_000_000) is None
    assert leading_level("[" * 1_000_000 + "ERROR: x") is None
