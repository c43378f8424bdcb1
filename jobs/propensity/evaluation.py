"""How good probabilities are; on the driver, from one slice's scores and labels.

No figure depends on how rows with equal scores happen to be ordered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
)

from jobs.propensity.calibration import fit_calibration
from jobs.propensity.decisions import decision_figures
from jobs.propensity.scores import Metric, Scores
from jobs.propensity.trees import probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.propensity.settings import DecisionSettings

    Floats = NDArray[np.float64]

BINS = 10
MAX_CURVE_POINTS = 200


def evaluate(
    split: str,
    scores: Scores,
    threshold: float,
    decision: DecisionSettings,
    margin_shift: float = 0.0,
) -> list[Metric]:
    """All figures of the trees on one slice, which must hold both classes.

    Parameters
    ----------
    split
        Name of the slice.
    threshold
        Probability from which a user is selected (`choose_threshold`).
    margin_shift
        Added to the margins for the figures without calibration (`thinning.Thinning`).
    """
    return [
        *size_figures(split, len(scores.label), int(scores.label.sum())),
        *single_figures(split, scores),
        *_raw_figures(split, scores, margin_shift),
        *_calibration(split, scores),
        *_curve(split, scores),
        *decision_figures(split, scores, threshold, decision),
    ]


def size_figures(split: str, rows: int, positives: int) -> list[Metric]:
    """Size and base rate of a slice."""
    return [
        Metric(split, "positives", float(positives), rows=rows),
        Metric(split, "base_rate", positives / rows, rows=rows),
    ]


def single_figures(split: str, scores: Scores) -> list[Metric]:
    """Figures that are there for every model."""
    label, margin, probability = scores.label, scores.margin, scores.probability
    # Slope 1 and intercept 0: the probabilities are neither too bold nor too shy.
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    recalibrated = fit_calibration(np.log(inside / (1 - inside)), label)
    figures = {
        "average_precision": average_precision_score(label, margin),
        "roc_auc": roc_auc_score(label, margin),
        "log_loss": log_loss(label, probability),
        "brier": brier_score_loss(label, probability),
        "ece": expected_calibration_error(calibration_table(label, probability)),
        "calibration_slope": recalibrated.slope,
        "observed_to_expected": label.sum() / probability.sum(),
    }
    return [Metric(split, name, float(v), rows=len(label)) for name, v in figures.items()]


def by_segment(
    split: str, segments: dict[str, NDArray[np.object_]], label: Floats, scores: Scores
) -> list[Metric]:
    """Figures by country and by channel.

    Parameters
    ----------
    segments
        By column, the value of each row.
    label
        Of the same rows, in the same order as `scores`.
    """
    found = []
    for column, values in segments.items():
        for value in sorted(set(values)):
            chosen = values == value
            if not 0 < label[chosen].sum() < chosen.sum():
                continue
            part = Scores.of(label[chosen], scores.margin[chosen], scores.probability[chosen])
            named = f"{column}={value}"
            sizes = size_figures(split, len(part.label), int(part.label.sum()))
            found += [replace(m, segment=named) for m in sizes + single_figures(split, part)]
    return found


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


def _raw_figures(split: str, scores: Scores, margin_shift: float) -> list[Metric]:
    """Figures of what the trees say before calibration."""
    raw = probabilities(scores.margin + margin_shift)
    figures = {
        "log_loss_raw": log_loss(scores.label, raw),
        "ece_raw": expected_calibration_error(calibration_table(scores.label, raw)),
    }
    return [Metric(split, name, float(v), rows=len(raw)) for name, v in figures.items()]


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
