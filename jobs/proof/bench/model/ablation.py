"""Why the settings of the trees are what they are: models with one of them changed.

Each is fitted, cut to its best number of trees and calibrated as the command `train` does it, and
judged on the same later rows. Differences are of pairs: every model is judged on the same draws of
the users.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.isotonic import IsotonicRegression

from jobs.core.errors import UsageError
from jobs.proof.bench.model.fitting import KEPT_PER_ROW
from jobs.proof.ceiling import ORACLE
from jobs.propensity import bootstrap, features, inputs, model_fit, purchase_rhythm, training
from jobs.propensity.evaluation import calibration_table, expected_calibration_error
from jobs.propensity.settings import settings_of
from jobs.propensity.snapshots import SLICES, plan_split, snapshot_dates
from jobs.propensity.thinning import Thinning
from jobs.propensity.tree_export import export_trees
from jobs.propensity.trees import first, margins, probabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.features import Sample
    from jobs.propensity.settings import BoostingSettings
    from jobs.propensity.targets import Target
    from jobs.propensity.thinning import SliceSize

    Floats = NDArray[np.float64]

SHIPPED = "as shipped"
# A probability of exactly 0 or 1, as isotonic regression gives it, has no logarithm.
_EDGE = 1e-6


@dataclass(frozen=True)
class Change:
    """A model with one thing changed.

    Parameters
    ----------
    settings
        Of the boosting, those that differ.
    kept_per_row
        Rows kept of the commoner class per row of the rarer; all where None.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    kept_per_row: int | None = None


@dataclass(frozen=True, eq=False)
class _Model:
    seconds: float
    trees: int
    earlier_score: Floats
    score: Floats
    probability: Floats


def changes(shipped: BoostingSettings) -> list[Change]:
    """List what is tried, the shipped settings first."""
    tried: list[tuple[str, tuple[float, ...]]] = [
        ("max_trees", (shipped.max_trees * 2,)),
        ("max_depth", (shipped.max_depth - 1, shipped.max_depth + 1)),
        ("step_size", (shipped.step_size / 2, min(1.0, shipped.step_size * 2))),
        ("min_instances_per_node", (1, 50, 2_000)),
        ("subsampling_rate", (1.0,)),
        ("features_per_node", (1.0,)),
    ]
    found = [Change(SHIPPED)]
    for name, values in tried:
        found += [Change(f"{name} {value:g}", {name: value}) for value in values]
    return [*found, Change(f"{KEPT_PER_ROW} rows per rare row", kept_per_row=KEPT_PER_ROW)]


def ablation(
    run: Run,
    target: Target,
    ceiling: Callable[[Sample, Target], dict[str, Floats]] | None,
) -> list[dict[str, Any]]:
    """Fit and judge the model of a target with each change; a row each.

    Parameters
    ----------
    ceiling
        As for `train_flow.train`.

    Raises
    ------
    UsageError
        The shop is not synthetic, so that nobody knows how good a model could be.
    """
    if ceiling is None:
        raise UsageError("an ablation is held against the truth of a synthetic shop")
    settings = settings_of(run.config)
    shipped = settings.of(target).boosting
    log = inputs.read_log(run, settings)
    split = plan_split(log.first_date, log.last_date, settings, target.horizon_days)
    dates = snapshot_dates(log.first_date, log.last_date, settings)
    inputs.write_snapshots(run, log, dates, settings.snapshot_stride_days)
    frame = model_fit.slices_in_order(run, log, split, target, settings)
    with model_fit.cached(frame) as rows:
        size = model_fit.slice_sizes(rows)["train"]
        rhythm = purchase_rhythm.rhythm_at(run, log, max(split.train))
        encoder = model_fit.encoder_for(rows, rhythm, target)
        later = {
            name: features.collect(encoder.transform(rows.where(f"slice = '{name}'")), 1, 1)
            for name in SLICES[1:]
        }
        with model_fit.cached(encoder.transform(rows.where("slice = 'train'"))) as encoded:
            # The first fit of a process pays for compiling; it must not be one that is timed.
            training.fit_trees(encoded, size.rows, replace(shipped, max_trees=3))
            fitted = {
                change.name: _fit(encoded, size, later, shipped, change)
                for change in changes(shipped)
            }
    fitted |= _calibrations(fitted[SHIPPED], later["calibrate"])
    oracle = ceiling(later["test"], target)[ORACLE]
    return _judged(fitted, later["test"], oracle, settings.resamples, shipped.seed)


def _fit(
    encoded: DataFrame,
    size: SliceSize,
    later: dict[str, Sample],
    shipped: BoostingSettings,
    change: Change,
) -> _Model:
    thinning = Thinning.per_row(size, change.kept_per_row)
    # The rows as a whole are in memory already.
    in_memory = nullcontext(encoded)
    with in_memory if thinning.is_whole else model_fit.cached(thinning.keep(encoded)) as kept:
        rows = kept.count()
        started = time.monotonic()
        grown = training.fit_trees(kept, rows, replace(shipped, **change.settings))
        seconds = time.monotonic() - started
    calibrate, test = later["calibrate"], later["test"]
    whole = export_trees(grown)
    choice = training.choose_trees(whole, calibrate.label, calibrate.matrix)
    trees = first(whole, choice.trees)
    score = margins(trees, test.matrix)
    earlier = margins(trees, calibrate.matrix)
    return _Model(seconds, choice.trees, earlier, score, choice.calibration.probability(score))


def _calibrations(shipped: _Model, calibrate: Sample) -> dict[str, _Model]:
    """The same trees with other ways from margin to probability, which they also rank by."""
    steps = IsotonicRegression(y_min=_EDGE, y_max=1 - _EDGE, out_of_bounds="clip")
    steps.fit(shipped.earlier_score, calibrate.label)
    by_steps = steps.predict(shipped.score)
    raw = probabilities(shipped.score)
    return {
        "isotonic calibration": replace(shipped, score=by_steps, probability=by_steps),
        "no calibration": replace(shipped, score=raw, probability=raw),
    }


def _judged(
    fitted: dict[str, _Model], test: Sample, oracle: Floats, resamples: int, seed: int
) -> list[dict[str, Any]]:
    ranked = {
        name: bootstrap.Ranked(test.label, model.score, model.probability)
        for name, model in fitted.items()
    }
    best = bootstrap.Ranked(test.label, oracle, oracle)
    weights = [
        np.ones(len(test)),
        *bootstrap.draws(test.user_id, resamples, seed),
    ]
    ceiling = np.array([best.figures(weight) for weight in weights])
    drawn = {
        name: np.array([one.figures(weight) for weight in weights]) for name, one in ranked.items()
    }
    precision, loss = (bootstrap.FIGURES.index(n) for n in ("average_precision", "log_loss"))
    found = []
    for name, model in fitted.items():
        gains = drawn[name] - drawn[SHIPPED]
        table = calibration_table(test.label, model.probability)
        found.append(
            {
                "name": name,
                "seconds": model.seconds,
                "trees": model.trees,
                "ratio": float(drawn[name][0, precision] / ceiling[0, precision]),
                "excess": float(drawn[name][0, loss] / ceiling[0, loss] - 1),
                "precision_gain": float(gains[0, precision]),
                "precision_gain_interval": bootstrap.interval(gains[1:, precision]),
                "loss_gain": float(gains[0, loss]),
                "loss_gain_interval": bootstrap.interval(gains[1:, loss]),
                "ece": expected_calibration_error(table),
            }
        )
    return found
