"""The models as they would have been on past dates: fitted on what was known, judged on what came.

One test slice is one stretch of weeks. A backtest moves the origin through the log: for each of the
latest snapshot dates a model is fitted whose training and calibration labels were all over by then,
and is judged on that date alone. Rows of all origins are judged together too, by their calibrated
probabilities, since margins of different models are no common scale.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from jobs.core.errors import ContractError
from jobs.propensity import bootstrap, features, inputs, purchase_rhythm, training
from jobs.propensity.calibration import fit_calibration
from jobs.propensity.model_fit import cached, fit_model, slice_sizes
from jobs.propensity.scores import OURS
from jobs.propensity.settings import settings_of, targets_of
from jobs.propensity.snapshots import TimeSplit, snapshot_dates
from jobs.propensity.trees import margins

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.core.progress import Step
    from jobs.propensity.inputs import Log
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.targets import Target

    Floats = NDArray[np.float64]

# Dates that train and calibrate the first of the origins.
LEAST_TRAIN, CALIBRATE = 2, 2


@dataclass(frozen=True, eq=False)
class Origin:
    """One date on which models of its past are judged.

    Parameters
    ----------
    probability
        By model, of each row.
    trees
        How many serve.
    """

    as_of: date
    trees: int
    user_id: NDArray[np.int64]
    label: Floats
    probability: dict[str, Floats]

    def figures(self, model: str) -> Floats:
        """The figures named in `bootstrap.FIGURES`."""
        chance = self.probability[model]
        ranked = bootstrap.Ranked(self.label, chance, chance)
        return ranked.figures(np.ones(len(self.label)))


def plan_origins(dates: tuple[date, ...], horizon_days: int, wanted: int) -> list[TimeSplit]:
    """Choose the latest dates that have enough past, the oldest first.

    Parameters
    ----------
    dates
        Snapshot dates whose labels are complete, ascending.

    Raises
    ------
    ContractError
        None has.
    """
    horizon = timedelta(days=horizon_days)
    found: list[TimeSplit] = []
    for origin in dates[::-1]:
        over = [day for day in dates if day + horizon <= origin]
        calibrate = over[-CALIBRATE:]
        train = [day for day in over if day + horizon <= calibrate[0]] if calibrate else []
        if len(calibrate) == CALIBRATE and len(train) >= LEAST_TRAIN and len(found) < wanted:
            found.append(TimeSplit(tuple(train), tuple(calibrate), (origin,), horizon_days))
    if not found:
        raise ContractError(
            f"too few snapshot dates ({len(dates)}) for a backtest of {horizon_days} days: load a "
            "longer log, or raise propensity.max_snapshots"
        )
    return found[::-1]


def backtest(run: Run, wanted: str | None, origins: int) -> dict[str, list[Origin]]:
    """Fit and judge models of past dates; by target, an entry per origin.

    Parameters
    ----------
    wanted
        One target of the settings; None means all.
    origins
        How many dates at most.

    Raises
    ------
    ContractError
        The log is too short, or a slice has one class only.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    grid = snapshot_dates(log.first_date, log.last_date, settings)
    plans = {}
    for target in targets_of(settings, wanted):
        known_until = log.last_date - timedelta(days=target.horizon_days - 1)
        dates = tuple(day for day in grid if day <= known_until)
        plans[target] = plan_origins(dates, target.horizon_days, origins)
    with run.progress.step("backtest: snapshots") as step:
        step.rows = inputs.write_snapshots(run, log, grid, settings.snapshot_stride_days)
    found: dict[str, list[Origin]] = {}
    for target, splits in plans.items():
        labelled = inputs.labelled_snapshots(run, log, grid, target)
        partitions = settings.of(target).boosting.partitions
        with cached(features.in_fixed_order(labelled, partitions)) as frame:
            for split in splits:
                origin = _origin(run, log, frame, split, settings, target)
                found.setdefault(target.name, []).append(origin)
    return found


def _origin(
    run: Run,
    log: Log,
    labelled: DataFrame,
    split: TimeSplit,
    settings: PropensitySettings,
    target: Target,
) -> Origin:
    def begin(name: str) -> AbstractContextManager[Step]:
        return run.progress.step(f"backtest {target.name} {split.test[0]}: {name}")

    partitions = settings.of(target).boosting.partitions
    sliced = features.in_fixed_order(training.name_slices(labelled, split), partitions)
    with cached(sliced) as frame:
        sizes = slice_sizes(frame)
        training.require_both_classes(sizes, target)
        rhythm = purchase_rhythm.rhythm_at(run, log, max(split.train))
        fitted = fit_model(frame, sizes, rhythm, settings, target, begin, only_simple_peers=True)
        calibrate, test = fitted.later["calibrate"], fitted.later["test"]
        margin = margins(fitted.trees, test.matrix)
        probability = {OURS: fitted.choice.calibration.probability(margin)}
        for name, scorer in fitted.peers.items():
            calibration = fit_calibration(scorer(calibrate.matrix), calibrate.label)
            probability[name] = calibration.probability(scorer(test.matrix))
    return Origin(split.test[0], fitted.choice.trees, test.user_id, test.label, probability)


def pooled(origins: list[Origin]) -> Origin:
    """All rows of all origins as one."""
    return Origin(
        origins[-1].as_of,
        0,
        np.concatenate([origin.user_id for origin in origins]),
        np.concatenate([origin.label for origin in origins]),
        {
            name: np.concatenate([origin.probability[name] for origin in origins])
            for name in origins[0].probability
        },
    )


def gains(everyone: Origin, peer: str, resamples: int, seed: int) -> dict[str, tuple[float, ...]]:
    """PR-AUC and ROC-AUC of the trees less those of a peer: value, and ends of the interval."""
    ours, theirs = (
        bootstrap.Ranked(everyone.label, p, p)
        for p in (everyone.probability[OURS], everyone.probability[peer])
    )
    whole = ours.figures(np.ones(len(everyone.label))) - theirs.figures(
        np.ones(len(everyone.label))
    )
    pairs = np.array(
        [
            ours.figures(weight) - theirs.figures(weight)
            for weight in bootstrap.draws(everyone.user_id, resamples, seed)
        ]
    )
    return {
        figure: (float(whole[place]), *bootstrap.interval(pairs[:, place]))
        for place, figure in enumerate(bootstrap.FIGURES)
    }
