"""Whether a share differs from another by more than chance, and by how much.

Formulas, for `count` of `total` lines beside `base_count` of `base_total`:

- Pearson's chi-squared test of a 2 × 2 table, one degree of freedom, where every expected
  count is at least 5 (Cochran 1954); Fisher's exact test, two-sided, where one is smaller
  (Fisher 1934; tables no more likely than the one seen).
- Benjamini and Hochberg (1995): p-values corrected for how many values were compared, so that
  of those reported at most that part is expected to be chance.
- Jensen-Shannon divergence (Lin 1991) of "has the value" on both sides, in bits: how much one
  line tells about the side it is from. 0 for equal shares, 1 for all against none.

Log lines come in bursts, so they say less than as many independent trials: a p-value is a
threshold here, never a probability to quote.
"""

import math
from collections.abc import Iterable, Sequence

_LEAST_EXPECTED = 5
# Tables equally likely differ by rounding.
_ROUNDING = 1e-6
# Where one count is expected to be below 5, one above this is as good as impossible.
_FAR = 60


def p_value(count: int, total: int, base_count: int, base_total: int) -> float:
    """How likely shares at least this different are if both sides are alike; two-sided."""
    both, rest = count + base_count, total + base_total - count - base_count
    if total == 0 or base_total == 0 or both == 0 or rest == 0:
        return 1.0
    least = min(total, base_total) * min(both, rest) / (total + base_total)
    if least < _LEAST_EXPECTED:
        return _fisher(count, total, base_total, both)
    # Whole numbers: products of large counts lose digits as floats.
    difference = count * base_total - base_count * total
    statistic = difference * difference * (total + base_total) / (total * base_total * both * rest)
    return math.erfc(math.sqrt(statistic / 2))


def corrected(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Benjamini-Hochberg), in the same order."""
    count = len(p_values)
    adjusted = [1.0] * count
    smallest = 1.0
    by_size = sorted(range(count), key=lambda at: p_values[at], reverse=True)
    for place, at in enumerate(by_size):
        smallest = min(smallest, p_values[at] * count / (count - place))
        adjusted[at] = smallest
    return adjusted


def divergence(share: float, base_share: float) -> float:
    """Jensen-Shannon divergence of two shares, 0 to 1."""
    return sum(
        (_bits(one, (one + other) / 2) + _bits(other, (one + other) / 2)) / 2
        for one, other in ((share, base_share), (1 - share, 1 - base_share))
    )


def _bits(part: float, mean: float) -> float:
    return part * math.log2(part / mean) if part > 0 else 0.0


def _fisher(count: int, total: int, base_total: int, both: int) -> float:
    low, high = max(0, both - base_total), min(both, total)
    tables: Iterable[int] = range(low, high + 1)
    if high - low > 4 * _FAR:
        near = (range(max(low, at - _FAR), min(high, at + _FAR) + 1) for at in (low, count, high))
        tables = set().union(*near)
    whole = _log_choose(total + base_total, both)

    def log_likelihood(table: int) -> float:
        """Hypergeometric."""
        return _log_choose(total, table) + _log_choose(base_total, both - table) - whole

    seen = log_likelihood(count) + _ROUNDING
    logs = map(log_likelihood, tables)
    return min(1.0, math.fsum(math.exp(one) for one in logs if one <= seen))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
