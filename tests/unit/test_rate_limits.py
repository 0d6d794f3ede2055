"""Token buckets in shared memory."""

import mmap

import pytest

from ingest_service import rate_limits
from ingest_service.rate_limits import (
    PLACES,
    SIZE_BYTES,
    TRIES,
    Buckets,
    address_group,
    retry_after,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    return clock


def test_a_bucket_holds_one_seconds_worth_and_goes_into_debt_by_a_batch(clock: Clock) -> None:
    buckets = Buckets()
    for _ in range(10):
        assert buckets.wait_seconds(1, 10) == 0
        buckets.take(1, 10, 1)
    assert buckets.wait_seconds(1, 10) == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.wait_seconds(1, 10) == pytest.approx(0)
    buckets.take(1, 10, 600)
    assert buckets.wait_seconds(1, 10) == pytest.approx(60)
    clock.now += 60.01
    assert buckets.wait_seconds(1, 10) == 0


def test_slow_rates_let_one_through_at_a_time(clock: Clock) -> None:
    buckets = Buckets()
    assert buckets.wait_seconds(1, 0.1) == 0
    buckets.take(1, 0.1, 1)
    assert buckets.wait_seconds(1, 0.1) == pytest.approx(10)


def test_processes_that_share_the_memory_share_the_limit(clock: Clock) -> None:
    memory = memoryview(mmap.mmap(-1, SIZE_BYTES))
    first, second = Buckets(memory), Buckets(memory)
    first.take(7, 1, 5)
    assert second.wait_seconds(7, 1) == pytest.approx(5)
    assert second.wait_seconds(8, 1) == 0


def test_names_that_meet_at_one_place_keep_their_own_buckets(clock: Clock) -> None:
    buckets = Buckets()
    names = [5 + number * PLACES for number in range(TRIES)]
    for debt, name in enumerate(names, start=2):
        buckets.take(name, 1, debt)
    assert [buckets.wait_seconds(name, 1) for name in names] == [
        pytest.approx(debt) for debt in range(2, 2 + TRIES)
    ]
    # One more takes the place of the one that is full soonest, without its debt.
    buckets.take(5 + TRIES * PLACES, 1, 1)
    assert buckets.wait_seconds(5 + TRIES * PLACES, 1) == pytest.approx(1)
    assert buckets.wait_seconds(names[-1], 1) > 0


def test_addresses_are_grouped_by_what_one_host_can_choose_from() -> None:
    assert address_group("203.0.113.7") == "203.0.113.7"
    assert address_group("2001:db8::1") == address_group("2001:db8::2:3")
    assert address_group("::ffff:203.0.113.7") == "203.0.113.7"
    assert address_group("not:an:address") == "not:an:address"
    assert (retry_after(0.01), retry_after(59.2)) == (1, 60)
