"""What the trees are held against: rules anyone could write, and other models on the same rows.

Each peer is fitted on the training slice and its score calibrated on the calibration slice, as the
trees' is, so all are judged alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.propensity.features import Sample
    from jobs.propensity.targets import Target

    Floats = NDArray[np.float64]

# From a matrix of the vector to a score that rises with the chance of the label.
Scorer = Callable[["Floats"], "Floats"]
_FOREST = {"n_estimators": 100, "max_depth": 10, "min_samples_leaf": 50, "max_features": 0.33}
_XGBOOST = {"max_depth": 3, "learning_rate": 0.05, "n_estimators": 400, "tree_method": "hist"}


def fit_peers(
    train: Sample,
    names: tuple[str, ...],
    target: Target,
    seed: int,
    only_simple: bool = False,
) -> dict[str, Scorer]:
    """Fit every peer; by name, in the order in which they are shown.

    Parameters
    ----------
    train
        Rows to learn from.
    names
        Of the numbers of the vector.
    seed
        Of those that draw.
    only_simple
        Leave out the forest and XGBoost, which take as long as the trees.

    Returns
    -------
    dict
        recency and frequency, bgnbd where the vector has it, logistic, random_forest, xgboost.
    """
    column = {name: place for place, name in enumerate(names)}
    found: dict[str, Scorer] = _rules(column, target)
    found["logistic"] = logistic(train.matrix, train.label)
    if not only_simple:
        found["random_forest"] = _forest(train, seed)
        found["xgboost"] = _xgboost(train, seed)
    return found


def _rules(column: dict[str, int], target: Target) -> dict[str, Scorer]:
    """Score by when and how often the user last did what the target is about."""
    if target.kind == "churn":
        recency, frequency, rhythm, sign = "days_since_last_view", "active_days_30d", "", -1.0
    else:
        recency, frequency, rhythm, sign = (
            "days_since_last_order",
            "orders_lifetime",
            "bgnbd_buys",
            1.0,
        )
    rules: dict[str, Scorer] = {
        "recency": lambda matrix: -sign * np.minimum(matrix[:, column[recency]], 366.0),
        "frequency": lambda matrix: sign * matrix[:, column[frequency]],
    }
    if rhythm in column:
        rules["bgnbd"] = lambda matrix: matrix[:, column[rhythm]]
    return rules


def logistic(matrix: Floats, label: Floats, strength: float = 1.0) -> Scorer:
    """Fit a logistic regression on the logarithms of the numbers; its score is a logit.

    Parameters
    ----------
    strength
        The inverse of how strongly coefficients are held near 0, as scikit-learn's C.
    """
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    # Counts and ages are skewed and never negative; their logarithms are nearer to linear.
    model = make_pipeline(
        FunctionTransformer(np.log1p),
        # Of a column that is the same for all, rounding may make the variance negative.
        VarianceThreshold(),
        StandardScaler(),
        LogisticRegression(C=strength, max_iter=2_000),
    ).fit(matrix, label)
    return model.decision_function


def _forest(train: Sample, seed: int) -> Scorer:
    from sklearn.ensemble import RandomForestRegressor

    # The regressor on 0 and 1: forests of votes collapse where the label is rare.
    smallest = max(1, min(_FOREST["min_samples_leaf"], len(train) // 200))
    options = _FOREST | {"min_samples_leaf": smallest}
    model = RandomForestRegressor(**options, n_jobs=-1, random_state=seed)
    model.fit(train.matrix.astype(np.float32), train.label)
    # Several threads would add the trees up in the order in which they end.
    model.n_jobs = 1
    return lambda matrix: _logit(model.predict(matrix.astype(np.float32)))


def _xgboost(train: Sample, seed: int) -> Scorer:
    import xgboost

    model = xgboost.XGBClassifier(**_XGBOOST, random_state=seed)
    model.fit(train.matrix, train.label)
    return lambda matrix: model.predict(matrix, output_margin=True).astype(np.float64)


def _logit(share: Floats) -> Floats:
    clipped = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))
