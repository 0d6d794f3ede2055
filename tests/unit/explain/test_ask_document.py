"""Every example of docs/ask.md is true."""

import re
from pathlib import Path

import pytest

from logstream.explain.ask import interpret
from logstream.filter import LogFilter
from tests.unit.explain.shop_vocabulary import BERLIN, NOW, VOCABULARY

DOCUMENT = Path("docs/ask.md").read_text(encoding="utf-8")
ROWS = [re.findall(r"`([^`]+)`", line) for line in re.findall(r"^\| `.*$", DOCUMENT, re.MULTILINE)]
SHOWS = {"lines", "count", "fields", "patterns", "trend"}


def filter_of(text: str) -> LogFilter:
    return LogFilter.from_url(dict(pair.split("=", 1) for pair in text.split("&")))


FILTERS = [row for row in ROWS if len(row) == 2 and row[1] not in SHOWS | {"service"}]
FOLLOW_UPS = [row for row in ROWS if len(row) == 3 and "=" in row[0]]
SHOWN = [row for row in ROWS if row not in FILTERS and row not in FOLLOW_UPS]


@pytest.mark.parametrize(("question", "expected"), FILTERS)
def test_an_example_means_its_filter(question: str, expected: str) -> None:
    reading = interpret(question, VOCABULARY, now=NOW, zone=BERLIN)
    assert reading.log_filter.to_url() == filter_of(expected).to_url()


@pytest.mark.parametrize(("current", "question", "expected"), FOLLOW_UPS)
def test_a_follow_up_of_the_examples_changes_what_is_shown(
    current: str, question: str, expected: str
) -> None:
    reading = interpret(question, VOCABULARY, now=NOW, zone=BERLIN, current=filter_of(current))
    assert reading.log_filter.to_url() == filter_of(expected).to_url()


@pytest.mark.parametrize("row", SHOWN)
def test_an_example_shows_what_it_says(row: list[str]) -> None:
    reading = interpret(row[0], VOCABULARY, now=NOW, zone=BERLIN)
    assert [reading.show, *filter(None, [reading.group_by])] == row[1:]


def test_there_are_examples_of_everything() -> None:
    assert (len(FILTERS), len(FOLLOW_UPS), len(SHOWN)) == (41, 5, 7)
