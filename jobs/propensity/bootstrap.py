"""How far a figure may be off by chance: intervals from resampled users.

A user is in a slice once per snapshot date, and those rows are alike, so users are drawn, not rows.
Every model is judged on the same draws: the interval of a difference of two models is then that of
the pairs, much narrower than what the two intervals suggest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.95
FIGURES = ("average_precision", "roc_auc", "log_loss", "observed_to_expected", "brier")


def draws(user_id: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Floats]:
    """Weights of the rows in each resample of the users, drawn with replacement.

    Returns
    -------
    iterator of ndarray
        How often each row's user was drawn; the same sequence for the same arguments.
    """
    _, place = np.unique(user_id, return_inverse=True)
    users = int(place.max()) + 1
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = np.bincount(random.integers(0, users, users), minlength=users)
        yield drawn[place].astype(np.float64)


class Ranked:
    """Labels and scores of one model, sorted once and judged under many weights.

    Parameters
    ----------
    label
        0 or 1 per row.
    score
        What the model ranks by.
    probability
        What it says; the log-loss and the sum are judged on it.
    """

    def __init__(self, label: Floats, score: Floats, probability: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        ranked = score[self._order]
        # Rows of equal score are one point of the curve.
        self._ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        self._label = label[self._order]
        self._raw_label = label
        self._probability = probability
        self._loss = -np.log(np.where(label == 1, probability, 1 - probability))
        self._square = (label - probability) ** 2

    def figures(self, weight: Floats) -> Floats:
        """The figures named in FIGURES, in their order, with each row counted `weight` times."""
        precision, roc = _ranking(self._label, weight[self._order], self._ends)
        expected = weight @ self._probability
        observed = weight @ self._raw_label
        rows = weight.sum()
        loss, brier = weight @ self._loss / rows, weight @ self._square / rows
        return np.array([precision, roc, loss, observed / expected, brier])


def interval(values: Floats) -> tuple[float, float]:
    """Ends of the middle 95 % of the resampled values."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


@njit(cache=True)
def _ranking(label: Floats, weight: Floats, ends: Ints) -> tuple[float, float]:
    """Average precision and area under the ROC curve of rows sorted by falling score."""
    positives, negatives = 0.0, 0.0
    for row in range(len(label)):
        positives += weight[row] * label[row]
        negatives += weight[row] * (1 - label[row])
    if positives == 0 or negatives == 0:
        return np.nan, np.nan
    precision, area = 0.0, 0.0
    hits, misses, row = 0.0, 0.0, 0
    for end in ends:
        new_hits, new_misses = 0.0, 0.0
        while row <= end:
            new_hits += weight[row] * label[row]
            new_misses += weight[row] * (1 - label[row])
            row += 1
        area += new_misses * (hits + new_hits / 2)
        hits += new_hits
        misses += new_misses
        if hits > 0:
            precision += new_hits / positives * hits / (hits + misses)
    return precision, area / (positives * negatives)
