"""Which dates get a snapshot, and which of them train, calibrate and test.

All splits are by time. Users are never split at random: the same user a week later is nearly the
same row, so a random split would let the model look up its answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.core.errors import ContractError
from jobs.propensity.settings import HORIZON_DAYS, WINDOW_DAYS, PropensitySettings

SLICES = ("train", "calibrate", "test")


@dataclass(frozen=True)
class TimeSplit:
    """Snapshot dates of the three slices, each in ascending order.

    Raises
    ------
    ValueError
        A slice is empty, or a label of one slice ends after the next slice begins. The label of
        as_of covers as_of up to, not including, as_of + horizon; a gap of the horizon between the
        slices (the embargo) therefore keeps every label of one out of the features of the next.
    """

    train: tuple[date, ...]
    calibrate: tuple[date, ...]
    test: tuple[date, ...]

    def __post_init__(self) -> None:
        """Refuse slices that touch."""
        if not (self.train and self.calibrate and self.test):
            raise ValueError("a slice of the time split has no date")
        for earlier, later in ((self.train, self.calibrate), (self.calibrate, self.test)):
            label_end = max(earlier) + timedelta(days=HORIZON_DAYS)
            if label_end > min(later):
                raise ValueError(f"a label ends on {label_end}, after {min(later)} was reached")

    @property
    def dates(self) -> tuple[date, ...]:
        """All dates, ascending."""
        return self.train + self.calibrate + self.test


def plan_split(first_date: date, last_date: date, settings: PropensitySettings) -> TimeSplit:
    """Choose the snapshot dates of a log and split them by time.

    The grid is anchored at its end: the last date is the latest whose label is complete, the
    others follow backwards at the stride for as long as a whole feature window lies in the log.

    Parameters
    ----------
    first_date, last_date
        First and last complete day of the log, both inclusive.

    Raises
    ------
    ContractError
        The log is too short for one date per slice.
    """
    dates = _grid(first_date, last_date, settings)
    calibrate_count = max(1, math.floor(len(dates) * settings.calibrate_share))
    test_count = max(1, math.floor(len(dates) * settings.test_share))
    train_count = len(dates) - calibrate_count - test_count
    if train_count < 1:
        stride = settings.snapshot_stride_days
        needed = _history_days(settings) + HORIZON_DAYS + 2 * stride
        raise ContractError(
            f"too few snapshot dates for the time split: the log covers {first_date} to "
            f"{last_date}, which leaves {len(dates)} of the 3 dates needed; give it at least "
            f"{needed} days"
        )
    return TimeSplit(
        train=dates[:train_count],
        calibrate=dates[train_count : train_count + calibrate_count],
        test=dates[train_count + calibrate_count :],
    )


def _grid(first_date: date, last_date: date, settings: PropensitySettings) -> tuple[date, ...]:
    last = last_date - timedelta(days=HORIZON_DAYS - 1)
    earliest = first_date + timedelta(days=_history_days(settings))
    stride = settings.snapshot_stride_days
    count = min(settings.max_snapshots, (last - earliest).days // stride + 1)
    return tuple(last - timedelta(days=stride * back) for back in reversed(range(max(0, count))))


def _history_days(settings: PropensitySettings) -> int:
    return max(WINDOW_DAYS, settings.population_days)
