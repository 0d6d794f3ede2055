"""Questions about receipts read what was received then, and leave the rest of history alone."""

import random

import pytest

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogRecord, iso_time
from logstream.query.reader import PostgresReader
from tests.contract.test_as_of import received
from tests.contract.test_plans import OPEN, SEALED, Explain, explaining
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore

LINES = 6_000
HOUR = 3_600
BY_RECEIPT = "brin (observed_timestamp)"


@pytest.fixture
def explain(database_url: str, segments: SegmentedStore, reader: PostgresReader) -> Explain:
    """Three sealed segments of an hour each, 8 to 11 o'clock, and an open one from 11 on.

    Lines lie in the order of their receipt; some are late by minutes.
    """
    generator = random.Random(3)
    for segment in range(4):
        begin = NOON - (4 - segment) * HOUR * NANOS_PER_SECOND
        segments.land((a_line(generator, begin, n) for n in range(LINES)), segment)
    segments.fold()
    for segment in range(3):
        segments.seal(segment)
    return explaining(database_url, reader)


def a_line(generator: random.Random, begin: int, n: int) -> LogRecord:
    moment = begin + n * HOUR * NANOS_PER_SECOND // LINES
    late = generator.random() * (300 if n % 50 == 0 else 0.5)
    record = a_record(
        f"Order {n} paid " + "x" * 200,
        seconds_ago=(NOON - moment) / NANOS_PER_SECOND + late,
        service=f"service-{n % 20}",
        severity=generator.choice((9, 17)),
    )
    return received(record, moment // 1_000 * 1_000)


def minutes_ago(minutes: float) -> int:
    return NOON - int(minutes * 60) * NANOS_PER_SECOND


@pytest.mark.parametrize(("minutes", "table"), [(150, SEALED[1]), (30, OPEN)])
def test_history_is_read_by_its_receipt(explain: Explain, minutes: float, table: str) -> None:
    start = minutes_ago(minutes)
    plans = explain(
        lambda reader: reader.received(
            LogFilter(), start, start + 5 * NANOS_PER_SECOND, limit=3, slots=5
        )
    )
    assert plans.sealed <= {table}
    assert any(where == table and BY_RECEIPT in index for where, index in plans.indexes)
    assert not plans.scanned


@pytest.mark.parametrize(("minutes", "table"), [(150, SEALED[1]), (30, OPEN)])
def test_counts_as_of_a_moment_read_the_rows_around_it_by_their_receipt(
    explain: Explain, minutes: float, table: str
) -> None:
    at = LogFilter.from_url({"range": "15m", "at": iso_time(minutes_ago(minutes))})
    plans = explain(
        lambda reader: (
            reader.severity_breakdown(at, now_unix_nano=NOON),
            reader.facets(at, limit=10, now_unix_nano=NOON),
            reader.trend(at, bucket_seconds=60, now_unix_nano=NOON),
        )
    )
    assert plans.sealed <= {table}
    assert any(where == table and BY_RECEIPT in index for where, index in plans.indexes)
    assert not plans.scanned


def test_the_newest_lines_as_of_a_moment_leave_later_segments_alone(explain: Explain) -> None:
    at = LogFilter.from_url({"at": iso_time(minutes_ago(150))})
    plans = explain(lambda reader: reader.recent(at, limit=20, now_unix_nano=NOON))
    assert plans.sealed == {SEALED[1]}
    # One look at the index tells that the open segment came later.
    assert all(BY_RECEIPT in index for where, index in plans.indexes if where == OPEN)
    assert not plans.scanned
