"""Whether the data of a day came as much and as clean as in the weeks before.

A count is compared on Anscombe's scale 2 sqrt(x + 3/8), on which a Poisson count has variance 1 at
any level, zero included; the log would not take zeros. A line and an effect of each weekday are
fitted to the weeks before by least squares, and the interval is the one that the spread of those
days around the fit gives a further day (Student's t): days differ by more than Poisson chance. It
is never narrower than Poisson chance. Eight same weekdays alone would leave 7 degrees of freedom,
whose limits at these levels are half as wide again. Days far off (an outage, a sale) are left out
of the fit, or they would widen the limits for weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from jobs.propensity.monitoring.findings import Finding

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from jobs.propensity.settings import MonitoringSettings

    Floats = NDArray[np.float64]

COUNTS = ("events", "orders", "users")
DAYS_OF_WEEK = 7
# Below three weeks a weekday's effect rests on two days, and nothing is said.
LEAST_DAYS = 3 * DAYS_OF_WEEK
# Robust standard deviations from the fit beyond which a day is left out; of normal days one in
# sixteen thousand.
_FAR = 4.0
_MAD_TO_SD = 1.4826
# Usual waits beyond which a silent day is left out; one in three million is that long by chance.
_FAR_SILENCE = 15.0


@dataclass(frozen=True)
class Forecast:
    """What a day should bring: its centre, and the standard error and degrees of freedom of it."""

    centre: float
    error: float
    freedom: int

    def reach(self, level: float) -> float:
        """How far from the centre a day lies with this chance, on one side."""
        return float(self.error * stats.t.isf(level, self.freedom))


def forecast(history: Floats, least_variance: float) -> Forecast:
    """Foretell the day after some days.

    Parameters
    ----------
    history
        Consecutive days, the oldest first, at least `LEAST_DAYS`; on a scale on which their
        variance is about the same.
    least_variance
        Variance that chance alone gives a day.
    """
    days = len(history)
    design = _design(np.arange(days + 1), days)
    known, next_day = design[:-1], design[-1]
    kept = np.ones(days, bool)
    residual = _robust_residuals(history)
    spread = max(_MAD_TO_SD * float(np.median(np.abs(residual))), np.sqrt(least_variance))
    near = np.abs(residual) <= _FAR * spread
    if np.linalg.matrix_rank(known[near]) == known.shape[1] and near.sum() > known.shape[1] + 1:
        kept = near
    chosen, values = known[kept], history[kept]
    coefficients = _coefficients(chosen, values)
    freedom = int(kept.sum()) - chosen.shape[1]
    variance = float(np.sum((values - chosen @ coefficients) ** 2)) / freedom
    leverage = float(next_day @ np.linalg.solve(chosen.T @ chosen, next_day))
    error = np.sqrt(max(variance, least_variance) * (1 + leverage))
    return Forecast(float(next_day @ coefficients), float(error), freedom)


def judge_day(
    arrivals: pd.DataFrame, as_of: date, level: float, settings: MonitoringSettings
) -> list[Finding]:
    """Compare the last day with those before.

    Parameters
    ----------
    arrivals
        Rows of arrivals_daily of consecutive dates, the oldest first.
    as_of
        Day after the last.
    level
        Chance of a false alarm of each check.

    Returns
    -------
    list of Finding
        A row per check; without limits where fewer than three weeks precede the day.
    """
    found = [_count(arrivals[name].to_numpy(np.float64), name, as_of, level) for name in COUNTS]
    silence = arrivals["silent_seconds"].to_numpy(np.float64)
    if np.isfinite(silence[-1]):
        found.append(_silence(silence, as_of, level))
    if arrivals["judged"].iloc[-1] > 0:
        found.append(_quarantine(arrivals, as_of, level, settings.quarantine_floor))
    return found


def _count(counts: Floats, name: str, as_of: date, level: float) -> Finding:
    history, value = counts[:-1], float(counts[-1])
    if len(history) < LEAST_DAYS:
        return Finding("volume", name, as_of, value, len(history))
    expected = forecast(2 * np.sqrt(history + 3 / 8), 1.0)
    reach = expected.reach(level / 2)
    centre, low, high = (
        max(0.0, max(0.0, z) ** 2 / 4 - 3 / 8)
        for z in (expected.centre, expected.centre - reach, expected.centre + reach)
    )
    return Finding("volume", name, as_of, value, len(history), centre, low, high)


def _silence(seconds: Floats, as_of: date, level: float) -> Finding:
    """How long nothing had come when the day ended.

    Waiting times of a Poisson process are exponential, and one over the mean of k others follows
    F(2, 2k). Days that were silent beyond what the median of all allows are left out of the mean.
    """
    value, past = float(seconds[-1]), seconds[:-1][np.isfinite(seconds[:-1])]
    if len(past) < LEAST_DAYS:
        return Finding("silence", "events", as_of, value, len(past))
    usual = float(np.median(past)) / np.log(2)
    near = past[past <= _FAR_SILENCE * usual]
    mean = float(near.mean())
    high = mean * float(stats.f.isf(level, 2, 2 * len(near)))
    return Finding("silence", "events", as_of, value, len(near), mean, None, high)


def _quarantine(arrivals: pd.DataFrame, as_of: date, level: float, floor: float) -> Finding:
    """Share of the day's rows turned away, on the arcsine scale, on which variance is even."""
    rejected = arrivals["rejected"].to_numpy(np.float64)
    judged = arrivals["judged"].to_numpy(np.float64)
    value = float(rejected[-1] / judged[-1])
    past = slice(None, -1)
    if len(judged) - 1 < LEAST_DAYS:
        return Finding("quarantine", "rejected_share", as_of, value, len(judged) - 1)
    angles = np.arcsin(np.sqrt((rejected[past] + 3 / 8) / (judged[past] + 3 / 4)))
    expected = forecast(angles, 1 / (4 * judged[-1]))
    centre = float(np.sin(max(0.0, expected.centre)) ** 2)
    top = min(np.pi / 2, max(0.0, expected.centre + expected.reach(level)))
    high = max(float(np.sin(top) ** 2), centre + floor)
    return Finding(
        "quarantine", "rejected_share", as_of, value, len(judged) - 1, centre, None, high
    )


def _robust_residuals(history: Floats) -> Floats:
    """Distance of each day from a line and weekdays that a few days far off do not move.

    The slope is the median over all pairs of one weekday (Theil and Sen), a weekday the median of
    its days. Least squares would not do: one day far off drags the others of its weekday along.
    """
    place = np.arange(len(history))
    apart = place[:, None] - place
    pairs = (apart > 0) & (apart % DAYS_OF_WEEK == 0)
    slope = float(np.median((history[:, None] - history)[pairs] / apart[pairs]))
    level = history - slope * place
    for weekday in range(DAYS_OF_WEEK):
        level[weekday::DAYS_OF_WEEK] -= np.median(level[weekday::DAYS_OF_WEEK])
    return level


def _design(place: NDArray[np.int64], days: int) -> Floats:
    """One column per weekday and one for the line, centred on the days known."""
    weekday = (place[:, None] % DAYS_OF_WEEK == np.arange(DAYS_OF_WEEK)).astype(np.float64)
    return np.column_stack([weekday, (place - (days - 1) / 2) / days])


def _coefficients(design: Floats, values: Floats) -> Floats:
    return np.linalg.lstsq(design, values, rcond=None)[0].astype(np.float64)
