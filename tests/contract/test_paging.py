"""Pages of a search: no gap, no repeat, and an honest word about what was not looked at."""

from collections.abc import Iterator

import pytest

from logstream.errors import QueryTimeout
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogLine
from logstream.query import feed, search
from logstream.query.reader import PostgresReader
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore


def pages(reader: PostgresReader, limit: int, **url: str) -> Iterator[list[LogLine]]:
    before: tuple[int, int] | None = None
    while True:
        page = reader.search(
            LogFilter.from_url(url), limit=limit, now_unix_nano=NOON, before=before
        )
        yield list(page.lines)
        before = page.before
        if before is None:
            return


def test_paging_goes_on_undisturbed_while_lines_land_and_segments_are_sealed(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    segments.land((a_record(f"first {n}", seconds_ago=n * 7) for n in range(60)), 0)
    segments.land((a_record(f"second {n}", seconds_ago=n * 5) for n in range(60)), 1)
    seen: list[str] = []
    for number, page in enumerate(pages(reader, 7)):
        seen += [line.body for line in page]
        segments.land([a_record("late", seconds_ago=1), a_record("new", seconds_ago=-5)], 2)
        if number == 3:
            segments.fold()
            segments.seal(0)
        elif number == 6:
            segments.close(1)
    assert len(seen) == len(set(seen)) == 120


def test_lines_of_one_microsecond_keep_their_nanoseconds_order_across_pages(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    segments.land((a_record(f"a{n}", nanos=n % 5) for n in range(20)), 0)
    segments.seal(0)
    segments.land((a_record(f"b{n}", nanos=n % 5) for n in range(20)), 1)
    found = [line for page in pages(reader, 3) for line in page]
    keys = [(line.timestamp_unix_nano, line.id) for line in found]
    assert keys == sorted(keys, reverse=True) and len(set(keys)) == 40


def test_the_last_page_has_no_cursor_even_when_it_is_full(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    segments.land((a_record(seconds_ago=n) for n in range(20)), 0)
    assert [len(page) for page in pages(reader, 10)] == [10, 10]
    assert [len(page) for page in pages(reader, 10, q="nowhere")] == [0]


def test_a_search_that_runs_out_of_time_says_how_far_it_came_and_goes_on_there(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 900 lines in 30 minutes, the wanted ones are the oldest; each look is at about 50 lines.
    monkeypatch.setattr(search, "FIRST_LOOK", 50)
    monkeypatch.setattr(search, "MOST_LINES", 50)
    segments.land((a_record(f"{n % 10}{n % 10}", seconds_ago=n * 2) for n in range(898)), 0)
    segments.land((a_record("at last", seconds_ago=1_798 + n) for n in range(2)), 0)
    asked = LogFilter.from_url({"q": " ".join(f"-{n}{n}" for n in range(10))})
    found: list[LogLine] = []
    before: tuple[int, int] | None = None
    searched_to = NOON + NANOS_PER_SECOND
    asked_times = 0
    while True:
        page = reader.search(
            asked, limit=10, now_unix_nano=NOON, before=before, budget_seconds=0.000_001
        )
        asked_times += 1
        found += page.lines
        if page.before is None:
            break
        assert not page.is_complete
        assert page.searched_to_unix_nano is not None and page.searched_to_unix_nano < searched_to
        searched_to, before = page.searched_to_unix_nano, page.before
    assert [line.body for line in found] == ["at last"] * 2
    assert asked_times > 1


def test_a_list_that_runs_out_of_time_is_an_error_that_names_the_way_on(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FIRST_LOOK", 50)
    monkeypatch.setattr(search, "MOST_LINES", 50)
    monkeypatch.setattr(feed, "RECENT_SECONDS", 0.000_001)
    segments.land((a_record(f"{n % 10}", seconds_ago=n * 2) for n in range(898)), 0)
    wanted = LogFilter.from_url({"q": "5"})
    # The first look already fills this page.
    assert len(reader.recent(wanted, limit=1, now_unix_nano=NOON)) == 1
    with pytest.raises(QueryTimeout, match="were found") as late:
        reader.recent(wanted, limit=80, now_unix_nano=NOON)
    assert "/logs/search" in late.value.hint


def test_a_statement_that_never_ends_in_time_is_an_error_not_an_empty_page(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments.land((a_record(f"order {n}", seconds_ago=n) for n in range(300)), 0)
    slow = [search.sa.text("pg_sleep(0.05) IS NOT NULL")]
    monkeypatch.setattr(search.Scope, "line_conditions", lambda _: slow)
    with pytest.raises(QueryTimeout):
        reader.search(
            LogFilter.from_url({"q": "order"}), limit=5, now_unix_nano=NOON, budget_seconds=0.02
        )


def test_a_late_search_of_segments_gives_only_what_nothing_can_come_before(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each segment holds lines of the trace a day older than those of the one before.
    monkeypatch.setattr(search, "_FIRST_SEGMENTS", 1)
    monkeypatch.setattr(search, "_MOST_SEGMENTS", 1)
    for segment in range(4):
        ages = (segment * 86_400 + n for n in range(5))
        segments.land((a_record(seconds_ago=age, trace_id="abc123") for age in ages), segment)
    segments.fold()
    for segment in range(4):
        segments.seal(segment)
    asked = LogFilter.from_url({"trace": "abc123"})
    found: list[LogLine] = []
    before: tuple[int, int] | None = None
    while True:
        page = reader.search(
            asked, limit=3, now_unix_nano=NOON, before=before, budget_seconds=0.000_001
        )
        found += page.lines
        before = page.before
        if before is None:
            break
    assert found == reader.recent(asked, limit=100, now_unix_nano=NOON)
    assert len(found) == 20
