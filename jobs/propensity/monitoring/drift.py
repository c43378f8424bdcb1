"""Whether the users of a date are like those the model learned from.

The population stability index, sum over bins of (p - q) ln(p / q), of a feature. Where both samples
come from one population it is (1/n + 1/m) times a chi-square with one degree of freedom less than
there are bins (Yurdakul and Naranjo,
Statistical properties of the population stability index, 2020), which gives a limit
with a known rate of false alarms instead of a rule of thumb. A second limit, the floor, is the
least drift worth an alarm: of a hundred thousand users any difference is sure.

m counts the users of the reference, not its rows: the same user on ten dates is hardly ten users.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from jobs.propensity.monitoring.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MISSING = 9999
BINS = 10
# A single value that so large a share of the reference has is a bin of its own.
_HEAVY = 0.05
# Added to every count: a bin that one sample lacks would make the index infinite.
_HALF = 0.5
# Of the calendar: the same for all users of a date, or for all who were there when the log began.
CALENDAR = ("as_of_weekday", "observed_days")
# What reaches back no further than the 30 days before a date, by the ends of names and by name.
_WINDOWED = re.compile(r".*_([1-9]|[12]\d|30)d|.*_last_day|has_open_cart|country|channel")


@dataclass(frozen=True)
class Shift:
    """How far a sample lies from the reference, in how many bins, and of how many rows it is."""

    psi: float
    bins: int
    rows: int

    def spread(self, reference_users: int) -> float:
        """Give the factor between the index without drift and a chi-square."""
        return 1 / self.rows + 1 / reference_users


def ages(feature: str) -> bool:
    """Whether a feature reaches back far enough to change as the log itself gets older.

    A log that began two months ago knows no order of half a year ago; a shift from the training
    dates then says nothing of the shop, so such a feature is held against the latest dates only.
    """
    return _WINDOWED.fullmatch(feature) is None


def psi(reference: Floats, current: Floats) -> float:
    """Population stability index of two lists of counts by bin; 0 where their shares are equal."""
    q = (reference + _HALF) / (reference + _HALF).sum()
    p = (current + _HALF) / (current + _HALF).sum()
    return float(np.sum((p - q) * np.log(p / q)))


def shift(reference: pd.Series, current: pd.Series) -> Shift:
    """Measure the drift of one feature.

    Parameters
    ----------
    reference, current
        Values of the feature, none of them missing. Names are compared by value, also ones that
        the reference lacks; numbers in tenths of the reference, the sentinel 9999 and other heavy
        values each in a bin of their own.
    """
    if pd.api.types.is_numeric_dtype(reference):
        edges = _edges(reference.to_numpy(np.float64))
        old, new = (_counts(series.to_numpy(np.float64), edges) for series in (reference, current))
    else:
        names = pd.unique(pd.concat([reference, current]))
        old, new = (
            np.array(series.value_counts().reindex(names, fill_value=0), np.float64)
            for series in (reference, current)
        )
    there = (old + new) > 0
    return Shift(psi(old[there], new[there]), int(there.sum()), len(current))


def measure(
    reference: pd.DataFrame, current: pd.DataFrame, features: Iterable[str]
) -> dict[str, Shift]:
    """Measure the drift of each feature."""
    return {name: shift(reference[name], current[name]) for name in features}


def judge(
    shifts: dict[str, Shift],
    check_name: str,
    as_of: date,
    reference_users: int,
    level: float | None,
    floor: float,
) -> list[Finding]:
    """Hold each shift to the limit that chance sets, and to the floor.

    Parameters
    ----------
    reference_users
        Distinct users of the reference.
    level
        Chance of a false alarm of each feature; None: it is only shown, without a limit.
    floor
        Index below which there is no alarm.

    Returns
    -------
    list of Finding
        A row per feature.
    """
    found = []
    for name, moved in shifts.items():
        freedom, high = moved.bins - 1, None
        spread = moved.spread(reference_users)
        if level is not None:
            limit = float(spread * stats.chi2.isf(level, freedom)) if freedom else 0.0
            high = max(limit, floor)
        found.append(
            Finding(check_name, name, as_of, moved.psi, moved.rows, spread * freedom, None, high)
        )
    return found


def _edges(reference: Floats) -> Floats:
    """Upper ends of the bins, all but the last; a heavy value is closed in between two ends."""
    known = reference[reference != MISSING]
    if not len(known):
        return np.empty(0)
    cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    cuts = np.unique(cuts)
    ordered = np.sort(known)
    share = (
        np.searchsorted(ordered, cuts, side="right") - np.searchsorted(ordered, cuts, side="left")
    ) / len(ordered)
    before = np.nextafter(cuts[share >= _HEAVY], -np.inf)
    return np.unique(np.concatenate([cuts, before]))


def _counts(values: Floats, edges: Floats) -> Floats:
    """Rows by bin; the last bin is that of the sentinel."""
    place = np.searchsorted(edges, values, side="left")
    place[values == MISSING] = len(edges) + 1
    return np.bincount(place, minlength=len(edges) + 2).astype(np.float64)
