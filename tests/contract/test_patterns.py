"""Patterns are counted as the rows say, whatever the filter and the state of the segments."""

import random
from collections import Counter

import msgspec
import psycopg
import pytest

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogLine, Severity, to_unix_nano
from logstream.query.reader import PostgresReader
from logstream.skeleton import overflow_id, skeleton_id, skeleton_key
from logstream.template import RARE_MESSAGES
from tests.contract.conftest import Store
from tests.contract.test_random_questions import a_random_filter, a_random_record
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore

HOUR = LogFilter(range_text="1h")


def skeleton_of(message: str) -> int:
    return skeleton_id(skeleton_key(message.encode()))


def brute_force(lines: list[LogLine], groups: dict[int, int]) -> Counter[tuple[int, str, str]]:
    return Counter(
        (
            groups.get(line.skeleton_id, line.skeleton_id),
            line.service_name,
            Severity.of(line.severity_number).word,
        )
        for line in lines
    )


async def test_patterns_are_counted_with_their_severities_services_and_trend(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        *(a_record(f"Order {number} paid", seconds_ago=60 * number) for number in range(5)),
        a_record("Order 7 paid", service="billing", severity=17),
        a_record("Disk of sdb1 is full", severity=13, seconds_ago=7_200),
        a_record("Disk of sdb1 is full", severity=13),
        a_record("Cache cold"),
    )
    found = reader.patterns(HOUR, limit=2, buckets=30, now_unix_nano=NOON)
    assert (found.total, found.pattern_count, found.bucket_seconds) == (8, 3, 120)
    paid, other = found.patterns
    assert paid.id == skeleton_of("Order 1 paid")
    assert (paid.template, paid.example) == ("Order <num> paid", "Order 0 paid")
    assert paid.count == 6 and paid.severity == "error"
    assert paid.severities == {"info": 5, "error": 1}
    assert paid.services == ["payment-gateway", "billing"]
    # Minutes 12:00 (two lines), 11:59 and 11:58, 11:57 and 11:56; the trend ends with 12:00.
    assert list(paid.trend)[-3:] == [2, 2, 2] and sum(paid.trend) == 6
    assert f"{paid.first_seen:%H:%M} {paid.last_seen:%H:%M}" == "11:56 12:00"
    assert paid.is_new and other.count == 1
    disk = {
        one.template: one
        for one in reader.patterns(HOUR, limit=9, buckets=30, now_unix_nano=NOON).patterns
    }["Disk of sdb1 is full"]
    assert not disk.is_new and f"{disk.first_seen:%H:%M} {disk.count}" == "10:00 1"


@pytest.mark.parametrize("seed", [5, 23])
async def test_random_filters_count_what_the_rows_say(
    store: Store, reader: PostgresReader, database_url: str, seed: int
) -> None:
    generator = random.Random(seed)
    await store.land(*(a_random_record(generator) for _ in range(400)))
    lines = reader.recent(LogFilter(), limit=1_000, now_unix_nano=NOON)
    # Some skeletons in groups of several, as the worker makes them.
    skeletons = sorted({line.skeleton_id for line in lines})
    groups = {one: skeletons[n - n % 3] for n, one in enumerate(skeletons) if n % 9 < 6}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for one, group in groups.items():
            connection.execute(
                "UPDATE skeletons SET pattern_id = %s WHERE skeleton_id = %s", [group, one]
            )
    for _ in range(60):
        asked = a_random_filter(generator)
        counts = brute_force([line for line in lines if asked.matches(line, NOON)], groups)
        found = reader.patterns(asked, limit=1_000, buckets=24, now_unix_nano=NOON)
        by_pattern: Counter[int] = Counter()
        for (pattern, _, _), count in counts.items():
            by_pattern[pattern] += count
        assert {one.id: one.count for one in found.patterns} == by_pattern, asked
        assert found.total == sum(counts.values()), asked
        assert found.pattern_count == len(by_pattern)
        for one in found.patterns:
            own = {key: count for key, count in counts.items() if key[0] == one.id}
            assert set(one.services) == {service for _, service, _ in own}
            assert sum(one.severities.values()) == one.count == sum(one.trend)
            for word, count in one.severities.items():
                assert count == sum(n for (_, _, said), n in own.items() if said == word)
            assert len(one.trend) <= 25


async def test_as_of_a_moment_only_what_had_come_is_counted(
    store: Store, reader: PostgresReader
) -> None:
    late = a_record("Order 2 paid", seconds_ago=300)
    early = msgspec.structs.replace(late, observed_unix_nano=NOON - 100 * NANOS_PER_SECOND)
    await store.land(early, late)
    asked = LogFilter.from_url({"range": "1h", "at": "2026-03-01T12:00:00Z"})
    [paid] = reader.patterns(asked, limit=9, buckets=30, now_unix_nano=NOON).patterns
    assert paid.count == 1


async def test_rare_messages_of_a_service_are_one_honest_pattern(
    store: Store, reader: PostgresReader
) -> None:
    letters = "ghijklmnopqrstuvwxyz"
    generator = random.Random(17)
    bodies = ["".join(generator.choices(letters, k=12)) for _ in range(1_500)]
    await store.land(*(a_record(body, service="chat") for body in bodies))
    found = reader.patterns(HOUR, limit=1, buckets=30, now_unix_nano=NOON)
    [rare] = found.patterns
    assert rare.id == overflow_id("chat") and rare.template == RARE_MESSAGES
    assert rare.count == 500 and found.pattern_count == 1_001


async def test_an_example_of_another_environment_is_not_shown(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        a_record("user 17 signed in", environment="staging"), a_record("user 4 signed in")
    )
    asked = LogFilter.from_url({"env": "production"})
    [found] = reader.patterns(asked, limit=9, buckets=30, now_unix_nano=NOON).patterns
    assert found.example == found.template == "user <num> signed in"


async def test_values_stand_at_the_places_of_a_pattern(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        *(a_record(f"Order {number % 3} paid in {number} ms") for number in range(12)),
        a_record("Order 9 paid in 5 ms", severity=17),
    )
    pattern = skeleton_of("Order 1 paid in 2 ms")
    found = reader.pattern_values(HOUR, pattern, values=2, now_unix_nano=NOON)
    assert found is not None
    assert [place.kind for place in found.places] == ["num", "duration"]
    assert [place.distinct for place in found.places] == [4, 12]
    assert list(found.places[0].values) == [("0", 4), ("1", 4)]
    assert (found.looked, found.total) == (13, 13)
    errors = LogFilter.from_url({"range": "1h", "severity": "error"})
    only = reader.pattern_values(errors, pattern, values=2, now_unix_nano=NOON)
    assert only is not None and list(only.places[0].values) == [("9", 1)]
    assert reader.pattern_values(HOUR, 12345, values=2, now_unix_nano=NOON) is None


def test_folded_and_sealed_history_gives_the_same_counts(
    segments: SegmentedStore, reader: PostgresReader
) -> None:
    records = [
        a_record(f"Order {number} paid", seconds_ago=number * 977, severity=9 + number % 2 * 8)
        for number in range(300)
    ]
    segments.land(records[:150], 1)
    segments.land(records[150:], 2)
    week = LogFilter(range_text="7d")
    before = reader.patterns(week, limit=9, buckets=30, now_unix_nano=NOON)
    segments.fold()
    segments.seal(1)
    after = reader.patterns(week, limit=9, buckets=30, now_unix_nano=NOON)
    assert before == after
    [paid] = after.patterns
    assert paid.count == 300
    # 299 * 977 s ago, in whole minutes.
    oldest = records[-1].timestamp_unix_nano // 60_000_000_000 * 60_000_000_000
    assert to_unix_nano(paid.first_seen) == oldest
    assert f"{paid.last_seen:%H:%M}" == "12:00"


async def test_a_pattern_is_asked_for_by_the_id_of_any_of_its_skeletons(
    store: Store, reader: PostgresReader, database_url: str
) -> None:
    await store.land(a_record("Order 1 paid"), a_record("Order 2 settled"), a_record("Cache cold"))
    paid, settled = skeleton_of("Order 1 paid"), skeleton_of("Order 2 settled")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE skeletons SET pattern_id = %s WHERE skeleton_id IN (%s, %s)",
            [paid, paid, settled],
        )
    for one in (paid, settled):
        asked = LogFilter(q=f"pattern:{one}", range_text="1h")
        found = reader.patterns(asked, limit=9, buckets=30, now_unix_nano=NOON)
        assert [(pattern.id, pattern.count) for pattern in found.patterns] == [(paid, 2)]
        assert not asked.needs_rows
