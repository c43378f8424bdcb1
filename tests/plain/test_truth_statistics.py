"""How far is too far: the laws that `verify` holds a synthetic shop's figures against."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jobs.proof.truth_statistics import limit_of, ratio_z, surprise, worst


def test_the_worst_of_many_may_lie_further_out() -> None:
    assert limit_of(1) == pytest.approx(4.0)
    alpha = 2 * stats.norm.sf(4.0)
    for many in (70, 180):
        assert many * 2 * stats.norm.sf(limit_of(many)) == pytest.approx(alpha)
    assert limit_of(180) == pytest.approx(5.09, abs=0.01)


@pytest.mark.parametrize("mean", [1.0, 5.0, 60.0, 3000.0])
def test_counts_have_about_the_tails_of_their_law(mean: float) -> None:
    for far in (-4.0, -2.0, 2.0, 4.0, 6.0):
        count = np.array([max(round(mean + far * np.sqrt(mean)), 0.0)])
        below = stats.poisson.cdf(count, mean)
        above = stats.poisson.sf(count - 1, mean)
        exact = stats.norm.isf(np.minimum(below, above)) * np.where(above < below, 1, -1)
        told = surprise(
            count, np.array([mean]), np.sqrt([mean]), 1 / np.sqrt([mean]), is_count=True
        )
        # Half a unit of z at worst, where the normal law alone would be off by more than one.
        assert told == pytest.approx(exact, abs=0.5), (far, count)


def test_what_is_certain_may_not_be_off() -> None:
    zero, ones = np.zeros(2), np.ones(2)
    z = surprise(np.array([1.0, 2.0]), ones, zero, zero, is_count=False)
    assert z.tolist() == [0.0, np.inf]


def test_a_day_far_off_is_named_and_fails() -> None:
    mean = np.full(3, 100.0)
    seen = np.array([103.0, 180.0, 98.0])
    z = (seen - mean) / 10
    finding = worst("orders per day", ["mon", "tue", "wed"], (mean, np.full(3, 10.0), seen, z))
    assert not finding.passed
    assert "tue" in finding.name and "180.0 (z +8.0)" in finding.found
    assert worst("x", ["a"], (mean[:1], mean[:1], seen[:1], z[:1])).passed


def test_a_ratio_of_sums_has_a_standard_normal_z() -> None:
    rng = np.random.default_rng(3)
    z = []
    for _ in range(300):
        visits = rng.poisson(rng.gamma(0.5, 4.0, 2000))
        carts = rng.binomial(visits, 0.12)
        sums = float(carts.sum()), float(visits.sum())
        squares = [float((a * b).sum()) for a, b in ((carts,) * 2, (carts, visits), (visits,) * 2)]
        z.append(ratio_z(0.12, sums, (squares[0], squares[1], squares[2])))
    assert abs(np.mean(z)) < 0.25
    assert np.std(z) == pytest.approx(1.0, abs=0.15)
    assert ratio_z(0.13, sums, (squares[0], squares[1], squares[2])) < z[-1] - 1.5
