"""Which dates get a snapshot, and which of them train, calibrate and test.

All splits are by time. Users are never split at random: the same user a week later is nearly the
same row, so a random split would let the model look up its answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.core.errors import ContractError
from jobs.propensity.settings import WINDOW_DAYS, PropensitySettings

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
    horizon_days: int

    def __post_init__(self) -> None:
        """Refuse slices that touch."""
        if not (self.train and self.calibrate and self.test):
            raise ValueError("a slice of the time split has no date")
        for earlier, later in ((self.train, self.calibrate), (self.calibrate, self.test)):
            label_end = max(earlier) + timedelta(days=self.horizon_days)
            if label_end > min(later):
                raise ValueError(f"a label ends on {label_end}, after {min(later)} was reached")

    @property
    def dates(self) -> tuple[date, ...]:
        """All dates, ascending."""
        return self.train + self.calibrate + self.test


def snapshot_dates(
    first_date: date, last_date: date, settings: PropensitySettings
) -> tuple[date, ...]:
    """List the snapshot dates of a log, the same for every target.

    The grid is anchored at its end: the last date is the latest of which the shortest horizon is
    over, the others follow backwards at the stride for as long as a whole feature window lies in
    the log.

    Parameters
    ----------
    first_date, last_date
        First and last complete day of the log, both inclusive.
    """
    last = last_date - timedelta(days=settings.shortest_horizon_days - 1)
    earliest = first_date + timedelta(days=history_days(settings))
    stride = settings.snapshot_stride_days
    count = min(settings.max_snapshots, (last - earliest).days // stride + 1)
    return tuple(last - timedelta(days=stride * back) for back in reversed(range(max(0, count))))


def plan_split(
    first_date: date, last_date: date, settings: PropensitySettings, horizon_days: int
) -> TimeSplit:
    """Split the snapshot dates whose labels are complete by time.

    Where the stride is shorter than the horizon, the dates between two slices that the embargo
    takes are in none; the shares of the settings are of those that remain.

    Raises
    ------
    ContractError
        The log is too short for one date per slice.
    """
    known_until = last_date - timedelta(days=horizon_days - 1)
    grid = snapshot_dates(first_date, last_date, settings)
    dates = tuple(day for day in grid if day <= known_until)
    stride = settings.snapshot_stride_days
    embargo = math.ceil(horizon_days / stride) - 1
    usable = len(dates) - 2 * embargo
    calibrate = max(1, math.floor(usable * settings.calibrate_share))
    test = max(1, math.floor(usable * settings.test_share))
    train = usable - calibrate - test
    if train < 1:
        # Dates of the one grid whose label is over for the shortest horizon, but not for this one.
        unknown = math.ceil((horizon_days - settings.shortest_horizon_days) / stride)
        least = 3 + 2 * embargo
        days = history_days(settings) + settings.shortest_horizon_days
        days += (least + unknown - 1) * stride
        advice = (
            f"give it at least {days} days"
            if settings.max_snapshots >= least + unknown
            else f"set propensity.max_snapshots to at least {least + unknown}"
        )
        raise ContractError(
            f"too few snapshot dates for the time split of horizon {horizon_days} days: the log "
            f"covers {first_date} to {last_date}, which leaves {len(dates)} of the "
            f"{least} dates needed; {advice}"
        )
    first_test = len(dates) - test
    first_calibrate = first_test - embargo - calibrate
    return TimeSplit(
        train=dates[:train],
        calibrate=dates[first_calibrate : first_test - embargo],
        test=dates[first_test:],
        horizon_days=horizon_days,
    )


def history_days(settings: PropensitySettings) -> int:
    """Days of log that a snapshot needs before it."""
    return max(WINDOW_DAYS, settings.population_days)
