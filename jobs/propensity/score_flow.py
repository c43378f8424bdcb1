"""Scoring of a day from table to table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError
from jobs.propensity import inputs, registry, scoring, training
from jobs.propensity.settings import TARGET, settings_of

if TYPE_CHECKING:
    from jobs.core.entry import Run


@dataclass(frozen=True)
class Scored:
    """What was scored: the date, users, users selected, and the model used."""

    as_of: date
    users: int
    selected: int
    model_version: str


def score(run: Run, day: date | None = None) -> Scored:
    """Score the users eligible on the morning after a day, with the model that serves.

    Parameters
    ----------
    day
        Last day the features may know; the scores are those of as_of = day + 1. None means the
        last complete day of the log.

    Raises
    ------
    UsageError
        The day lies outside the log.
    ContractError
        No model is registered, or no user was active.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    last_day = day or log.last_date
    if not log.first_date <= last_day <= log.last_date:
        raise UsageError(f"no log for {last_day}: it covers {log.first_date} to {log.last_date}")
    serving = _serving(run)
    model = registry.load_model(run.warehouse.root, serving["model_path"])
    as_of = last_day + timedelta(days=1)
    with run.progress.step("score: snapshots") as step:
        step.rows = inputs.write_snapshots(run, log, (as_of,), stride_days=1)
    if not step.rows:
        raise ContractError(
            f"no data for {last_day}: no user was active in the {settings.population_days} days "
            "up to it"
        )
    with run.progress.step(f"score {TARGET}") as step:
        step.note = serving["model_version"]
        scores = training.plain_scores(model.transform(inputs.read_snapshots(run, (as_of,))))
        rows = scoring.ranked(
            scores, TARGET, serving["model_version"], serving["threshold"], datetime.now(UTC)
        )
        where = f"as_of = DATE'{as_of}' AND target = '{TARGET}'"
        step.rows = run.warehouse.replace_where("propensity_scores_daily", rows, where)
    stored = run.warehouse.read("propensity_scores_daily").where(where)
    selected = stored.where(F.col("is_selected")).count()
    return Scored(as_of, step.rows, selected, serving["model_version"])


def _serving(run: Run) -> dict[str, Any]:
    if not run.warehouse.exists("model_registry"):
        raise ContractError(f"no model is registered for {TARGET}: run train first")
    return registry.serving(run.warehouse.read("model_registry"), TARGET)
