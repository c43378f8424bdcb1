"""Settings of the models: the section `propensity` of conf/base.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic.dataclasses import dataclass as validated

from jobs.core.config import BASE_FILE, Config
from jobs.core.errors import UsageError
from jobs.core.validation import checked
from jobs.propensity.targets import Target

# The longest window of the features; a snapshot needs so much log before it.
WINDOW_DAYS = 30

_STRICT = pydantic.ConfigDict(extra="forbid")
Count = Annotated[int, pydantic.Field(ge=1)]
Share = Annotated[float, pydantic.Field(gt=0, lt=1)]
Amount = Annotated[float, pydantic.Field(gt=0)]


@validated(frozen=True, config=_STRICT)
class BoostingSettings:
    """Settings of the boosted trees (MLlib's GBTClassifier)."""

    max_trees: Count
    max_depth: Annotated[int, pydantic.Field(ge=1, le=10)]
    step_size: Annotated[float, pydantic.Field(gt=0, le=1)]
    min_instances_per_node: Count
    max_bins: Annotated[int, pydantic.Field(ge=2)]
    subsampling_rate: Annotated[float, pydantic.Field(gt=0, le=1)]
    features_per_node: Annotated[float, pydantic.Field(gt=0, le=1)]
    partitions: Count
    seed: int

    def min_instances_for(self, rows: int) -> int:
        """Rows a leaf needs at least: the setting, but never more than 1/50 of the training rows.

        Small data would otherwise get no split at all.
        """
        return max(1, min(self.min_instances_per_node, rows // 50))


@validated(frozen=True, config=_STRICT)
class DecisionSettings:
    """Whom to contact: as many as can be, and only those who are worth it.

    Parameters
    ----------
    capacity_share
        Share of the users that can be contacted.
    cost
        Of contacting one user, in shop currency.
    effect
        Share of those with the label 1 whose course a contact changes.
    value
        Margin that each of them brings, in shop currency.
    """

    capacity_share: Share
    cost: Annotated[float, pydantic.Field(ge=0)]
    effect: Annotated[float, pydantic.Field(gt=0, le=1)]
    value: Amount

    @property
    def worth_it(self) -> float:
        """Probability above which a contact brings more than it costs."""
        return self.cost / (self.effect * self.value)


@validated(frozen=True, config=_STRICT)
class TargetSettings:
    """How the targets of a kind are learned and acted upon."""

    boosting: BoostingSettings
    decision: DecisionSettings


@validated(frozen=True, config=_STRICT)
class GateSettings:
    """Limits of the gates; see `gates.check_gates`.

    Parameters
    ----------
    roc_auc
        The least area under the ROC curve.
    observed_to_expected
        How far the sum of the probabilities may be off, as a share.
    log_loss
        How much worse than the logistic regression and the serving model its log-loss may be, as a
        share of theirs.
    peeking
        How much better a feature may foretell the first day than the second; see leakage.py.
    """

    roc_auc: Annotated[float, pydantic.Field(ge=0.5, lt=1)]
    observed_to_expected: Annotated[float, pydantic.Field(gt=0, lt=1)]
    log_loss: Annotated[float, pydantic.Field(ge=0)]
    peeking: Annotated[float, pydantic.Field(gt=0, le=0.5)]


@validated(frozen=True, config=_STRICT)
class MonitoringSettings:
    """Limits of what `monitor` checks.

    Parameters
    ----------
    false_alarm_rate
        Share of the dates without drift that may have an alarm; all checks of a date share it.
    history_weeks
        Weeks that a day's counts are compared with.
    psi_floor
        Population stability index below which there is no alarm.
    observed_to_expected_floor
        Distance of observed over expected from 1 below which there is no alarm.
    quarantine_floor
        Rise of the share of rows turned away below which there is no alarm.
    recent_dates
        Dates scored before that a date is compared with, where not with the training dates.
    lateness_days
        Full days that late rows are given, once a label's last day is over.
    """

    false_alarm_rate: Share
    history_weeks: Annotated[int, pydantic.Field(ge=4)]
    psi_floor: Annotated[float, pydantic.Field(ge=0)]
    observed_to_expected_floor: Annotated[float, pydantic.Field(ge=0, lt=1)]
    quarantine_floor: Annotated[float, pydantic.Field(ge=0, lt=1)]
    recent_dates: Count
    lateness_days: Annotated[int, pydantic.Field(ge=0)]


@validated(frozen=True, config=_STRICT)
class PropensitySettings:
    """Population, snapshot dates, time split, and what is predicted."""

    population: Literal["active", "customers"]
    population_days: Count
    snapshot_stride_days: Count
    max_snapshots: Annotated[int, pydantic.Field(ge=3)]
    calibrate_share: Share
    test_share: Share
    max_train_rows: Annotated[int, pydantic.Field(ge=100)]
    max_rows_judged: Annotated[int, pydantic.Field(ge=100)]
    resamples: Annotated[int, pydantic.Field(ge=20)]
    gates: GateSettings
    monitoring: MonitoringSettings
    targets: Annotated[tuple[str, ...], pydantic.Field(min_length=1)]
    purchase: TargetSettings
    churn: TargetSettings

    @pydantic.field_validator("targets")
    @classmethod
    def _names(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        for name in targets:
            Target.parse(name)
        if len(set(targets)) < len(targets):
            raise ValueError("a target is named twice")
        return targets

    @pydantic.model_validator(mode="after")
    def _leave_some_to_train(self) -> PropensitySettings:
        if self.calibrate_share + self.test_share >= 1:
            raise ValueError("calibrate_share and test_share leave nothing to train on")
        return self

    @property
    def shortest_horizon_days(self) -> int:
        """Of all targets; the latest snapshot date is the latest that this one is known of."""
        return min(Target.parse(name).horizon_days for name in self.targets)

    def of(self, target: Target) -> TargetSettings:
        """How a target is learned and acted upon."""
        return self.purchase if target.kind == "purchase" else self.churn


def targets_of(settings: PropensitySettings, wanted: str | None = None) -> tuple[Target, ...]:
    """List the targets in the order of the settings, or only the one that is wanted.

    Raises
    ------
    UsageError
        The one that is wanted is not in the settings.
    """
    if wanted is None:
        return tuple(Target.parse(name) for name in settings.targets)
    if wanted not in settings.targets:
        known = ", ".join(settings.targets)
        raise UsageError(f"no target {wanted} in the settings (propensity.targets has {known})")
    return (Target.parse(wanted),)


def read_settings(section: dict[str, Any], source: Path = BASE_FILE) -> PropensitySettings:
    """Check the section `propensity` of the configuration.

    Parameters
    ----------
    section
        As read from YAML.
    source
        The settings file to name where a key is refused.

    Raises
    ------
    UsageError
        One line naming the file and the first key that is missing, unknown or out of range.
    """
    return checked(PropensitySettings, section, "propensity", source)


def settings_of(config: Config) -> PropensitySettings:
    """Settings of the models that a run asks for; see `read_settings` for the error."""
    return read_settings(config.propensity, config.source)
