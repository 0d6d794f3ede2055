"""Whether shares differ by chance: against published and hand-worked numbers."""

import math

import pytest

from logstream.query.significance import corrected, divergence, p_value


def test_large_counts_are_compared_by_chi_squared() -> None:
    # 10 of 100 beside 30 of 100: 200 · (10·70 - 90·30)² / (100 · 100 · 40 · 160) = 12.5,
    # and the upper tail of chi-squared (1 df) at 12.5 is erfc(√6.25) = erfc(2.5) = 0.000407.
    assert p_value(10, 100, 30, 100) == pytest.approx(0.000406952, rel=1e-5)
    # 20 of 50 beside 30 of 50: 100 · (20·20 - 30·30)² / (50·50·50·50) = 4, erfc(√2) = 0.0455.
    assert p_value(20, 50, 30, 50) == pytest.approx(0.0455003, rel=1e-5)


def test_small_counts_are_compared_exactly() -> None:
    # Fisher's tea: 3 of 4 beside 1 of 4 is (16 + 16 + 1 + 1) / 70 two-sided.
    assert p_value(3, 4, 1, 4) == pytest.approx(34 / 70)
    # 5 of 5 beside 0 of 5: the two extreme tables of 252.
    assert p_value(5, 5, 0, 5) == pytest.approx(2 / 252)
    # 3 of 10 beside 0 of 1,000,000: nearly all of C(10, 3) / C(1,000,010, 3).
    assert p_value(3, 10, 0, 1_000_000) == pytest.approx(
        math.comb(10, 3) / math.comb(1_000_010, 3), rel=1e-6
    )


def test_a_seldom_value_in_very_many_lines_is_compared_without_looking_at_every_table() -> None:
    # 20,000 lines beside 20 million, 4,000 of which have it: 3.996 expected. Poisson's tail from
    # 15 on is 1.7e-5; Fisher's adds nothing from below, where 0 has 0.018.
    poisson = sum(math.exp(-3.996) * 3.996**k / math.factorial(k) for k in range(15, 60))
    assert p_value(15, 20_000, 3_985, 19_980_000) == pytest.approx(poisson, rel=0.02)
    assert p_value(3_000, 20_000, 1_000, 19_980_000) == 0.0


def test_alike_sides_and_missing_sides_prove_nothing() -> None:
    assert p_value(5, 10, 50, 100) == pytest.approx(1.0)
    assert p_value(0, 0, 5, 10) == p_value(0, 10, 0, 10) == p_value(10, 10, 7, 7) == 1.0


def test_p_values_are_corrected_for_their_number() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4/1, 4/2, 4/3, 4/4: 0.02, 0.02, 0.04, 0.04.
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    # A larger one never ends below a smaller one's: 0.02 · 2 = 0.04 is held to 0.03.
    assert corrected([0.02, 0.03]) == pytest.approx([0.03, 0.03])
    assert corrected([]) == []


def test_divergence_is_how_much_a_line_tells() -> None:
    assert divergence(0.5, 0.5) == 0.0
    assert divergence(1.0, 0.0) == pytest.approx(1.0)
    # 0.5 beside 0: mean 0.25; half of (0.5·log2(2) + 0.5·log2(2/3)) and of 1·log2(4/3)
    # = (0.5 - 0.292481 + 0.415037) / 2 = 0.311278.
    assert divergence(0.5, 0.0) == pytest.approx(0.311278, rel=1e-5)
    assert divergence(0.2, 0.3) == divergence(0.3, 0.2)
