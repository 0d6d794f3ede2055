"""Durations in steps, a quarter of a doubling each, so that they can be counted and added up.

A step holds durations from 2^(step/4) µs up to 2^((step+1)/4) µs, 19 % apart; a percentile
read from counted steps is off by less than that, usually by a third of it.
"""

import math
from collections.abc import Mapping

STEPS_PER_DOUBLING = 4
# Below a microsecond: zero and negative durations too, which clocks give.
FIRST_STEP = -1
# Above twelve days.
LAST_STEP = 160


def step_of(duration_nano: int) -> int:
    """The step that a duration is counted in."""
    if duration_nano < 1_000:
        return FIRST_STEP
    return min(LAST_STEP, int(math.log2(duration_nano / 1_000) * STEPS_PER_DOUBLING))


def low_edge_nano(step: int) -> float:
    """The shortest duration of a step."""
    return 0.0 if step <= FIRST_STEP else 1_000 * 2.0 ** (step / STEPS_PER_DOUBLING)


def percentile_nano(counts: Mapping[int, int], share: float) -> float | None:
    """The duration that `share` (0 to 1) of those counted by step do not exceed; None of none.

    Inside a step durations are taken to lie evenly on the scale of logarithms.
    """
    seen = sorted((step, count) for step, count in counts.items() if count > 0)
    wanted, below = share * sum(count for _, count in seen), 0
    for step, count in seen:
        if below + count >= wanted:
            low, high = low_edge_nano(step), low_edge_nano(step + 1)
            part = (wanted - below) / count
            return low + (high - low) * part if low == 0 else low * (high / low) ** part
        below += count
    return None
