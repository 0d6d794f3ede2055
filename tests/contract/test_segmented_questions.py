"""Lines in open, closed and sealed segments: every way of searching gives the same lines."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogLine, LogRecord, Severity
from logstream.query import hours, search
from logstream.query.reader import PostgresReader
from tests.contract.test_random_questions import a_random_filter, a_random_record
from tests.records import NOON
from tests.segmented_store import SegmentedStore

DAY = 86_400
NUMBERED = (
    "user-17 paid order 1841",
    "user-175 paid order 18",
    "GET /cart 404 in 14041 ms from 10.0.12.7",
    "session a3f9c2 expired",
    "took 5000ms",
)


def a_record_anywhen(generator: random.Random) -> LogRecord:
    """Many at one moment, some late, some years away, some within one microsecond."""
    record = a_random_record(generator)
    if generator.random() < 0.5:
        record = _with_body(record, generator.choice(NUMBERED))
    ago = generator.choice((0, 0, 1, 40, 3 * DAY, 70 * DAY, 900 * DAY, -3 * DAY, -2000 * DAY))
    return LogRecord(
        **{
            **{name: getattr(record, name) for name in record.__struct_fields__},
            "timestamp_unix_nano": record.timestamp_unix_nano - ago * NANOS_PER_SECOND,
            "attributes": generator.choice((b"{}", b'{"region":"west"}', b'{"status":503}')),
        }
    )


def _with_body(record: LogRecord, body: str) -> LogRecord:
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return LogRecord(**{**fields, "body": body})


def fill(store: SegmentedStore, generator: random.Random, lines: int) -> None:
    """Five segments: two sealed, one closed, two open; half of the counts are folded."""
    for segment in (0, 2, 1, 3, 5):
        records = [a_record_anywhen(generator) for _ in range(lines // 5)]
        store.land(records, segment, step=generator.choice((1, 700)))
        if segment == 1:
            store.fold()
    store.seal(0)
    store.seal(2)
    store.close(1)


def everything(reader: PostgresReader) -> list[LogLine]:
    return reader.recent(LogFilter(), limit=100_000, now_unix_nano=NOON)


def pages(reader: PostgresReader, asked: LogFilter, limit: int) -> list[LogLine]:
    found: list[LogLine] = []
    before: tuple[int, int] | None = None
    while True:
        page = reader.search(asked, limit=limit, now_unix_nano=NOON, before=before)
        found += page.lines
        assert page.is_complete and len(page.lines) <= limit
        if page.before is None:
            return found
        assert len(page.lines) == limit
        before = page.before


@pytest.mark.parametrize(("seed", "first_look", "max_streams"), [(5, 20, 300), (29, 5_000, 3)])
def test_every_way_of_searching_gives_what_the_predicate_gives(
    segments: SegmentedStore,
    reader: PostgresReader,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    first_look: int,
    max_streams: int,
) -> None:
    # As small as the store, so that the indexes are asked, and reading by time too.
    monkeypatch.setattr(search, "FIRST_LOOK", first_look)
    monkeypatch.setattr(hours, "MAX_STREAMS", max_streams)
    generator = random.Random(seed)
    fill(segments, generator, 600)
    lines = everything(reader)
    assert len(lines) == 600
    order = [(line.timestamp_unix_nano, line.id) for line in lines]
    assert order == sorted(order, reverse=True)
    for _ in range(100):
        asked = a_random_filter(generator)
        if generator.random() < 0.3:
            words = [*generator.choice(NUMBERED).split(), "region:west", "status:503"]
            other = generator.choice(generator.choice(NUMBERED).split())
            trees = (
                f"{words[0]} OR {other}",
                f"{words[-3]} OR status:503",
                "region:west OR status:503",
                f"(user-17 OR {other}) {words[0]}",
                f"-({words[0]} OR {other})",
                r"/(user-\d+ paid|took) /",
                r"/order 18\d*$/ OR a3f9c2",
                "status>500 OR severity>=fatal",
            )
            asked = replace(
                asked, q=generator.choice((words[-3], *words, *trees, " ".join(words[:2])))
            )
        meant = [line for line in lines if asked.matches(line, NOON)]
        assert pages(reader, asked, generator.choice((3, 10, 1000))) == meant, asked
        by_word = Counter(Severity.of(line.severity_number).word for line in meant)
        breakdown = dict(reader.severity_breakdown(asked, now_unix_nano=NOON))
        assert {word: count for word, count in breakdown.items() if count} == by_word, asked
        facets = reader.facets(asked, limit=50, now_unix_nano=NOON)
        for field, value in (("service", "service_name"), ("env", "environment")):
            wider = asked.without(field)
            counts = Counter(getattr(line, value) for line in lines if wider.matches(line, NOON))
            assert dict(facets[field]) == counts, asked
            assert reader.facet(asked, field, limit=50, now_unix_nano=NOON) == facets[field]
        if asked.range_text or asked.start is not None:
            for seconds in (60, 3_600, DAY):
                if asked.end is None and not asked.range_text and seconds == 60:
                    continue
                buckets = reader.trend(asked, bucket_seconds=seconds, now_unix_nano=NOON)
                assert sum(bucket.total for bucket in buckets) == len(meant), asked


def test_a_line_stands_between_its_neighbours(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    generator = random.Random(11)
    fill(segments, generator, 300)
    lines = everything(reader)
    for place in generator.sample(range(300), 40):
        middle = lines[place]
        found = reader.context(middle.id, before=4, after=3, within=LogFilter())
        assert found is not None
        assert found.line == middle
        assert found.before == lines[place + 1 : place + 5]
        assert found.after == lines[max(0, place - 3) : place]
        own = [
            line
            for line in lines
            if (line.environment, line.service_name) == (middle.environment, middle.service_name)
        ]
        place = own.index(middle)
        found = reader.context(middle.id, before=2, after=2)
        assert found is not None
        assert found.before == own[place + 1 : place + 3]
        assert found.after == own[max(0, place - 2) : place]
    assert reader.context(max(line.id for line in lines) + 1, before=1, after=1) is None


def test_neighbours_of_a_trace_or_with_an_attribute_are_found_by_index(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that what is rare is looked up on both sides of a line.
    monkeypatch.setattr(search, "FIRST_LOOK", 5)
    monkeypatch.setattr(search, "MOST_LINES", 10)
    generator = random.Random(31)
    fill(segments, generator, 300)
    lines = everything(reader)
    for place in generator.sample(range(300), 40):
        middle = lines[place]
        for within in (LogFilter(trace_id=middle.trace_id or "abc123"), LogFilter(q="status:503")):
            own = [line for line in lines if within.matches(line, NOON) or line == middle]
            at = own.index(middle)
            found = reader.context(middle.id, before=3, after=3, within=within)
            assert found is not None
            assert found.before == own[at + 1 : at + 4], within
            assert found.after == own[max(0, at - 3) : at], within
