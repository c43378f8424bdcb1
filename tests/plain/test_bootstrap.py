"""Weighted figures are scikit-learn's, and intervals are those of users drawn anew."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from jobs.propensity import bootstrap
from jobs.propensity.bootstrap import FIGURES, Ranked, draws, interval

Floats = NDArray[np.float64]


def rows(seed: int, count: int, levels: int) -> tuple[Floats, Floats, Floats]:
    """Label, score and probability; few levels of the score make many ties."""
    draw = np.random.default_rng(seed)
    score = draw.integers(0, levels, count) / levels
    label = (draw.random(count) < 0.1 + 0.6 * score).astype(float)
    return label, score, 0.05 + 0.8 * score


@pytest.mark.parametrize("levels", [3, 10, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_weighted_figures_are_those_of_scikit_learn(seed: int, levels: int) -> None:
    label, score, probability = rows(seed, 400, levels)
    weight = np.random.default_rng(seed + 100).poisson(1.0, 400).astype(float)
    assert (weight == 0).any()
    found = dict(zip(FIGURES, Ranked(label, score, probability).figures(weight), strict=True))
    wanted = {
        "average_precision": average_precision_score(label, score, sample_weight=weight),
        "roc_auc": roc_auc_score(label, score, sample_weight=weight),
        "log_loss": log_loss(label, probability, sample_weight=weight),
        "observed_to_expected": (weight * label).sum() / (weight * probability).sum(),
        "brier": brier_score_loss(label, probability, sample_weight=weight),
    }
    assert found == pytest.approx(wanted, rel=1e-12)


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    label, score, probability = rows(1, 500, 7)
    weight = np.ones(500)
    mixed = np.random.default_rng(2).permutation(500)
    found = Ranked(label[mixed], score[mixed], probability[mixed]).figures(weight)
    np.testing.assert_allclose(found, Ranked(label, score, probability).figures(weight), rtol=1e-12)


def test_a_resample_of_one_class_has_no_ranking() -> None:
    found = Ranked(np.array([1.0, 0.0]), np.array([0.3, 0.2]), np.array([0.3, 0.2]))
    assert np.isnan(found.figures(np.array([1.0, 0.0]))[:2]).all()
    # It is left out of the interval instead of making it NaN.
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)


def test_users_are_drawn_not_rows() -> None:
    user = np.array([7, 3, 7, 7, 5, 3])
    totals = set()
    for weight in draws(user, 200, seed=1):
        by_user = {int(one): set(weight[user == one]) for one in user}
        assert all(len(weights) == 1 for weights in by_user.values()), "one weight for all rows"
        drawn = sum(weights.pop() for weights in by_user.values())
        assert drawn == 3, "as many users as there are"
        totals.add(weight.sum())
    assert len(totals) > 3, "the rows vary with the users drawn"


def test_draws_repeat_and_are_even() -> None:
    user = np.arange(50)
    one, other = (np.stack([*draws(user, 400, seed=9)]) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, np.stack([*draws(user, 400, seed=8)]))
    # Each user is drawn once on average; the mean of 400 draws has standard error 1 / 20.
    assert np.abs(one.mean(axis=0) - 1).max() < 4.5 / 20
    assert one.var() == pytest.approx(1, abs=0.05)


def resampled_share(label: Floats, user: NDArray[np.int64]) -> Floats:
    return np.array([(weight @ label) / weight.sum() for weight in draws(user, 400, seed=3)])


def test_the_interval_is_as_wide_as_users_are_few() -> None:
    """Ten equal rows of a user say no more than one does."""
    label = (np.random.default_rng(4).random(200) < 0.3).astype(float)
    once = resampled_share(label, np.arange(200))
    tenfold = resampled_share(np.repeat(label, 10), np.repeat(np.arange(200), 10))
    as_rows = resampled_share(np.repeat(label, 10), np.arange(2_000))
    expected = np.sqrt(label.mean() * (1 - label.mean()) / 200)
    assert once.std() == pytest.approx(expected, rel=0.15)
    assert tenfold.std() == pytest.approx(expected, rel=0.15)
    assert as_rows.std() == pytest.approx(expected / np.sqrt(10), rel=0.15)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    truth, hits = 0.3, 0
    for seed in range(200):
        label = (np.random.default_rng(seed).random(300) < truth).astype(float)
        values = [(w @ label) / w.sum() for w in draws(np.arange(300), 100, seed=seed)]
        low, high = interval(np.array(values))
        hits += low <= truth <= high
    # 95 % of 200 is 190; four binomial standard errors are 12, and few draws cost a little.
    assert 176 <= hits <= 199


def test_a_difference_by_pairs_is_narrower_than_its_parts() -> None:
    """Two models that err on the same users differ by little, and the pairs show it."""
    draw = np.random.default_rng(5)
    label, score, probability = rows(6, 3_000, 10_000)
    ranked = Ranked(label, score, probability)
    nearly = Ranked(label, score + draw.normal(0, 0.05, 3_000), probability)
    user = np.arange(3_000)
    pairs = np.array([(ranked.figures(w)[1], nearly.figures(w)[1]) for w in draws(user, 200, 1)])
    gain_low, gain_high = interval(pairs[:, 0] - pairs[:, 1])
    low, high = interval(pairs[:, 0])
    assert gain_high - gain_low < (high - low) / 3
    assert gain_low > 0, "the noise is found to harm, though both intervals overlap"
    assert low < interval(pairs[:, 1])[1]


def test_the_interval_holds_the_middle_95_in_100() -> None:
    assert bootstrap.LEVEL == 0.95
    low, high = interval(np.arange(1_001.0))
    assert (low, high) == (pytest.approx(25), pytest.approx(975))
