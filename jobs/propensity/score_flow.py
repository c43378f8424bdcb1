"""Scoring of a day from table to table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError
from jobs.propensity import features, inputs, registry, scoring, training
from jobs.propensity.registry import Registry
from jobs.propensity.settings import settings_of, targets_of
from jobs.propensity.tree_export import load_trees

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run


@dataclass(frozen=True)
class Scored:
    """What was scored: target, date, users, users selected, and the model used."""

    target: str
    as_of: date
    users: int
    selected: int
    model_version: str


def score(run: Run, day: date | None = None, wanted: str | None = None) -> list[Scored]:
    """Score the users eligible on the morning after a day, with the models that serve.

    Parameters
    ----------
    day
        Last day the features may know; the scores are those of as_of = day + 1. None means the
        last day built.
    wanted
        One target of the settings; None means all that a model serves.

    Raises
    ------
    UsageError
        The day lies outside what is built, or the settings know no such target.
    ContractError
        No model serves any of the targets, or no user was active.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    last_day = day or log.last_date
    if not log.first_date <= last_day <= log.last_date:
        covered = f"the tables cover {log.first_date} to {log.last_date}"
        raise UsageError(f"no log for {last_day}: {covered}{', run build' * log.is_behind}")
    serving = _serving(run, [target.name for target in targets_of(settings, wanted)])
    as_of = last_day + timedelta(days=1)
    with run.progress.step("score: snapshots") as step:
        step.note = log.note
        step.rows = inputs.write_snapshots(run, log, (as_of,), stride_days=1)
    if not step.rows:
        raise ContractError(
            f"no data for {last_day}: no user was active in the {settings.population_days} days "
            "up to it"
        )
    snapshots = inputs.read_snapshots(run, (as_of,))
    return [_score(run, row, snapshots, as_of) for row in serving]


def _serving(run: Run, targets: list[str]) -> list[dict[str, Any]]:
    """Find the models that serve; a target without one does not keep the others from their scores.

    Raises
    ------
    ContractError
        None of the targets has one.
    """
    models = Registry(run.warehouse, run.spark)
    found = {target: models.champion(target) for target in targets}
    if not any(found.values()):
        models.serving(targets[0])
    for target, row in found.items():
        if row is None:
            with run.progress.step(f"score {target}") as step:
                step.note = "left out: no model serves it; registry list says why"
    return [row for row in found.values() if row is not None]


def _score(run: Run, serving: dict[str, Any], snapshots: DataFrame, as_of: date) -> Scored:
    target, version = serving["target"], serving["model_version"]
    with run.progress.step(f"score {target}") as step:
        step.note = version
        rows = scoring.ranked(
            margins_and_reasons(run, serving, snapshots),
            target,
            version,
            registry.calibration_of(serving),
            serving["threshold"],
            datetime.now(UTC),
        )
        where = f"as_of = DATE'{as_of}' AND target = '{target}'"
        step.rows = run.warehouse.replace_where("propensity_scores_daily", rows, where)
    stored = run.warehouse.read("propensity_scores_daily").where(where)
    selected = stored.where(F.col("is_selected")).count()
    return Scored(target, as_of, step.rows, selected, version)


def margins_and_reasons(run: Run, serving: dict[str, Any], snapshots: DataFrame) -> DataFrame:
    """Score rows of user_snapshots with a registered model; keeps key, margin and reasons.

    Raises
    ------
    ContractError
        The model reads features that are no longer made.
    """
    if lost := features.lost_columns(serving["features"]):
        raise ContractError(
            f"{serving['model_version']} reads features that user_snapshots no longer has "
            f"({', '.join(lost)}): run train again"
        )
    root = run.warehouse.root
    pipeline = registry.load_model(root, serving)
    scored = training.with_margin(pipeline.transform(snapshots))
    names = features.vector_names(pipeline)
    return scoring.with_reasons(scored, load_trees(root / serving["model_path"]), names)
