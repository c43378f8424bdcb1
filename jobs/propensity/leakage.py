"""An alarm for features that see past T, by what they tell of single days.

What an honest feature says of a user wears off over weeks: it tells who comes on the first day
after T hardly better than who comes on the second. A feature that sees a day too much knows the
first day and not the second. The label of a target, which covers many days, hides that: a column
that peeks one day ahead tells of it little more than an honest one does. One day too much in an
average over a long time escapes; tests that put garbage into the future find it. Where users act at
once or never, an honest feature of yesterday may be suspected: the limit is a setting
(propensity.gates.peeking), and 0.5 allows everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

# Beyond the limit, so many standard errors are left to chance.
STANDARD_ERRORS = 4.0


@dataclass(frozen=True)
class Suspect:
    """A feature that foretells the first day much better than the second.

    Parameters
    ----------
    first_day, second_day
        ROC-AUC of the feature alone.
    """

    feature: str
    first_day: float
    second_day: float


def peeking_features(
    matrix: Floats, names: tuple[str, ...], in_one_day: Bools, in_two_days: Bools, limit: float
) -> list[Suspect]:
    """Find the features that see the first day after T.

    Parameters
    ----------
    matrix
        One row per snapshot, one column per name.
    in_one_day, in_two_days
        Whether the user did on the first, or on the first two days from T on, what the target is
        about. The second day is judged among those who did not on the first. Where all or none
        did on either, nothing can be told, and none is found.
    limit
        How much farther from 1/2 the ROC-AUC of a feature alone may lie on the first day than on
        the second.
    """
    rest = ~in_one_day
    if not all(0 < days.sum() < len(days) for days in (in_one_day, in_two_days[rest])):
        return []
    largest = limit + STANDARD_ERRORS * np.hypot(
        _standard_error(in_one_day), _standard_error(in_two_days[rest])
    )
    found = []
    for name, column in zip(names, matrix.T, strict=True):
        first = _roc_auc(column, in_one_day)
        second = _roc_auc(column[rest], in_two_days[rest])
        if abs(first - 0.5) - abs(second - 0.5) > largest:
            found.append(Suspect(name, first, second))
    return found


def _roc_auc(score: Floats, label: Bools) -> float:
    positives = int(label.sum())
    pairs = positives * (len(label) - positives)
    return float((rankdata(score)[label].sum() - positives * (positives + 1) / 2) / pairs)


def _standard_error(label: Bools) -> float:
    """Of the ROC-AUC of a score that knows nothing (Mann and Whitney)."""
    positives = int(label.sum())
    return float(np.sqrt((len(label) + 1) / (12 * positives * (len(label) - positives))))
