"""How busy the shop is over a day."""

import math
from zlib import crc32

SECONDS_PER_DAY = 86_400
_BUSIEST_HOUR = 19.0
_SWING = 0.3
_NOISE = 0.1


def daily_rhythm(unix_seconds: float, seed: int) -> float:
    """The rate at a moment as a multiple of the day's mean, 0.6 to 1.4.

    A cosine over the UTC day, busiest at 19:00, whose mean over the day is exactly 1, plus
    noise of up to 0.1 that changes each minute and also averages out.
    """
    turn = (unix_seconds / 3_600 - _BUSIEST_HOUR) / 24 * math.tau
    minute = int(unix_seconds // 60)
    noise = (crc32(f"{seed}/{minute}".encode()) / 0xFFFFFFFF * 2 - 1) * _NOISE
    return 1 + _SWING * math.cos(turn) + noise
