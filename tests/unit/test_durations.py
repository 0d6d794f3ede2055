"""Durations in steps: a percentile read from counts is close to the true one."""

import random

import pytest

from logstream.durations import FIRST_STEP, LAST_STEP, low_edge_nano, percentile_nano, step_of


def test_a_step_holds_its_lower_edge_and_not_its_upper_one() -> None:
    assert step_of(1_000) == 0  # 1 µs = 2^0
    assert step_of(2_000) == 4  # a doubling is four steps
    assert step_of(1_999) == 3
    assert low_edge_nano(4) == 2_000


@pytest.mark.parametrize("duration", [-5, 0, 999])
def test_what_no_clock_can_tell_from_nothing_is_one_step(duration: int) -> None:
    assert step_of(duration) == FIRST_STEP


def test_endless_durations_share_the_last_step() -> None:
    assert step_of(2**63 - 1) == LAST_STEP


def test_a_percentile_from_steps_is_close_to_the_true_one() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    durations = sorted(int(rng.lognormvariate(17, 1.2)) + 1_000 for _ in range(20_000))
    counts: dict[int, int] = {}
    for duration in durations:
        counts[step_of(duration)] = counts.get(step_of(duration), 0) + 1
    for share in (0.5, 0.95, 0.99):
        true = durations[int(share * len(durations)) - 1]
        found = percentile_nano(counts, share)
        assert found == pytest.approx(true, rel=0.1)


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile_nano({}, 0.5) is None


def test_counts_taken_back_leave_an_empty_step() -> None:
    # 10 of about 1 µs; the step between was taken back: the median is among the 10.
    assert percentile_nano({0: 10, 4: 0}, 0.5) == pytest.approx(1_000 * 2**0.125)
