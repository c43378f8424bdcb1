"""Whom to contact, and what that would bring: threshold, lift, gain and profit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.propensity.scores import Metric, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.propensity.settings import DecisionSettings

    Floats = NDArray[np.float64]

DECILES = 10


def choose_threshold(probability: Floats, decision: DecisionSettings) -> float:
    """Probability from which on a user is contacted.

    It is what the share that can be contacted reaches, but never so low that a contact costs more
    than it brings.

    Parameters
    ----------
    probability
        Calibrated probabilities of the calibration slice; choosing on the slice that is judged
        later would flatter the result.
    """
    contacted = max(1, int(len(probability) * decision.capacity_share))
    by_capacity = float(np.partition(probability, -contacted)[-contacted])
    return max(by_capacity, decision.worth_it)


def decision_figures(
    split: str, scores: Scores, threshold: float, decision: DecisionSettings
) -> list[Metric]:
    """Lift, gain and profit by share of the users contacted, and who is selected."""
    return [
        *_deciles(split, scores),
        *_profit(split, scores, decision),
        *_decision(split, scores, threshold),
    ]


def _falling_labels(scores: Scores) -> Floats:
    """Labels by falling margin; rows of one margin share their mean, so their order is none."""
    _, place, counts = np.unique(-scores.margin, return_inverse=True, return_counts=True)
    return np.repeat(np.bincount(place, weights=scores.label) / counts, counts)


def _deciles(split: str, scores: Scores) -> list[Metric]:
    """Lift of each tenth of the users, and the share of the positives that all up to it hold."""
    labels = _falling_labels(scores)
    parts = [part for part in np.array_split(labels, DECILES) if len(part)]
    base, caught, found = labels.mean(), 0.0, []
    for point, part in enumerate(parts, start=1):
        caught += part.sum() / labels.sum()
        x = point / len(parts)
        found += [
            Metric(split, "lift", float(part.mean() / base), point, x, len(part)),
            Metric(split, "gain", float(caught), point, x, len(part)),
        ]
    return found


def _profit(split: str, scores: Scores, decision: DecisionSettings) -> list[Metric]:
    """What contacting the first so many would bring: as foretold, and as the labels then were."""
    expected, realised = np.sort(scores.probability)[::-1], _falling_labels(scores)
    rows, found = len(expected), []
    gain = decision.effect * decision.value
    for point, share in enumerate(np.linspace(0.02, 1, 50), start=1):
        contacted = max(1, round(rows * share))
        cost = decision.cost * contacted
        for name, chances in (("profit_expected", expected), ("profit_realised", realised)):
            value = float(chances[:contacted].sum() * gain - cost)
            found.append(Metric(split, name, value, point, contacted / rows, contacted))
    return found


def _decision(split: str, scores: Scores, threshold: float) -> list[Metric]:
    selected = scores.probability >= threshold
    positive = scores.label == 1
    counts = {
        "confusion_tp": selected & positive,
        "confusion_fp": selected & ~positive,
        "confusion_fn": ~selected & positive,
        "confusion_tn": ~selected & ~positive,
    }
    rows = len(positive)
    figures = {name: float(hits.sum()) for name, hits in counts.items()}
    figures["threshold"] = threshold
    figures["selected_share"] = float(selected.mean())
    figures["recall"] = float(selected[positive].mean())
    if selected.any():
        figures["precision"] = float(positive[selected].mean())
    return [Metric(split, name, value, rows=rows) for name, value in figures.items()]
