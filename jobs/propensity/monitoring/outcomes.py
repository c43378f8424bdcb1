"""What the probabilities foretell, and whether it came true.

Before labels are known: if the probabilities are calibrated, the figures of a date follow from them
alone (confidence-based performance estimation): an expected true positive is the probability of
who was selected, and so on. That holds as long as calibration does; drift of what users do, at the
same features, shows only once labels are there.

When labels are known: their sum is a Poisson binomial with variance sum p (1 - p).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from jobs.propensity.monitoring.findings import Finding

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RATIO = "observed_to_expected"
# Below this variance the sum of labels is skewed, and its chances are added up one by one.
_SMALL = 25.0
# Standard deviations up to which they are.
_REACH = 12.0


@dataclass(frozen=True)
class Scored:
    """Scores of one date.

    Parameters
    ----------
    probability
        Calibrated.
    is_selected
        Whether it reached the threshold of the model.
    label
        0 or 1, where known.
    """

    probability: Floats
    is_selected: NDArray[np.bool_]
    label: Floats | None = None


def expected_figures(scored: Scored) -> dict[str, float]:
    """Figures to be expected where the probabilities are right; those that need a user lack else.

    Returns
    -------
    dict
        base_rate, precision, recall, roc_auc, average_precision, log_loss. The last three are of
        ranking by probability, rows of one probability in no order.
    """
    p, selected = scored.probability, scored.is_selected
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    entropy = -inside * np.log(inside) - (1 - inside) * np.log(1 - inside)
    found = {"base_rate": float(p.mean()), "log_loss": float(entropy.mean())}
    if selected.any():
        found["precision"] = float(p[selected].mean())
    if p.sum() > 0:
        found["recall"] = float(p[selected].sum() / p.sum())
        found["average_precision"] = _expected_precision(p)
    if 0 < p.sum() < len(p):
        found["roc_auc"] = _expected_area(p)
    return found


def realised_figures(scored: Scored) -> dict[str, float]:
    """Give the same figures as the labels then were; what needs a label of each kind may lack."""
    label, p, selected = scored.label, scored.probability, scored.is_selected
    assert label is not None
    found = {
        "base_rate": float(label.mean()),
        "log_loss": float(log_loss(label, p, labels=[0, 1])),
    }
    if selected.any():
        found["precision"] = float(label[selected].mean())
    if label.any():
        found["recall"] = float(label[selected].sum() / label.sum())
        found["average_precision"] = float(average_precision_score(label, p))
    if 0 < label.sum() < len(label):
        found["roc_auc"] = float(roc_auc_score(label, p))
    return found


def count_limits(probability: Floats, level: float) -> tuple[float, float]:
    """Least and greatest number of labels 1 that chance allows.

    Returns
    -------
    tuple of float
        Below the first and above the second each lie with a chance of at most half the level.
    """
    mean = float(probability.sum())
    variance = float(np.sum(probability * (1 - probability)))
    if variance >= _SMALL:
        reach = float(np.sqrt(variance) * stats.norm.isf(level / 2))
        # A count moves in steps of one.
        return mean - reach - 0.5, mean + reach + 0.5
    below = np.cumsum(_chances(probability, mean, variance))
    low = int(np.searchsorted(below, level / 2, side="right"))
    high = int(np.searchsorted(below, 1 - level / 2, side="left"))
    return float(low), float(high)


def judge_date(scored: Scored, as_of: date, level: float, floor: float) -> list[Finding]:
    """Compare the labels of a date with what was foretold.

    Parameters
    ----------
    as_of
        Date of the scores.
    level
        Chance of a false alarm.
    floor
        Distance of observed over expected from 1 below which there is no alarm.

    Returns
    -------
    list of Finding
        A row per figure; observed over expected has limits.
    """
    expected, rows = expected_figures(scored), len(scored.probability)
    found = [
        Finding("realised", name, as_of, value, rows, expected.get(name))
        for name, value in realised_figures(scored).items()
    ]
    total = float(scored.probability.sum())
    if total > 0:
        limits = count_limits(scored.probability, level)
        found.append(_ratio("realised", [scored], as_of, limits, floor))
    return found


def judge_week(dates: list[Scored], last: date, level: float, floor: float) -> list[Finding]:
    """Compare the labels of several dates together with what was foretold.

    One order counts in the labels of several dates, and users come again. How far the dates move
    together is not known; that they move as one is the worst case, in which standard deviations,
    not variances, add up. So false alarms are at most as many as stated.

    Parameters
    ----------
    last
        Last of the dates.
    """
    total = sum(float(scored.probability.sum()) for scored in dates)
    if total == 0:
        return []
    spreads = [np.sqrt(np.sum(s.probability * (1 - s.probability))) for s in dates]
    reach = float(sum(spreads) * stats.norm.isf(level / 2)) + 0.5
    return [_ratio("realised_week", dates, last, (total - reach, total + reach), floor)]


def foretell(scored: Scored, as_of: date, test: dict[str, float]) -> list[Finding]:
    """List the figures to be expected of a date, beside those of the test slice.

    Parameters
    ----------
    test
        Figures of the model on its test slice, by name.
    """
    return [
        Finding("expected", name, as_of, value, len(scored.probability), test.get(name))
        for name, value in expected_figures(scored).items()
    ]


def _ratio(
    check_name: str, dates: list[Scored], as_of: date, limits: tuple[float, float], floor: float
) -> Finding:
    expected = sum(float(scored.probability.sum()) for scored in dates)
    observed = sum(float(s.label.sum()) for s in dates if s.label is not None)
    low, high = (max(0.0, limit) / expected for limit in limits)
    rows = sum(len(scored.probability) for scored in dates)
    return Finding(
        check_name,
        RATIO,
        as_of,
        observed / expected,
        rows,
        1.0,
        min(low, 1 - floor),
        max(high, 1 + floor),
    )


def _chances(probability: Floats, mean: float, variance: float) -> Floats:
    """Chances of 0, 1, ... labels, up to where none are left; one user after another."""
    most = int(min(len(probability), np.ceil(mean + _REACH * np.sqrt(variance) + _REACH)))
    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for p in probability[probability > 0]:
        chances[1:] += p * (chances[:-1] - chances[1:])
        chances[0] *= 1 - p
    return chances


def _falling(p: Floats) -> tuple[Floats, NDArray[np.int64]]:
    values, counts = np.unique(p, return_counts=True)
    return values[::-1], counts[::-1]


def _expected_precision(p: Floats) -> float:
    """Expected sum over the positives of the precision at their rank, over the expected positives.

    A positive at rank k has itself and the expected positives before it among k.
    """
    ordered = np.sort(p)[::-1]
    before = np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    return float(np.sum(ordered * (1 + before) / np.arange(1, len(p) + 1)) / p.sum())


def _expected_area(p: Floats) -> float:
    """Chance that a positive lies above a negative; within one probability it is a half."""
    values, counts = _falling(p)
    positives, negatives = values * counts, (1 - values) * counts
    below = negatives.sum() - np.cumsum(negatives)
    return float(np.sum(positives * (below + negatives / 2)) / (p.sum() * (1 - p).sum()))
