"""Training from table to table: snapshots for all targets, then a model per target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.propensity import inputs
from jobs.propensity.settings import settings_of, targets_of
from jobs.propensity.snapshots import plan_split, snapshot_dates
from jobs.propensity.target_training import TargetTraining
from jobs.propensity.training import require_checkpoints

if TYPE_CHECKING:
    from datetime import date

    from jobs.core.entry import Run
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.target_training import Ceiling
    from jobs.propensity.trained import Trained


def train(
    run: Run,
    wanted: str | None = None,
    ceiling: Ceiling | None = None,
    may_serve: bool = True,
) -> list[Trained]:
    """Fit, judge and register a model per target; where the same one exists already, do nothing.

    Parameters
    ----------
    wanted
        One target of the settings; None means all.
    ceiling
        Gives the probabilities of those who know the process of a synthetic shop.
    may_serve
        Whether a new model that passes its gates serves at once.

    Raises
    ------
    ContractError
        The log is too short for the time split, or a slice lacks a class.
    UsageError
        The settings know no such target, or ask for more trees than this cluster can fit.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    targets = targets_of(settings, wanted)
    require_length(log.first_date, log.last_date, settings, wanted)
    for target in targets:
        require_checkpoints(run.spark, settings.of(target).boosting)
    with run.progress.step("train: snapshots") as step:
        step.note = log.note
        dates = snapshot_dates(log.first_date, log.last_date, settings)
        step.rows = inputs.write_snapshots(run, log, dates, settings.snapshot_stride_days)
    return [
        TargetTraining(run, log, settings, target, may_serve).train(ceiling) for target in targets
    ]


def require_length(
    first_date: date, last_date: date, settings: PropensitySettings, wanted: str | None = None
) -> None:
    """Refuse a log too short for the time split of any target, or of the one that is wanted.

    Raises
    ------
    ContractError
        It says how many days are needed.
    """
    for target in targets_of(settings, wanted):
        plan_split(first_date, last_date, settings, target.horizon_days)
