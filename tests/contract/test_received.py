"""Lines by the time of their receipt: all of an interval, counted, and where the next ones are."""

import itertools
import random
from collections import Counter
from dataclasses import replace

import psycopg
import pytest

from logstream.filter import LogFilter
from logstream.land import receipts
from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, LogLine, Severity
from logstream.query import received as received_lines
from logstream.query.reader import PostgresReader
from logstream.query.received import slot_starts
from tests.contract.test_as_of import fill, received
from tests.contract.test_random_questions import a_random_filter
from tests.contract.test_segmented_questions import everything
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore

DAY = 86_400 * NANOS_PER_SECOND


def kinds(lines: list[LogLine], start: int, end: int, slots: int) -> Counter[tuple[object, ...]]:
    starts = slot_starts(start, end, slots)
    return Counter(
        (
            max(n for n, begin in enumerate(starts) if begin <= line.observed_unix_nano),
            line.environment,
            line.service_name,
            Severity.of(line.severity_number).word,
            line.timestamp_unix_nano // NANOS_PER_MINUTE * 60,
        )
        for line in lines
    )


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next line is looked for to the end, however busy the machine is."""
    monkeypatch.setattr(received_lines, "LOOK_SECONDS", 60.0)


def test_an_interval_holds_what_was_received_in_it_in_that_order(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    generator = random.Random(23)
    fill(segments, generator, 400)
    lines = sorted(everything(reader), key=lambda line: (line.observed_unix_nano, line.id))
    for _ in range(40):
        asked = replace(a_random_filter(generator), range_text="", start=None, end=None)
        matching = [line for line in lines if asked.matches(line, NOON)]
        start = generator.choice(lines).observed_unix_nano
        end = start + generator.choice((1, 1_000, 60 * NANOS_PER_SECOND, DAY))
        slots, limit = generator.choice((1, 7, 200)), generator.choice((3, 1_000))
        # The filter's own times do not count.
        found = reader.received(
            replace(asked, range_text="15m"), start, end, limit=limit, slots=slots
        )
        meant = [line for line in matching if start <= line.observed_unix_nano < end]
        assert found.total == len(meant), asked
        assert found.is_sample == (len(meant) > limit)
        if found.is_sample:
            assert len(found.lines) == limit
            assert [line for line in meant if line in found.lines] == found.lines
        else:
            assert found.lines == meant
        counted = Counter(
            {
                (
                    one.slot,
                    one.environment,
                    one.service_name,
                    one.severity,
                    one.minute_unix_seconds,
                ): one.count
                for one in found.counts
            }
        )
        assert counted == kinds(meant, start, end, slots), asked
        after = [one.observed_unix_nano for one in matching if one.observed_unix_nano >= end]
        assert found.next_unix_nano == (after[0] if after else None), asked


def test_a_sample_is_spread_evenly(segments: SegmentedStore, reader: PostgresReader) -> None:
    segments.land((received(a_record(f"line {n}"), NOON + n * 1_000) for n in range(1_000)), 0)
    found = reader.received(LogFilter(), NOON, NOON + 10**9, limit=10, slots=1)
    assert found.total == 1_000
    places = [int(line.body.split()[1]) for line in found.lines]
    assert [b - a for a, b in itertools.pairwise(places)] == [100] * 9


def test_days_without_a_line_are_skipped(segments: SegmentedStore, reader: PostgresReader) -> None:
    segments.land([received(a_record("before"), NOON)], 0)
    segments.seal(0)
    segments.land([received(a_record("long after"), NOON + 40 * DAY)], 1)
    found = reader.received(LogFilter(), NOON, NOON + NANOS_PER_SECOND, limit=10, slots=1)
    assert [line.body for line in found.lines] == ["before"]
    assert found.next_unix_nano == NOON + 40 * DAY


@pytest.mark.parametrize("state", ["open", "closed", "sealed"])
def test_segments_made_before_receipts_were_known_get_what_they_lack(
    segments: SegmentedStore, reader: PostgresReader, database_url: str, state: str
) -> None:
    segments.land([received(a_record(), NOON), received(a_record(), NOON + DAY)], 0)
    if state != "open":
        (segments.seal if state == "sealed" else segments.close)(0)
    with psycopg.connect(database_url, autocommit=True) as connection:
        # As a database of the schema before is after its migration.
        connection.execute("DROP INDEX logs_observed_brin")
        connection.execute(
            "CREATE INDEX logs_observed_brin ON ONLY logs USING brin (observed_timestamp)"
        )
        connection.execute("UPDATE segments SET received = NULL")
        asked = LogFilter.from_url({"at": "2026-03-02T00:00:00Z"})
        assert len(reader.recent(asked, limit=10, now_unix_nano=NOON)) == 1
        assert receipts.describe_next(connection)
        assert not receipts.describe_next(connection)
        row = connection.execute(
            "SELECT lower(received)::text, upper(received)::text, upper_inc(received),"
            " (SELECT indisvalid FROM pg_index WHERE indexrelid = 'logs_observed_brin'::regclass)"
            " FROM segments WHERE first_id = 0"
        ).fetchone()
    known = (None, None, None) if state == "open" else ("2026-03-01", "2026-03-02", True)
    assert row is not None
    assert (row[0] and row[0][:10], row[1] and row[1][:10], row[2]) == known
    assert row[3], "every segment has its index"
    assert len(reader.recent(asked, limit=10, now_unix_nano=NOON)) == 1


def test_looking_for_a_rare_line_is_bounded_and_can_go_on(
    segments: SegmentedStore, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_lines, "LOOK_SECONDS", 0.0)
    segments.land(
        [received(a_record("rare" if n == 99 else "often"), NOON + n * 10**9) for n in range(100)],
        0,
    )
    asked, reached, looks = LogFilter(q="rare"), NOON, 0
    while reached < NOON + 99 * 10**9:
        found = reader.received(asked, reached, reached + 1_000, limit=10, slots=1)
        assert found.next_unix_nano is not None
        assert reached < found.next_unix_nano <= NOON + 99 * 10**9
        reached, looks = found.next_unix_nano, looks + 1
    assert looks > 1
    assert [
        one.body
        for one in reader.received(asked, reached, reached + 1_000, limit=10, slots=1).lines
    ] == ["rare"]
