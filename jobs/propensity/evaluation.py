"""How good the probabilities are; on the driver, from one slice's margins and labels.

No figure depends on how rows with equal scores happen to be ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
MAX_CURVE_POINTS = 200


@dataclass(frozen=True)
class Scores:
    """Labels and scores of one slice, one entry per row.

    Parameters
    ----------
    label
        0 or 1.
    margin
        Raw score F of the trees.
    probability
        Calibrated probability, rising with the margin.
    """

    label: Floats
    margin: Floats
    probability: Floats

    @classmethod
    def of(cls, label: Floats, margin: Floats, probability: Floats) -> Scores:
        """Put the rows in order of margin and label: sums of floats then repeat to the bit."""
        order = np.lexsort((label, margin))
        return cls(label[order], margin[order], probability[order])


@dataclass(frozen=True)
class Metric:
    """One row of model_metrics without its model; see that table's contract."""

    split: str
    metric: str
    value: float
    point: int = 0
    x: float | None = None
    rows: int | None = None


def choose_threshold(probability: Floats, capacity_share: float) -> float:
    """Probability that the given share of a slice reaches.

    Parameters
    ----------
    probability
        Calibrated probabilities of the calibration slice; choosing on the slice that is judged
        later would flatter the result.
    capacity_share
        Share of the users that can be contacted; at least one user is.
    """
    contacted = max(1, int(len(probability) * capacity_share))
    return float(np.partition(probability, -contacted)[-contacted])


def evaluate(split: str, scores: Scores, threshold: float) -> list[Metric]:
    """All figures of one slice, which must hold both classes.

    Parameters
    ----------
    split
        Name of the slice.
    threshold
        Probability from which a user is selected (`choose_threshold`).
    """
    return [
        *size_figures(split, len(scores.label), int(scores.label.sum())),
        *_single_figures(split, scores),
        *_calibration(split, scores),
        *_curve(split, scores),
        *_decision(split, scores, threshold),
    ]


def size_figures(split: str, rows: int, positives: int) -> list[Metric]:
    """Size and base rate of a slice."""
    return [
        Metric(split, "positives", float(positives), rows=rows),
        Metric(split, "base_rate", positives / rows, rows=rows),
    ]


def calibration_table(
    label: Floats, probability: Floats, bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Predicted against observed in bins of equal mass, from the lowest probability up.

    Returns
    -------
    list of tuple
        Mean probability, share of positives, rows. Bins differ by at most one row; rows with equal
        probability that fall into two bins bring the mean label of them all into both.
    """
    values, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    mean_label = np.bincount(place, weights=label) / counts
    ordered_probability = np.repeat(values, counts)
    ordered_label = np.repeat(mean_label, counts)
    parts = zip(
        np.array_split(ordered_probability, bins), np.array_split(ordered_label, bins), strict=True
    )
    return [(float(p.mean()), float(y.mean()), len(p)) for p, y in parts if len(p)]


def expected_calibration_error(table: list[tuple[float, float, int]]) -> float:
    """Mean distance between predicted and observed over the bins, weighted by their rows."""
    rows = sum(count for _, _, count in table)
    return sum(abs(predicted - observed) * count for predicted, observed, count in table) / rows


def thinned_curve(label: Floats, score: Floats) -> list[tuple[float, float]]:
    """Points (recall, precision) of the precision-recall curve, by falling recall.

    At most 200 of the thousands of points, both ends among them, evenly spread over recall.
    """
    precision, recall, _ = precision_recall_curve(label, score)
    # The last point, precision 1 at recall 0, is scikit-learn's convention and selects nobody.
    precision, recall = precision[:-1], recall[:-1]
    wanted = np.linspace(0, 1, MAX_CURVE_POINTS)
    rising = recall[::-1]
    places = np.unique(len(recall) - 1 - np.searchsorted(rising, wanted, side="left"))
    return [(float(recall[i]), float(precision[i])) for i in places]


def _single_figures(split: str, scores: Scores) -> list[Metric]:
    label, margin, probability = scores.label, scores.margin, scores.probability
    # What the trees say before calibration stands beside it; 2F is their own logit.
    raw = 1 / (1 + np.exp(-2 * margin))
    table = calibration_table(label, probability)
    figures = {
        "average_precision": average_precision_score(label, margin),
        "roc_auc": roc_auc_score(label, margin),
        "log_loss": log_loss(label, probability),
        "log_loss_raw": log_loss(label, raw),
        "brier": brier_score_loss(label, probability),
        "ece": expected_calibration_error(table),
        "ece_raw": expected_calibration_error(calibration_table(label, raw)),
        "observed_to_expected": label.sum() / probability.sum(),
    }
    return [Metric(split, name, float(v), rows=len(label)) for name, v in figures.items()]


def _calibration(split: str, scores: Scores) -> list[Metric]:
    table = calibration_table(scores.label, scores.probability)
    return [
        Metric(split, "calibration", observed, point, predicted, rows)
        for point, (predicted, observed, rows) in enumerate(table, start=1)
    ]


def _curve(split: str, scores: Scores) -> list[Metric]:
    points = thinned_curve(scores.label, scores.margin)
    return [
        Metric(split, "pr_curve", precision, point, recall)
        for point, (recall, precision) in enumerate(points, start=1)
    ]


def _decision(split: str, scores: Scores, threshold: float) -> list[Metric]:
    selected = scores.probability >= threshold
    buyer = scores.label == 1
    counts = {
        "confusion_tp": selected & buyer,
        "confusion_fp": selected & ~buyer,
        "confusion_fn": ~selected & buyer,
        "confusion_tn": ~selected & ~buyer,
    }
    rows = len(buyer)
    figures = {name: float(hits.sum()) for name, hits in counts.items()}
    figures["threshold"] = threshold
    figures["selected_share"] = float(selected.mean())
    figures["recall"] = float(selected[buyer].mean())
    if selected.any():
        figures["precision"] = float(buyer[selected].mean())
    return [Metric(split, name, value, rows=rows) for name, value in figures.items()]
