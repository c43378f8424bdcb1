"""Monitoring of a scored date from table to table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.core.errors import ContractError
from jobs.propensity import inputs
from jobs.propensity.monitoring import drift, fetch, outcomes, volume
from jobs.propensity.monitoring.findings import EVERY_TARGET, Finding, Levels
from jobs.propensity.registry import Registry, single_figures, table_rows
from jobs.propensity.settings import settings_of, targets_of

if TYPE_CHECKING:
    import pandas as pd

    from jobs.core.entry import Run
    from jobs.propensity.inputs import Log
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.targets import Target

TABLE = "monitoring_daily"
WEEK = 7


@dataclass(frozen=True)
class Monitored:
    """What was found on a date."""

    as_of: date
    findings: list[Finding]


def monitor(run: Run, day: date | None = None, wanted: str | None = None) -> Monitored:
    """Check a scored date and store what was found.

    Parameters
    ----------
    day
        Last day the scores knew; as_of is the day after. None means the last date scored.
    wanted
        One target of the settings; None means all. The data are checked either way.

    Raises
    ------
    UsageError
        The settings know no such target.
    ContractError
        The date has no scores of a target, or nothing was scored yet.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    targets = targets_of(settings, wanted)
    dates = {target: fetch.scored_dates(run, target) for target in targets}
    as_of = _date(dates, day)
    watch = _Watch(run, log, settings, as_of)
    found = watch.data() + watch.recent({day for known in dates.values() for day in known})
    for target in targets:
        found += watch.model(target, dates[target])
    names = ", ".join(f"'{name}'" for name in (EVERY_TARGET, *(t.name for t in targets)))
    where = f"as_of = DATE'{as_of}' AND target IN ({names})"
    rows = table_rows(run.spark, TABLE, [finding.as_row(as_of) for finding in found])
    with run.progress.step("monitor: store") as step:
        step.rows = run.warehouse.replace_where(TABLE, rows, where)
    return Monitored(as_of, found)


def _date(dates: dict[Target, dict[date, str]], day: date | None) -> date:
    """Find the date to monitor, which every target must have scores of."""
    last = max((scored for of_target in dates.values() for scored in of_target), default=None)
    as_of = last if day is None else day + timedelta(days=1)
    for target, of_target in dates.items():
        if as_of is None or as_of not in of_target:
            known = "any date" if as_of is None else str(as_of)
            option = "" if as_of is None else f" --date {as_of - timedelta(days=1)}"
            raise ContractError(f"no scores of {target.name} for {known}: run score{option} first")
    assert as_of is not None
    return as_of


class _Watch:
    """The checks of one date."""

    def __init__(self, run: Run, log: Log, settings: PropensitySettings, as_of: date) -> None:
        self.run, self.log, self.settings, self.as_of = run, log, settings, as_of
        self.limits = settings.monitoring
        self.levels = Levels(self.limits.false_alarm_rate, len(settings.targets))
        self.registry = Registry(run.warehouse, run.spark)
        names = fetch.watched_features()
        self.ageing = tuple(name for name in names if drift.ages(name))
        self.windowed = tuple(name for name in names if not drift.ages(name))
        self.feature_level = self.levels.features(len(self.windowed), len(self.ageing))
        self.current = fetch.snapshots(run, (as_of,), settings.max_rows_judged)

    def data(self) -> list[Finding]:
        with self.run.progress.step("monitor: data") as step:
            days = fetch.arrivals(self.run, self.log, self.as_of, self.limits.history_weeks)
            step.rows = len(days)
            return volume.judge_day(days, self.as_of, self.levels.data, self.limits)

    def model(self, target: Target, dates: dict[date, str]) -> list[Finding]:
        version = dates[self.as_of]
        registration = self.registry.latest(version)
        if registration is None:
            raise ContractError(
                f"scores of {self.as_of} name {version}, which nobody registered: run score again"
            )
        with self.run.progress.step(f"monitor {target.name}: features") as step:
            found = self._features(registration)
            step.rows = len(found)
        with self.run.progress.step(f"monitor {target.name}: scores") as step:
            found += self._scores(target, dates)
            step.note = version
        found = [replace(finding, model_version=version) for finding in found]
        with self.run.progress.step(f"monitor {target.name}: outcomes") as step:
            realised = self._realised(target, dates)
            step.rows = len(realised)
        return [replace(finding, target=target.name) for finding in found + realised]

    def recent(self, dates: set[date]) -> list[Finding]:
        """Hold features that age with the log against the dates scored before, if there are enough.

        Models do not come into it, so it is done once for all targets.
        """
        compared = tuple(sorted(day for day in dates if day < self.as_of))
        compared = compared[-self.limits.recent_dates :]
        if len(compared) < self.limits.recent_dates:
            return []
        with self.run.progress.step("monitor: features, recent dates") as step:
            reference = fetch.snapshots(self.run, compared, self.settings.max_rows_judged)
            step.rows = len(reference)
            return self._drift("recent_psi", reference, self.ageing, self.feature_level)

    def _features(self, registration: dict[str, Any]) -> list[Finding]:
        dates = fetch.training_dates(registration)
        reference = fetch.snapshots(self.run, dates, self.settings.max_rows_judged)
        if reference.empty:
            return []
        return [
            *self._drift("feature_psi", reference, self.windowed, self.feature_level),
            *self._drift("feature_psi", reference, self.ageing, None),
        ]

    def _drift(
        self, check: str, reference: pd.DataFrame, names: tuple[str, ...], level: float | None
    ) -> list[Finding]:
        shifts = drift.measure(reference, self.current, names)
        users = reference["user_id"].nunique()
        return drift.judge(shifts, check, self.as_of, users, level, self.limits.psi_floor)

    def _scores(self, target: Target, dates: dict[date, str]) -> list[Finding]:
        """Margins against the dates before, and what the probabilities foretell."""
        version = dates[self.as_of]
        before = [day for day in dates if day < self.as_of and dates[day] == version]
        compared = tuple(before[-self.limits.recent_dates :])
        most = self.settings.max_rows_judged
        current = fetch.scores(self.run, target, (self.as_of,), most)
        stored = self.run.warehouse.read("model_metrics")
        test = single_figures(stored, version, "test")
        found = outcomes.foretell(fetch.as_scored(current), self.as_of, test)
        if len(compared) < self.limits.recent_dates:
            return found
        return self._margins(fetch.scores(self.run, target, compared, most), current) + found

    def _margins(self, reference: pd.DataFrame, current: pd.DataFrame) -> list[Finding]:
        return drift.judge(
            drift.measure(reference, current, ("margin",)),
            "score_psi",
            self.as_of,
            reference["user_id"].nunique(),
            self.levels.scores,
            self.limits.psi_floor,
        )

    def _realised(self, target: Target, dates: dict[date, str]) -> list[Finding]:
        """The date whose labels have just become known, and the week that ends with it."""
        wait = target.horizon_days + self.limits.lateness_days
        last = self.as_of - timedelta(days=wait)
        week = tuple(day for day in dates if last - timedelta(days=WEEK) < day <= last)
        if not week:
            return []
        level, floor = self.levels.outcomes, self.limits.observed_to_expected_floor
        known = fetch.scored_and_labelled(self.run, self.log, target, week)
        found = []
        if last in known:
            found += outcomes.judge_date(known[last], last, level, floor)
        found += outcomes.judge_week(list(known.values()), max(known), level, floor)
        return [replace(f, model_version=dates[f.judged_as_of]) for f in found]
