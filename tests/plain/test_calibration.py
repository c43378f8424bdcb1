"""The calibration finds the curve that made the labels, and refuses a ranking turned round."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from jobs.core.errors import ContractError
from jobs.propensity.calibration import Calibration, fit_calibration, require_signal

Floats = NDArray[np.float64]


def drawn(slope: float, intercept: float, rows: int, scale: float = 1.0) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(1)
    score = scale * draw.normal(-1, 0.5, rows)
    label = draw.random(rows) < expit(slope * score + intercept)
    return score, label.astype(float)


def test_the_curve_behind_the_labels_is_found() -> None:
    found = fit_calibration(*drawn(2.0, -1.0, 200_000))
    # Four standard errors of this many rows.
    assert found.slope == pytest.approx(2.0, abs=0.1)
    assert found.intercept == pytest.approx(-1.0, abs=0.1)


def test_the_fit_is_the_most_likely_one_without_a_penalty() -> None:
    score, label = drawn(1.5, -0.5, 400)

    def loss(parameters: Floats) -> float:
        logit = parameters[0] * score + parameters[1]
        return float(np.logaddexp(0, np.where(label == 1, -logit, logit)).sum())

    wanted = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-10}).x
    found = fit_calibration(score, label)
    assert (found.slope, found.intercept) == pytest.approx(tuple(wanted), rel=1e-5)


def test_predicted_and_observed_sums_are_equal() -> None:
    score, label = drawn(2.0, -3.0, 5_000)
    found = fit_calibration(score, label)
    assert found.probability(score).sum() == pytest.approx(label.sum(), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_score_does_not_matter(scale: float) -> None:
    score, label = drawn(2.0, -1.0, 3_000)
    one, other = fit_calibration(score, label), fit_calibration(scale * score, label)
    np.testing.assert_allclose(other.probability(scale * score), one.probability(score), rtol=1e-6)


def test_the_order_of_users_stays() -> None:
    score, label = drawn(2.0, -1.0, 3_000)
    probability = fit_calibration(score, label).probability(np.sort(score))
    assert (np.diff(probability) >= 0).all()


def test_a_score_that_is_the_same_for_all_gives_the_base_rate() -> None:
    label = np.array([1.0] * 3 + [0.0] * 9)
    found = fit_calibration(np.full(12, 0.7), label)
    np.testing.assert_allclose(found.probability(np.full(12, 0.7)), 0.25, rtol=1e-12)
    with pytest.raises(ContractError, match="slope 0.000"):
        require_signal(found, "they rank", "run train")


@pytest.mark.parametrize("slope", [0.0, -0.5, float("nan")])
def test_a_ranking_no_better_than_chance_is_refused(slope: float) -> None:
    with pytest.raises(ContractError, match="no better than chance"):
        require_signal(Calibration(slope, 0.0), "they rank", "run train")
    require_signal(Calibration(0.1, 0.0), "they rank", "run train")
    score, label = drawn(2.0, -1.0, 3_000)
    with pytest.raises(ContractError, match="no better than chance"):
        require_signal(fit_calibration(-score, label), "they rank", "run train")
