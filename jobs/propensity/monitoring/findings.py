"""One figure, what it was held against, and how the false alarms of a date are shared out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

EVERY_TARGET = "all"
# Data, features, scores, outcomes: each gets an equal part of the false alarms.
_GROUPS = 4
_DATA_CHECKS = 5
# Of a target: those of a date, and those of a week.
_OUTCOME_CHECKS = 2


@dataclass(frozen=True)
class Finding:
    """One row of monitoring_daily without its date; see that table's contract."""

    check_name: str
    feature: str
    judged_as_of: date
    value: float
    rows: int
    reference: float | None = None
    low: float | None = None
    high: float | None = None
    target: str = EVERY_TARGET
    model_version: str | None = None

    @property
    def is_alarm(self) -> bool:
        """Whether the value lies outside its limits."""
        too_low = self.low is not None and self.value < self.low
        return too_low or (self.high is not None and self.value > self.high)

    def as_row(self, as_of: date) -> dict[str, Any]:
        """Give the row as it is stored."""
        return asdict(self) | {"as_of": as_of, "is_alarm": self.is_alarm}


@dataclass(frozen=True)
class Levels:
    """Chance of a false alarm that each single check is allowed.

    By Bonferroni: the levels of all checks of a date add up to the rate, so that without drift no
    more than this share of the dates has an alarm, however the checks depend on each other.

    Parameters
    ----------
    rate
        Share of the dates without drift that may have an alarm.
    targets
        Targets of the settings, monitored now or not: limits do not depend on the options.
    """

    rate: float
    targets: int

    @property
    def data(self) -> float:
        """Of a check of the data."""
        return self.rate / _GROUPS / _DATA_CHECKS

    def features(self, by_target: int, for_all: int = 0) -> float:
        """Of one feature, where so many are judged of each target, and so many once for all."""
        return self.rate / _GROUPS / max(1, self.targets * by_target + for_all)

    @property
    def scores(self) -> float:
        """Of the scores of a target."""
        return self.rate / _GROUPS / self.targets

    @property
    def outcomes(self) -> float:
        """Of a comparison of labels with probabilities."""
        return self.rate / _GROUPS / self.targets / _OUTCOME_CHECKS
