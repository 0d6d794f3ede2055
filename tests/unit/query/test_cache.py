"""Many who ask the same cost one question."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from logstream.errors import StoreUnavailable
from logstream.filter import LogFilter
from logstream.ports import Received
from logstream.query import shared_answers
from logstream.query.cache import CachedReader


class CountingReader:
    """Answers the question for environments, slowly when told to; counts how often."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_away = False
        self.found = Received(lines=[], total=0, counts=[], next_unix_nano=None)

    def environments(self) -> list[str]:
        self.asked += 1
        self.may_answer.wait(10)
        if self.is_away:
            raise StoreUnavailable("the database does not answer")
        return [f"answer {self.asked}"]

    def line(self, line_id: int) -> None:
        self.asked += 1

    def received(self, *_: Any, **__: Any) -> Received:
        self.asked += 1
        return self.found

    def facet(self, log_filter: LogFilter, field: str, **_: Any) -> list[tuple[str, int]]:
        self.asked += 1
        return [(f"{field} of {log_filter.words()}", self.asked)]


@pytest.fixture
def behind() -> CountingReader:
    return CountingReader()


@pytest.fixture
def reader(behind: CountingReader) -> CachedReader:
    return CachedReader(behind)  # type: ignore[arg-type]


def test_a_hundred_viewers_at_once_cost_one_question(
    reader: CachedReader, behind: CountingReader
) -> None:
    behind.may_answer.clear()
    all_in = threading.Barrier(101)

    def view() -> list[str]:
        all_in.wait(10)
        return reader.environments()

    with ThreadPoolExecutor(100) as viewers:
        answers = [viewers.submit(view) for _ in range(100)]
        all_in.wait(10)
        behind.may_answer.set()
        assert {tuple(answer.result(10)) for answer in answers} == {("answer 1",)}
    assert behind.asked == 1


def test_an_answer_is_given_again_until_it_is_old(
    reader: CachedReader, behind: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(shared_answers.time, "monotonic", lambda: now)
    assert reader.environments() == reader.environments() == ["answer 1"]
    now += shared_answers.FRESH_SECONDS
    assert reader.environments() == ["answer 2"]


def test_the_moment_of_asking_is_no_part_of_the_question_but_filter_and_field_are(
    reader: CachedReader, behind: CountingReader
) -> None:
    last_hour = LogFilter.from_url({"range": "1h"})
    first = reader.facet(last_hour, "service", limit=10, now_unix_nano=1)
    again = reader.facet(LogFilter.from_url({"range": "1h"}), "service", limit=10, now_unix_nano=2)
    assert first == again
    assert reader.facet(last_hour, "env", limit=10, now_unix_nano=1) != first
    assert reader.facet(LogFilter(), "service", limit=10, now_unix_nano=1) != first
    assert behind.asked == 3


def test_an_error_reaches_who_asked_and_is_forgotten(
    reader: CachedReader, behind: CountingReader
) -> None:
    behind.is_away = True
    with pytest.raises(StoreUnavailable):
        reader.environments()
    behind.is_away = False
    assert reader.environments() == ["answer 2"]


def test_landing_ends_answers_at_once_but_not_all_the_time(
    behind: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_answers.time, "monotonic", lambda: 1_000.0)
    reader = CachedReader(behind)  # type: ignore[arg-type]
    assert reader.environments() == ["answer 1"]
    reader.forget()
    assert reader.environments() == ["answer 2"]
    for _ in range(1_000):
        reader.forget()
    assert reader.environments() == ["answer 3"]
    reader.forget()
    assert reader.environments() == ["answer 3"]


def test_answers_do_not_pile_up(
    reader: CachedReader, behind: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_answers, "MAX_ANSWERS", 3)
    for number in range(50):
        asked = LogFilter.from_url({"q": f"order {number}"})
        reader.facet(asked, "service", limit=10, now_unix_nano=1)
    assert len(reader._answers._kept) == 3


def test_what_a_live_feed_asks_is_never_an_older_answer(
    reader: CachedReader, behind: CountingReader
) -> None:
    reader.line(17)
    reader.line(17)
    assert behind.asked == 2


def test_what_was_received_long_ago_is_kept_while_lines_land(
    reader: CachedReader, behind: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(shared_answers.time, "monotonic", lambda: now)
    long_ago = LogFilter.from_url({"at": "2026-03-01T12:00:00Z"})
    just_now = replace(long_ago, at=datetime.now(UTC))
    answers = [
        reader.facet(asked, "env", limit=9, now_unix_nano=1) for asked in (long_ago, just_now)
    ]
    reader.forget()
    now += 2 * shared_answers.FRESH_SECONDS
    assert reader.facet(long_ago, "env", limit=9, now_unix_nano=1) == answers[0]
    assert reader.facet(just_now, "env", limit=9, now_unix_nano=1) != answers[1]
    now += shared_answers.PAST_FRESH_SECONDS
    assert reader.facet(long_ago, "env", limit=9, now_unix_nano=1) != answers[0]


@pytest.mark.parametrize(("next_unix_nano", "times_asked"), [(17, 1), (None, 2)])
def test_the_end_of_history_is_not_kept_for_long(
    reader: CachedReader, behind: CountingReader, next_unix_nano: int | None, times_asked: int
) -> None:
    behind.found = Received(lines=[], total=0, counts=[], next_unix_nano=next_unix_nano)
    for _ in range(2):
        reader.received(LogFilter(), 1, 2, limit=9, slots=1)
        reader.forget()
    assert behind.asked == times_asked


def test_many_lines_of_the_past_are_not_kept(
    reader: CachedReader, behind: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_answers, "MAX_PAST_LINES", 100)
    line: Any = object()
    behind.found = Received(lines=[line] * 30, total=30, counts=[], next_unix_nano=17)
    for number in range(20):
        reader.received(LogFilter(), number, number + 1, limit=99, slots=1)
    assert sum(kept.lines for kept in reader._answers._kept.values()) <= 130
