"""Figures of a slice against small cases reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.propensity.decisions import choose_threshold
from jobs.propensity.evaluation import (
    by_segment,
    calibration_table,
    evaluate,
    expected_calibration_error,
    single_figures,
    thinned_curve,
)
from jobs.propensity.scores import Metric, Scores
from jobs.propensity.settings import DecisionSettings

# Ranked from the highest: buyer, no, buyer, no, no. Precision is 1 at the first buyer (recall
# 1/2) and 2/3 at the second (recall 1); of the 6 pairs of buyer and other, 5 are in order.
LABEL = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
PROBABILITY = np.array([0.1, 0.3, 0.4, 0.8, 0.2])
# Worth it above .05 / (.1 x 10) = .05.
DECISION = DecisionSettings(capacity_share=0.1, cost=0.05, effect=0.1, value=10.0)
MARGIN = np.log(PROBABILITY / (1 - PROBABILITY)) / 2


def figures(threshold: float = 0.3) -> dict[str, float]:
    metrics = evaluate("test", Scores.of(LABEL, MARGIN, PROBABILITY), threshold, DECISION)
    return {m.metric: m.value for m in metrics if m.point == 0}


def test_ranking_figures() -> None:
    found = figures()
    assert found["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["roc_auc"] == pytest.approx(5 / 6)
    assert found["base_rate"] == pytest.approx(0.4)
    assert found["positives"] == 2


def test_probability_figures() -> None:
    found = figures()
    told = np.array([0.9, 0.3, 0.6, 0.8, 0.8])  # probability given to what then happened
    assert found["log_loss"] == pytest.approx(-np.log(told).mean())
    assert found["brier"] == pytest.approx(((1 - told) ** 2).mean())
    assert found["observed_to_expected"] == pytest.approx(2 / 1.8)
    # sigmoid(2F) is the probability here, so calibration changed nothing.
    assert found["log_loss_raw"] == pytest.approx(found["log_loss"])


def test_confusion_counts_the_threshold_itself_as_selected() -> None:
    found = figures(threshold=0.3)
    counts = [found[f"confusion_{name}"] for name in ("tp", "fp", "fn", "tn")]
    assert counts == [2, 1, 0, 2]
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == 1
    assert found["selected_share"] == pytest.approx(0.6)
    assert found["threshold"] == 0.3


def test_precision_is_left_out_where_nobody_is_selected() -> None:
    found = figures(threshold=0.95)
    assert "precision" not in found
    assert found["recall"] == 0


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    draw = np.random.default_rng(0)
    probability = draw.choice([0.1, 0.2, 0.5, 0.7], 500)
    label = (draw.random(500) < probability).astype(float)
    shuffled = draw.permutation(500)
    one = evaluate("test", Scores.of(label, probability, probability), 0.5, DECISION)
    other = Scores.of(label[shuffled], probability[shuffled], probability[shuffled])
    assert evaluate("test", other, 0.5, DECISION) == one


def test_calibration_bins_have_equal_mass_and_rise() -> None:
    probability = np.linspace(0.05, 0.95, 23)
    label = (np.arange(23) % 2).astype(float)
    table = calibration_table(label, probability, bins=10)
    assert sorted({rows for _, _, rows in table}) == [2, 3]
    assert sum(rows for _, _, rows in table) == 23
    assert [p for p, _, _ in table] == sorted(p for p, _, _ in table)
    assert table[0] == (pytest.approx(probability[:3].mean()), pytest.approx(1 / 3), 3)


def test_ties_share_their_mean_label_between_bins() -> None:
    # One probability for all: every bin must show the overall share, whatever the row order.
    table = calibration_table(np.array([1.0] * 5 + [0.0] * 15), np.full(20, 0.3), bins=4)
    assert table == [(pytest.approx(0.3), pytest.approx(0.25), 5)] * 4


def test_calibration_error_weighs_bins_by_rows() -> None:
    assert expected_calibration_error([(0.1, 0.2, 10), (0.5, 0.4, 30)]) == pytest.approx(0.1)
    assert expected_calibration_error([(0.1, 0.1, 10), (0.5, 0.9, 30)]) == pytest.approx(0.3)


def test_threshold_is_the_probability_that_the_capacity_reaches() -> None:
    probability = np.arange(1, 101) / 500
    threshold = choose_threshold(probability, DECISION)
    assert threshold == pytest.approx(0.182)
    assert (probability >= threshold).sum() == 10
    assert choose_threshold(probability[-5:], DECISION) == pytest.approx(0.2)


def test_threshold_is_never_below_what_a_contact_is_worth() -> None:
    probability = np.arange(1, 101) / 5_000  # none above .02
    assert choose_threshold(probability, DECISION) == DECISION.worth_it == pytest.approx(0.05)


def points(metrics: list[Metric], name: str) -> list[tuple[float, float]]:
    return [(m.x or 0.0, m.value) for m in metrics if m.metric == name]


def test_lift_and_gain_of_tenths() -> None:
    label = np.array([1.0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    score = np.linspace(0.9, 0.1, 20)
    metrics = evaluate("test", Scores.of(label, score, score), 0.5, DECISION)
    lift, gain = points(metrics, "lift"), points(metrics, "gain")
    # Two rows a tenth; the base rate is 4 of 20.
    assert [value for _, value in lift] == pytest.approx([5, 2.5, 0, 0, 0, 0, 0, 0, 0, 2.5])
    assert [value for _, value in gain] == pytest.approx([0.5] + [0.75] * 8 + [1.0])
    assert [x for x, _ in gain] == pytest.approx(np.arange(1, 11) / 10)


def test_rows_of_equal_score_share_their_label_in_every_tenth() -> None:
    label = np.array([1.0] * 4 + [0.0] * 16)
    score = np.full(20, 0.2)
    metrics = evaluate("test", Scores.of(label, score, score), 0.5, DECISION)
    assert [value for _, value in points(metrics, "lift")] == pytest.approx([1.0] * 10)


def test_profit_is_what_those_contacted_bring_less_what_they_cost() -> None:
    label = np.array([1.0, 0, 1, 0, 0])
    score = np.array([0.9, 0.8, 0.3, 0.2, 0.1])
    metrics = evaluate("test", Scores.of(label, score, score), 0.5, DECISION)
    realised = dict(points(metrics, "profit_realised"))
    expected = dict(points(metrics, "profit_expected"))
    # A contact costs .05, and a tenth of the 10 that each buyer brings is gained.
    assert realised[0.2] == pytest.approx(1 - 0.05)
    assert realised[0.6] == pytest.approx(2 - 0.15)
    assert realised[1.0] == pytest.approx(2 - 0.25)
    assert expected[0.4] == pytest.approx(0.9 + 0.8 - 0.10)


def test_probabilities_twice_as_bold_have_half_the_slope() -> None:
    draw = np.random.default_rng(5)
    logit = draw.normal(size=20_000)
    label = (draw.random(20_000) < 1 / (1 + np.exp(-logit))).astype(float)
    for boldness in (1.0, 2.0):
        probability = 1 / (1 + np.exp(-boldness * logit))
        scores = Scores.of(label, logit, probability)
        found = {m.metric: m.value for m in single_figures("test", scores)}
        assert found["calibration_slope"] == pytest.approx(1 / boldness, rel=0.05)


def test_figures_of_a_segment_are_those_of_its_rows_alone() -> None:
    draw = np.random.default_rng(6)
    probability = draw.random(300)
    label = (draw.random(300) < probability).astype(float)
    country = draw.choice(np.array(["DE", "FR"], object), 300)
    country[:3], label[:3] = "XX", 1.0  # one class only: nothing to be judged
    scores = Scores(label, probability, probability)
    found = by_segment("test", {"country": country}, label, scores)
    assert {m.segment for m in found} == {"country=DE", "country=FR"}
    german = country == "DE"
    alone = Scores.of(label[german], probability[german], probability[german])
    wanted = {m.metric: m.value for m in single_figures("test", alone)}
    assert {m.metric: m.value for m in found if m.segment == "country=DE"} | wanted == {
        m.metric: m.value for m in found if m.segment == "country=DE"
    }


def test_curve_is_thinned_but_keeps_its_ends_and_its_values() -> None:
    draw = np.random.default_rng(3)
    score = draw.random(5_000)
    label = (draw.random(5_000) < score).astype(float)
    curve = thinned_curve(label, score)
    assert 150 < len(curve) <= 200
    recalls = [recall for recall, _ in curve]
    assert recalls == sorted(recalls, reverse=True)
    assert curve[0] == (1.0, pytest.approx(label.mean(), rel=0.01))
    assert recalls[-1] < 0.001
    ranked = label[np.argsort(-score)]
    for recall, precision in curve[::20]:
        selected = np.searchsorted(np.cumsum(ranked), recall * label.sum() - 1e-6) + 1
        assert precision == pytest.approx(ranked[:selected].mean())


def test_curve_ends_with_the_first_user_selected() -> None:
    # The highest score does not buy: precision there is 0, and no point selects nobody.
    curve = thinned_curve(np.array([0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.1]))
    assert curve[-1] == (0.0, 0.0)
    assert curve[0] == (1.0, pytest.approx(1 / 2))
