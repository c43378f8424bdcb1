"""Scores of a slice, and the figures that say how good they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OURS = "gbt"
EVERYONE = "all"


@dataclass(frozen=True)
class Scores:
    """Labels and scores of one slice, one entry per row.

    Parameters
    ----------
    label
        0 or 1.
    margin
        What the model ranks by; of the trees their raw score F.
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
    """One row of model_metrics without its version; see that table's contract."""

    split: str
    metric: str
    value: float
    point: int = 0
    x: float | None = None
    rows: int | None = None
    low: float | None = None
    high: float | None = None
    model: str = OURS
    segment: str = EVERYONE
