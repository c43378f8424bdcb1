"""Figures foretold by probabilities, against labels drawn from them; limits against chances."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import stats

from jobs.propensity.monitoring.outcomes import (
    RATIO,
    Scored,
    count_limits,
    expected_figures,
    foretell,
    judge_date,
    judge_week,
    realised_figures,
)

AS_OF = date(2024, 6, 1)


def scored(rows: int = 2000, seed: int = 1) -> Scored:
    probability = np.random.default_rng(seed).beta(0.6, 6, rows)
    return Scored(probability, probability >= 0.3)


def drawn(draw: np.random.Generator, base: Scored, factor: float = 1.0) -> Scored:
    label = draw.random(len(base.probability)) < factor * base.probability
    return replace(base, label=label.astype(float))


def test_expected_figures_are_the_mean_of_realised_ones() -> None:
    draw, base = np.random.default_rng(2), scored()
    realised = [realised_figures(drawn(draw, base)) for _ in range(400)]
    for name, expected in expected_figures(base).items():
        values = np.array([figures[name] for figures in realised])
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - expected) < 4 * error + 5e-4, name


def test_expected_figures_by_hand() -> None:
    p = np.array([0.5, 0.5, 0.2, 0.8])
    found = expected_figures(Scored(p, p >= 0.5))
    assert found["base_rate"] == pytest.approx(0.5)
    assert found["precision"] == pytest.approx(1.8 / 3)
    assert found["recall"] == pytest.approx(1.8 / 2)
    # Positives .8, 1, .2 in the order of probability, negatives .2, 1, .8; ties count half.
    area = 0.8 * (1 + 0.8 + 0.1) + 1.0 * (0.8 + 0.5) + 0.2 * 0.4
    assert found["roc_auc"] == pytest.approx(area / (2 * 2))
    precision = 0.8 * 1 + 0.5 * 1.8 / 2 + 0.5 * 2.3 / 3 + 0.2 * 2.8 / 4
    assert found["average_precision"] == pytest.approx(precision / 2)


def test_nobody_selected_has_no_precision() -> None:
    p = np.array([0.1, 0.2])
    assert "precision" not in expected_figures(Scored(p, p > 1))
    label = np.array([0.0, 0.0])
    assert set(realised_figures(Scored(p, p > 1, label))) == {"base_rate", "log_loss"}


def test_small_limits_are_those_of_all_outcomes_counted() -> None:
    p = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 0.02, 0.6])
    chances = np.zeros(11)
    for labels in itertools.product((0, 1), repeat=10):
        kept = np.array(labels)
        chances[sum(labels)] += np.prod(np.where(kept == 1, p, 1 - p))
    for level in (0.3, 0.1, 0.01, 0.001):
        low, high = count_limits(p, level)
        assert sum(chances[: int(low)]) <= level / 2 < sum(chances[: int(low) + 1])
        assert sum(chances[int(high) + 1 :]) <= level / 2 < sum(chances[int(high) :])


def test_both_ways_to_limits_meet() -> None:
    p = np.full(400, 0.08)
    low, high = count_limits(p, 0.01)
    exact = stats.binom(400, 0.08)
    assert np.sum(p * (1 - p)) > 25  # the normal way
    assert abs(low - exact.ppf(0.005)) <= 2
    assert abs(high - exact.ppf(0.995)) <= 2
    low, high = count_limits(p[:300], 0.01)
    exact = stats.binom(300, 0.08)
    assert (low, high) == (exact.ppf(0.005), exact.ppf(0.995))


@pytest.mark.parametrize("rows", [60, 1500])
def test_false_alarms_are_at_most_as_many_as_stated(rows: int) -> None:
    draw, base, level, draws = np.random.default_rng(3), scored(rows), 0.05, 2000
    low, high = count_limits(base.probability, level)
    alarms = sum(not low <= drawn(draw, base).label.sum() <= high for _ in range(draws))
    assert stats.binomtest(alarms, draws).proportion_ci(0.999, "exact").low <= level
    assert alarms > 0.01 * draws  # limits that nothing ever reaches would pass the line above


def ratio(base: Scored, level: float = 1e-3, floor: float = 0.0) -> tuple[float, bool]:
    (found,) = (f for f in judge_date(base, AS_OF, level, floor) if f.feature == RATIO)
    return found.value, found.is_alarm


def test_a_fall_of_the_rate_is_an_alarm_and_a_trifle_is_not() -> None:
    draw, base = np.random.default_rng(4), scored(5000)
    value, is_alarm = ratio(drawn(draw, base, 0.7))
    assert is_alarm
    assert value == pytest.approx(0.7, abs=0.1)
    huge = scored(1_000_000)
    trifle = drawn(draw, huge, 0.97)
    assert ratio(trifle)[1]
    assert not ratio(trifle, floor=0.1)[1]


def test_a_week_that_moves_as_one_keeps_its_rate() -> None:
    draw, base, level, draws = np.random.default_rng(5), scored(800), 0.05, 1500
    alarms = 0
    for _ in range(draws):
        (found,) = judge_week([drawn(draw, base)] * 7, AS_OF, level, 0.0)
        alarms += found.is_alarm
    interval = stats.binomtest(alarms, draws).proportion_ci(0.999, "exact")
    assert interval.low <= level
    assert alarms > 0.02 * draws


def test_a_week_is_the_sum_of_its_dates() -> None:
    first = Scored(np.array([0.5, 0.5]), np.array([True, True]), np.array([1.0, 1.0]))
    second = Scored(np.array([0.25]), np.array([False]), np.array([0.0]))
    (found,) = judge_week([first, second], AS_OF, 1e-3, 0.0)
    assert (found.value, found.rows) == (2 / 1.25, 3)


def test_what_is_foretold_stands_beside_the_test_slice_and_has_no_limit() -> None:
    found = {f.feature: f for f in foretell(scored(), AS_OF, {"base_rate": 0.2})}
    assert found["base_rate"].reference == 0.2
    assert found["roc_auc"].reference is None
    assert not any(f.is_alarm or f.low or f.high for f in found.values())
