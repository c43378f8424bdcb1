"""Whether the checks raise as few false alarms as they state, and see what was planted.

A thousand days without drift are drawn, each with a reference and a past of its own, so that alarms
of different days are independent and their number is binomial. Then each drift is planted many
times, and every time must be caught within the days stated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from jobs.propensity.monitoring import drift, outcomes, process, volume
from jobs.propensity.monitoring.findings import Finding, Levels
from jobs.propensity.monitoring.process import AS_OF, NOTHING, Change
from jobs.propensity.monitoring.report import columns

if TYPE_CHECKING:
    import pandas as pd

    from jobs.propensity.settings import MonitoringSettings

SEED = 20_240_601
DAYS = 1_000
REPEATS = 20
HORIZON_DAYS = 7
WEEK = 7
_FEATURES = tuple(process.users(np.random.default_rng(0), 2).columns[:-2])


@dataclass(frozen=True)
class Outcome:
    """What was shown, and whether it is what was stated."""

    told: str
    passed: bool


@dataclass(frozen=True)
class Planted:
    """A drift, the checks that must see it, and within how many days."""

    name: str
    change: Change
    seen_by: frozenset[tuple[str, str]]
    days: int
    lasts: int = 10_000


def planted_drifts(lateness_days: int) -> list[Planted]:
    """List what is planted; outcomes show once labels of the days with drift are known."""
    buying = {("volume", "orders"), ("realised", outcomes.RATIO), ("realised_week", outcomes.RATIO)}
    country = frozenset({("feature_psi", "country")})
    return [
        Planted(
            "10 points of the users from one country to another", Change(moved=0.1), country, 1
        ),
        Planted(
            "purchase rate -30 %",
            Change(bought=0.7),
            frozenset(buying),
            HORIZON_DAYS + lateness_days + 1,
        ),
        Planted(
            "purchase rate -30 %, by outcomes alone",
            Change(bought=0.7),
            frozenset(buying - {("volume", "orders")}),
            HORIZON_DAYS + lateness_days + 7,
        ),
        Planted("country of 5 % of the users lost", Change(unknown=0.05), country, 1),
        Planted(
            "half of a day's events missing",
            Change(arrived=0.5),
            frozenset({("volume", "events")}),
            1,
            lasts=1,
        ),
    ]


class Watch:
    """The checks of `monitor` on drawn days of one target.

    Parameters
    ----------
    limits
        Settings of the checks.
    """

    def __init__(self, limits: MonitoringSettings) -> None:
        self.limits = limits
        self.levels = Levels(limits.false_alarm_rate, targets=1)
        self.bare = replace(
            limits, psi_floor=0.0, observed_to_expected_floor=0.0, quarantine_floor=0.0
        )

    def look(
        self, draw: np.random.Generator, change: Change = NOTHING, day: int = 0
    ) -> tuple[list[Finding], list[Finding]]:
        """Draw a date and check it.

        Parameters
        ----------
        day
            Days that the change has lasted, this one among them; 0 means none of them has it.

        Returns
        -------
        tuple of list of Finding
            With the floors of the settings, and without any.
        """
        limits = self.limits
        now = change if day else NOTHING
        days = process.arrivals(draw, limits.history_weeks, change, day)
        reference = process.users(draw, process.REFERENCE_USERS)
        current = process.users(draw, process.USERS, now)
        shifts = drift.measure(reference, current, _FEATURES)
        margin = drift.measure(reference, current, ("margin",))
        known = self._known(draw, current, change, day)
        return (
            self._judge(limits, days, shifts, margin, known),
            self._judge(self.bare, days, shifts, margin, known),
        )

    def _known(
        self, draw: np.random.Generator, current: pd.DataFrame, change: Change, day: int
    ) -> list[outcomes.Scored]:
        """Scores of the week whose labels are known, the last date last."""
        probability = current["probability"].to_numpy(np.float64)
        found = []
        for back in reversed(range(WEEK)):
            # Days of the label that the change has lasted in.
            past = day - self.limits.lateness_days - back
            share = min(max(past, 0), HORIZON_DAYS) / HORIZON_DAYS
            found.append(process.scored(draw, probability, 1 - share * (1 - change.bought)))
        return found

    def _judge(
        self,
        limits: MonitoringSettings,
        days: pd.DataFrame,
        shifts: dict[str, drift.Shift],
        margin: dict[str, drift.Shift],
        known: list[outcomes.Scored],
    ) -> list[Finding]:
        levels, m = self.levels, process.REFERENCE_USERS
        features, floor = levels.features(len(shifts)), limits.observed_to_expected_floor
        return [
            *volume.judge_day(days, AS_OF, levels.data, limits),
            *drift.judge(shifts, "feature_psi", AS_OF, m, features, limits.psi_floor),
            *drift.judge(margin, "score_psi", AS_OF, m, levels.scores, limits.psi_floor),
            *outcomes.judge_date(known[-1], AS_OF, levels.outcomes, floor),
            *outcomes.judge_week(known, AS_OF, levels.outcomes, floor),
        ]


def selftest(
    limits: MonitoringSettings, days: int = DAYS, repeats: int = REPEATS, seed: int = SEED
) -> Outcome:
    """Draw days without and with drift, check them, and compare with what is stated.

    Parameters
    ----------
    days
        Days without drift.
    repeats
        Times that each drift is planted.
    """
    watch = Watch(limits)
    rates, rates_hold = _false_alarms(watch, days, np.random.default_rng([seed, 0]))
    caught, caught_in_time = _planted(watch, repeats, seed)
    verdict = "holds" if rates_hold and caught_in_time else "FAILS"
    return Outcome(f"{rates}\n\n{caught}\n\nselftest {verdict}", rates_hold and caught_in_time)


def _false_alarms(watch: Watch, days: int, draw: np.random.Generator) -> tuple[str, bool]:
    """Count dates with an alarm; stated is what Bonferroni's levels add up to."""
    looked = [watch.look(draw) for _ in range(days)]
    stated = watch.limits.false_alarm_rate
    groups: dict[str, tuple[float, Callable[[Finding], bool]]] = {
        "any check": (stated, lambda f: True),
        "data": (stated / 4, lambda f: f.check_name in ("volume", "silence", "quarantine")),
        "features": (stated / 4, lambda f: f.check_name == "feature_psi"),
        "scores": (stated / 4, lambda f: f.check_name == "score_psi"),
        "outcomes": (stated / 4, lambda f: f.check_name.startswith("realised")),
    }
    lines: list[tuple[str, ...]] = [
        (f"alarms in {days:,} dates without drift", "stated", "without floors", "with floors")
    ]
    holds = True
    for name, (rate, belongs) in groups.items():
        cells = []
        for with_floor in (False, True):
            alarms = sum(
                any(f.is_alarm and belongs(f) for f in pair[0 if with_floor else 1])
                for pair in looked
            )
            interval = stats.binomtest(alarms, days).proportion_ci(0.95, "exact")
            holds = holds and interval.low <= rate
            cells.append(f"{alarms / days:.4f} ({interval.low:.4f} to {interval.high:.4f})")
        lines.append((name, f"{rate:.4f}", *cells))
    return columns(lines), holds


def _planted(watch: Watch, repeats: int, seed: int) -> tuple[str, bool]:
    lines: list[tuple[str, ...]] = [("drift", "stated days", "caught", "after days: median, most")]
    holds = True
    for place, planted in enumerate(planted_drifts(watch.limits.lateness_days), start=1):
        draw = np.random.default_rng([seed, place])
        after = [_caught(watch, planted, draw) for _ in range(repeats)]
        seen = sorted(days for days in after if days is not None)
        holds = holds and len(seen) == repeats
        told = f"{np.median(seen):.0f}, {max(seen)}" if seen else "never"
        lines.append((planted.name, str(planted.days), f"{len(seen)} of {repeats}", told))
    return columns(lines), holds


def _caught(watch: Watch, planted: Planted, draw: np.random.Generator) -> int | None:
    """Days until one of the checks that must see it raises an alarm; None: not in time."""
    for day in range(1, min(planted.days, planted.lasts) + 1):
        found, _ = watch.look(draw, planted.change, day)
        if any(f.is_alarm and (f.check_name, f.feature) in planted.seen_by for f in found):
            return day
    return None
