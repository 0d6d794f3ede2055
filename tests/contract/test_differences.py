"""A spike explained: the values and patterns that a time has more, or less, of."""

import json
import math
import random

import pytest

from logstream.filter import LogFilter
from logstream.model import LogRecord
from logstream.query.narrowing import narrowed
from logstream.query.periods import period_before
from logstream.query.reader import PostgresReader
from logstream.query.significance import divergence
from tests.contract.conftest import Store
from tests.records import NOON, a_record

LAST_TEN_MINUTES = LogFilter.from_url(
    {"from": "2026-03-01T11:50:30Z", "to": "2026-03-01T12:00:30Z"}
)


def a_shop_line(generator: random.Random, seconds_ago: float, is_broken: bool) -> LogRecord:
    """One in three lines of a broken time is checkout's time-out in one region."""
    number = generator.randrange(10**6)
    if is_broken and generator.random() < 0.33:
        body, service, severity, region = "payment timed out after 5000 ms", "checkout", 17, "west"
    else:
        body = f"{generator.choice(('order', 'parcel'))} {number} handed over"
        service = generator.choice(("checkout", "cart", "search"))
        severity, region = 9, generator.choice(("west", "east", "north"))
    return a_record(
        body,
        seconds_ago=seconds_ago,
        service=service,
        severity=severity,
        attributes=json.dumps(
            {
                "cloud": {"region": region},
                "user.id": f"u-{number}",
                "retry": severity == 17,
                "http.status_code": 504 if severity == 17 else 200,
            }
        ).encode(),
    )


async def land_a_spike(store: Store, seed: int = 7) -> None:
    generator = random.Random(seed)
    await store.land(
        *(a_shop_line(generator, generator.uniform(1, 599), True) for _ in range(900)),
        *(a_shop_line(generator, generator.uniform(601, 1199), False) for _ in range(600)),
    )


@pytest.mark.parametrize("text", ["", "-parcel"])
async def test_a_spike_is_explained_by_what_is_new_in_it(
    store: Store, reader: PostgresReader, text: str
) -> None:
    await land_a_spike(store)
    asked = LogFilter.from_url({**LAST_TEN_MINUTES.to_url(), "q": text})
    baseline = period_before(asked, NOON)
    found = reader.differences(asked, baseline, limit=100, now_unix_nano=NOON)
    lines = reader.recent(LogFilter(), limit=2_000, now_unix_nano=NOON)

    def count(log_filter: LogFilter) -> int:
        return sum(log_filter.matches(line, NOON) for line in lines)

    assert (found.total, found.baseline_total) == (count(asked), count(baseline))
    assert (found.looked, found.baseline_looked) == (found.total, found.baseline_total)
    for one in found.differences:
        if one.field == "pattern":
            counts = [
                sum(
                    side.matches(line, NOON) and str(line.skeleton_id) == one.value
                    for line in lines
                )
                for side in (asked, baseline)
            ]
        else:
            sides = [narrowed(side, one.field, one.value) for side in (asked, baseline)]
            counts = [count(side) for side in sides if side is not None]
        assert [one.count, one.baseline_count] == counts, one
        assert one.share == one.count / found.total
        assert one.baseline_share == one.baseline_count / found.baseline_total
        assert one.lift == (one.share / one.baseline_share if counts[1] else math.inf)
        assert 0 <= one.p_value <= 0.01
    telling = [round(divergence(one.share, one.baseline_share), 9) for one in found.differences]
    assert telling == sorted(telling, reverse=True)

    named = {(one.field, one.value): one for one in found.differences}
    more = {key for key, one in named.items() if one.lift > 1}
    assert {
        ("severity", "error"),
        ("service", "checkout"),
        ("attribute:retry", "true"),
        ("attribute:http.status_code", "504"),
        ("attribute:cloud.region", "west"),
    } <= more
    (pattern,) = (one for one in named.values() if one.field == "pattern" and one.lift > 1)
    assert pattern.label == "payment timed out after <duration>"
    # Under-represented, because its part of the whole shrank; ids are no explanation.
    assert named["severity", "info"].lift < 1
    assert not [key for key in named if key[0] == "attribute:user.id"]


@pytest.mark.parametrize("seed", range(3))
async def test_two_times_alike_are_told_apart_by_nothing(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    await store.land(
        *(a_shop_line(generator, generator.uniform(1, 1199), False) for _ in range(1_500))
    )
    found = reader.differences(
        LAST_TEN_MINUTES, period_before(LAST_TEN_MINUTES, NOON), limit=10, now_unix_nano=NOON
    )
    assert found.differences == [], seed
    assert found.total + found.baseline_total == 1_500


async def test_any_two_filters_can_be_compared(store: Store, reader: PostgresReader) -> None:
    await land_a_spike(store)
    found = reader.differences(
        LogFilter.from_url({"severity": "error"}), LogFilter(), limit=4, now_unix_nano=NOON
    )
    # All of them against a part: these tell the same, and the plainest come first.
    assert [(one.field, one.share) for one in found.differences] == [
        ("severity", 1.0),
        ("pattern", 1.0),
        ("attribute:retry", 1.0),
        ("attribute:http.status_code", 1.0),
    ]


async def test_nothing_beside_something_has_no_differences(
    store: Store, reader: PostgresReader
) -> None:
    await land_a_spike(store)
    empty = LogFilter(q="unheardof")
    for side, base in ((empty, LogFilter()), (LogFilter(), empty), (empty, empty)):
        found = reader.differences(side, base, limit=10, now_unix_nano=NOON)
        assert found.differences == []
