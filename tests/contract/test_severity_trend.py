"""Severities over time by a zone's clock, beside the time before."""

import random
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from logstream.errors import FilterError
from logstream.filter import LogFilter
from logstream.land import upkeep
from logstream.model import NANOS_PER_SECOND, SEVERITY_WORDS, Severity, to_unix_nano
from logstream.query.reader import PostgresReader
from tests.contract.conftest import Store
from tests.records import NOON, a_record

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"])
async def test_every_line_is_in_the_bucket_of_its_time_and_severity(
    store: Store, reader: PostgresReader, database_url: str, zone: str
) -> None:
    generator = random.Random(11)
    for _ in range(2):
        # The first half is summed up by hours and days, the second is not yet.
        with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as folding:
            while upkeep.fold_counts(folding):
                pass
        await store.land(
            *(
                a_record(
                    generator.choice(("Order 17 placed", "Card declined")),
                    seconds_ago=generator.choice((0, 3_600, generator.uniform(-60, 12 * DAY))),
                    severity=generator.randrange(1, 25),
                )
                for _ in range(250)
            )
        )
    lines = reader.recent(LogFilter(), limit=1_000, now_unix_nano=NOON)
    questions = (
        ({"from": "2026-02-24T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, DAY),
        ({"from": "2026-02-27T03:17:00Z", "to": "2026-03-01T09:41:30Z", "q": "card"}, 3 * HOUR),
        ({"range": "24h", "severity": "-info"}, HOUR),
        ({"range": "15m"}, 60),
        ({"from": "2026-02-20T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 7 * DAY),
    )
    for url, bucket in questions:
        asked = LogFilter.from_url(url)
        found = reader.trend_by_severity(
            asked, bucket_seconds=bucket, now_unix_nano=NOON, zone=zone, with_previous=True
        )
        starts = [one.start_unix_seconds for one in found]
        assert starts == sorted(set(starts))
        meant = [line for line in lines if asked.matches(line, NOON)]
        for at, one in enumerate(found):
            begin = datetime.fromtimestamp(one.start_unix_seconds, ZoneInfo(zone))
            assert (begin.hour * HOUR + begin.minute * 60) % min(bucket, DAY) == 0
            end = one.end_unix_seconds * NANOS_PER_SECOND
            # Lines of a clock that is ahead are in the newest bucket.
            last = 2**63 if at == len(found) - 1 else end
            inside = Counter(
                Severity.of(line.severity_number).word
                for line in meant
                if one.start_unix_seconds * NANOS_PER_SECOND <= line.timestamp_unix_nano < last
            )
            assert dict(one.counts) == {word: inside[word] for word in reversed(SEVERITY_WORDS)}
            assert list(one.counts) == list(reversed(SEVERITY_WORDS))
            assert at == 0 or found[at - 1].end_unix_seconds == one.start_unix_seconds
        assert sum(one.total for one in found) == len(meant)


async def test_the_buckets_before_are_counted_as_far_as_these_go(
    store: Store, reader: PostgresReader
) -> None:
    # A line a minute for two hours, the last at 12:00:30.
    await store.land(*(a_record(seconds_ago=60 * n) for n in range(120)))
    found = reader.trend_by_severity(
        LogFilter.from_url({"from": "2026-03-01T11:10:00Z", "to": "2026-03-01T11:35:00Z"}),
        bucket_seconds=600,
        now_unix_nano=NOON,
        with_previous=True,
    )
    # 11:10, 11:20 and half of 11:30; before them 10:40, 10:50 and half of 11:00.
    assert [(one.total, one.previous) for one in found] == [(10, 10), (10, 10), (5, 5)]
    now = reader.trend_by_severity(
        LogFilter.from_url({"range": "15m"}),
        bucket_seconds=300,
        now_unix_nano=NOON,
        with_previous=True,
    )
    # 11:46 to 12:00:30 lies in the buckets from 11:45 to 12:05; the last one has 12:00 only.
    assert [one.total for one in now] == [4, 5, 5, 1]
    assert [one.previous for one in now] == [4, 5, 5, 1]
    without = reader.trend_by_severity(
        LogFilter.from_url({"range": "15m"}), bucket_seconds=300, now_unix_nano=NOON
    )
    assert [one.previous for one in without] == [None] * 4


async def test_a_day_of_25_hours_holds_its_25_lines(store: Store, reader: PostgresReader) -> None:
    midnight = to_unix_nano(datetime(2025, 10, 25, 22, tzinfo=UTC))  # 26 October in Berlin
    await store.land(
        *(
            a_record(seconds_ago=(NOON - midnight) / NANOS_PER_SECOND - HOUR * hour - 60)
            for hour in range(-24, 49)
        )
    )
    found = reader.trend_by_severity(
        LogFilter.from_url({"from": "2025-10-24T22:00:00Z", "to": "2025-10-27T23:00:00Z"}),
        bucket_seconds=DAY,
        now_unix_nano=NOON,
        zone="Europe/Berlin",
    )
    assert [one.total for one in found] == [24, 25, 24]


def test_what_no_chart_can_show_is_refused(reader: PostgresReader) -> None:
    for url, bucket, zone, field in (
        ({"range": "7d"}, 60, "UTC", "bucket"),
        ({"range": "7d"}, DAY + HOUR, "UTC", "bucket"),
        ({"range": "1h"}, 60, "Mars", "tz"),
        ({"from": "0001-01-01T00:00:00Z", "to": "0001-01-01T01:00:00Z"}, 60, "UTC", "from"),
        ({"from": "9999-12-31T23:00:00Z"}, 60, "UTC", "from"),
    ):
        with pytest.raises(FilterError) as caught:
            reader.trend_by_severity(
                LogFilter.from_url(url), bucket_seconds=bucket, now_unix_nano=NOON, zone=zone
            )
        assert caught.value.parameter == field
