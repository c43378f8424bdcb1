"""From a score to a probability: a logistic regression on the score alone (Platt).

MLlib's trees put out a margin F whose sigmoid(2F) is not calibrated by design. Isotonic regression
was not taken: its steps tie users whom the margin tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from jobs.core.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """p = sigmoid(slope x score + intercept)."""

    slope: float
    intercept: float

    def probability(self, score: Floats) -> Floats:
        """Probability of each score."""
        return expit(self.slope * score + self.intercept)


def fit_calibration(score: Floats, label: Floats) -> Calibration:
    """Fit slope and intercept by maximum likelihood; both classes must be there."""
    if score.min() == score.max():
        # Rounding leaves such scores a deviation above 0, which would make any slope of them.
        return Calibration(0.0, float(logit(label.mean())))
    # Scores of any scale are brought to one, on which the search ends at the same precision.
    centre, scale = float(score.mean()), float(score.std())
    column = ((score - centre) / scale)[:, None]
    found = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(column, label)
    slope = float(found.coef_[0, 0]) / scale
    return Calibration(slope, float(found.intercept_[0]) - slope * centre)


def require_signal(calibration: Calibration, who: str, advice: str) -> None:
    """Refuse a model whose ranking is no better than chance on later rows.

    Parameters
    ----------
    who, advice
        Who ranks whom, and what to do, for the message.

    Raises
    ------
    ContractError
        The slope is not positive: higher margins do not have the label 1 more often.
    """
    if not calibration.slope > 0:
        raise ContractError(
            f"{who} no better than chance (slope {calibration.slope:.3f}): {advice}"
        )
