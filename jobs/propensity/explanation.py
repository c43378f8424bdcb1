"""Which features the trees lean on, and why a user is ranked where one is.

A category is several 0/1 columns of the vector; they are told as one feature, its name. Shapley
values of columns add up, so those of a feature are the sum of its columns'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.propensity.bootstrap import Ranked
from jobs.propensity.scores import Metric
from jobs.propensity.shapley import explain
from jobs.propensity.trees import Trees, margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.propensity.features import Sample

    Floats = NDArray[np.float64]

REASONS = 3
# Enough for a mean that is steady in its second digit.
_ROWS, _REPEATS = 20_000, 3


def feature_groups(names: tuple[str, ...]) -> dict[str, list[int]]:
    """Columns of the vector by feature: country=DE and country=FR are country."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name.partition("=")[0], []).append(place)
    return groups


def importance(
    trees: Trees, names: tuple[str, ...], impurity: Floats, test: Sample, seed: int
) -> list[Metric]:
    """Judge every feature three ways.

    permutation_importance: the loss of average precision when the feature's values are dealt out
    anew among the rows. shap_importance: the mean distance that it moves a margin.
    impurity_importance: its share of what the splits gained on the training rows, MLlib's own
    figure, which favours features with many values.

    Parameters
    ----------
    impurity
        By column of the vector.
    test
        Rows later than those trained on; a sample of them is drawn.
    """
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.permutation(len(test))[:_ROWS])
    matrix, label = test.matrix[rows], test.label[rows]
    groups = feature_groups(names)
    everyone = np.ones(len(rows))
    whole = _average_precision(trees, matrix, label, everyone)
    values = explain(trees, matrix).values
    found = []
    for feature, columns in groups.items():
        losses = []
        for _ in range(_REPEATS):
            shuffled = matrix.copy()
            shuffled[:, columns] = matrix[draw.permutation(len(rows))][:, columns]
            losses.append(whole - _average_precision(trees, shuffled, label, everyone))
        moved = np.abs(values[:, columns].sum(axis=1)).mean()
        figures = {
            "permutation_importance": float(np.mean(losses)),
            "shap_importance": float(moved),
            "impurity_importance": float(impurity[columns].sum()),
        }
        found += [
            Metric("test", name, value, rows=len(rows), segment=f"feature={feature}")
            for name, value in figures.items()
        ]
    return found


def _average_precision(trees: Trees, matrix: Floats, label: Floats, weight: Floats) -> float:
    margin = margins(trees, matrix)
    return float(Ranked(label, margin, np.full(len(label), 0.5)).figures(weight)[0])


def top_reasons(
    trees: Trees, names: tuple[str, ...], matrix: Floats
) -> tuple[list[str], NDArray[np.int64], Floats]:
    """Find the features that move each row's margin furthest from the mean.

    Returns
    -------
    tuple
        The features; for each row the places of the three among them, the strongest first; and
        what each of the three adds to the margin. Of equal ones the earlier feature comes first.
    """
    groups = feature_groups(names)
    values = explain(trees, matrix).values
    by_feature = np.stack([values[:, columns].sum(axis=1) for columns in groups.values()], axis=1)
    places = np.argsort(-np.abs(by_feature), axis=1, kind="stable")[:, :REASONS]
    return list(groups), places, np.take_along_axis(by_feature, places, axis=1)
