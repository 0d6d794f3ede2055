"""The store as it looked at a moment: exactly the lines received before it, and their counts."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from logstream.filter import LogFilter
from logstream.model import (
    NANOS_PER_MINUTE,
    NANOS_PER_SECOND,
    LogLine,
    LogRecord,
    Severity,
    to_datetime,
)
from logstream.query import search
from logstream.query.reader import PostgresReader
from tests.contract.test_random_questions import a_random_filter, a_random_record
from tests.contract.test_segmented_questions import everything, pages
from tests.records import NOON
from tests.segmented_store import SegmentedStore

HOUR, DAY = 3_600, 86_400


def received(record: LogRecord, observed_unix_nano: int) -> LogRecord:
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return LogRecord(**{**fields, "observed_unix_nano": observed_unix_nano})


def a_late_record(generator: random.Random) -> LogRecord:
    """Received at once, late by seconds to days, or before its time."""
    record = a_random_record(generator)
    delay = generator.choice((0, 0, 0, 1, 30, 90, 700, 3 * HOUR, 4 * DAY, -30, -HOUR, -3 * DAY))
    moment = record.timestamp_unix_nano + delay * NANOS_PER_SECOND
    return received(record, moment // 1_000 * 1_000)


def fill(store: SegmentedStore, generator: random.Random, lines: int) -> None:
    """Two sealed segments, a closed one and two open ones, in the order of receipt but for some.

    Half of the counts are folded.
    """
    records = [a_late_record(generator) for _ in range(lines)]
    records.sort(key=lambda one: one.observed_unix_nano + generator.choice((0, 0, 0, HOUR * 10**9)))
    for number, segment in enumerate((0, 1, 2, 3, 5)):
        store.land(records[number * lines // 5 : (number + 1) * lines // 5], segment)
        if segment == 2:
            store.fold()
    store.seal(0)
    store.seal(1)
    store.close(2)


def a_moment(generator: random.Random, lines: list[LogLine]) -> datetime:
    """Often that of a receipt, or a whole minute."""
    moment = generator.choice(lines).observed_unix_nano + generator.choice(
        (0, 0, 1_000, 60 * 10**9)
    )
    if generator.random() < 0.3:
        moment = moment // NANOS_PER_MINUTE * NANOS_PER_MINUTE
    return to_datetime(moment)


@pytest.mark.parametrize(("seed", "first_look"), [(5, 20), (31, 5_000)])
def test_every_question_as_of_a_moment_means_what_the_predicate_means(
    segments: SegmentedStore,
    reader: PostgresReader,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    first_look: int,
) -> None:
    monkeypatch.setattr(search, "FIRST_LOOK", first_look)
    generator = random.Random(seed)
    fill(segments, generator, 500)
    lines = everything(reader)
    assert len(lines) == 500
    for _ in range(40):
        asked = replace(a_random_filter(generator), at=a_moment(generator, lines))
        meant = [line for line in lines if asked.matches(line, NOON)]
        assert pages(reader, asked, generator.choice((3, 10, 1000))) == meant, asked
        assert reader.recent(asked, limit=7, now_unix_nano=NOON) == meant[:7], asked
        by_id = sorted(meant, key=lambda line: -line.id)
        found = reader.lines_by_id_range(asked, 0, 2**62, limit=1_000, now_unix_nano=NOON)
        assert found == by_id, asked
        by_word = Counter(Severity.of(line.severity_number).word for line in meant)
        breakdown = dict(reader.severity_breakdown(asked, now_unix_nano=NOON))
        assert {word: count for word, count in breakdown.items() if count} == by_word, asked
        facets = reader.facets(asked, limit=50, now_unix_nano=NOON)
        for field, value in (("service", "service_name"), ("env", "environment")):
            wider = asked.without(field)
            counts = Counter(getattr(line, value) for line in lines if wider.matches(line, NOON))
            assert dict(facets[field]) == counts, asked
        if asked.range_text or asked.start is not None:
            for seconds in (60, HOUR, DAY):
                if asked.start is not None and asked.end is None and seconds == 60:
                    continue
                buckets = reader.trend(asked, bucket_seconds=seconds, now_unix_nano=NOON)
                assert sum(bucket.total for bucket in buckets) == len(meant), asked
                assert sum(b.error for b in buckets) == by_word["error"] + by_word["fatal"], asked


def test_a_late_line_is_absent_until_it_came(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    record = a_random_record(random.Random(1))
    segments.land([received(record, NOON + micros) for micros in (-1_000, 0, 1_000)], 0)
    segments.fold()
    for moment, count in ((NOON, 1), (NOON + 1_000, 2), (NOON + 2_000, 3)):
        asked = LogFilter(at=to_datetime(moment))
        assert len(reader.recent(asked, limit=10, now_unix_nano=NOON)) == count
        breakdown = reader.severity_breakdown(asked, now_unix_nano=NOON)
        assert sum(number for _, number in breakdown) == count


def test_neighbours_as_of_a_moment_are_those_that_had_come(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    generator = random.Random(11)
    fill(segments, generator, 300)
    lines = everything(reader)
    for place in generator.sample(range(300), 30):
        middle, at = lines[place], a_moment(generator, lines)
        asked = LogFilter(at=at)
        found = reader.context(middle.id, before=3, after=2, within=LogFilter(), at=at)
        assert found is not None
        assert found.line == middle
        assert found.before == [one for one in lines[place + 1 :] if asked.matches(one, NOON)][:3]
        newer = [one for one in lines[:place] if asked.matches(one, NOON)]
        assert found.after == newer[-2:]


def test_what_a_segment_received_is_known_once_it_is_closed(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    generator = random.Random(3)
    fill(segments, generator, 200)
    receipts: dict[int, list[int]] = {}
    for line in everything(reader):
        receipts.setdefault(line.id // 1_000_000, []).append(line.observed_unix_nano)
    with reader._engine.connect() as connection:
        known = {
            one.first_id // 1_000_000: one.received
            for one in reader._catalogue.segments(connection)
            if one.name
        }
    assert known == {
        number: None if number in (3, 5) else (min(times), max(times) + 1_000)
        for number, times in receipts.items()
    }
