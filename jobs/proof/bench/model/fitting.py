"""Fitting beside a peer: MLlib's trees and XGBoost's, on the same rows, from the same files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.dataset
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score, log_loss

from jobs.core.session import start_engine
from jobs.proof.bench.task import CORES, Result, Task
from jobs.propensity import features, inputs, model_fit, purchase_rhythm, training
from jobs.propensity.calibration import fit_calibration
from jobs.propensity.features import KEY, LABEL, VECTOR
from jobs.propensity.settings import settings_of
from jobs.propensity.snapshots import SLICES, plan_split, snapshot_dates
from jobs.propensity.targets import Target
from jobs.propensity.thinning import SliceSize, Thinning
from jobs.propensity.tree_export import export_trees
from jobs.propensity.trees import first, margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.core.entry import Run
    from jobs.propensity.settings import BoostingSettings

    Floats = NDArray[np.float64]

# What the sampled contestant keeps of the rows of the commoner class, per row of the rarer.
KEPT_PER_ROW = 8
_WARM_UP_TREES = 10
# A usual step for so many trees; MLlib's is a share of something else.
_XGBOOST_STEP = 0.1
_TRAIN, _CALIBRATE, _TEST = SLICES


def write_slices(run: Run, task: Task) -> int:
    """Write label and numbers of the snapshots of each slice to Parquet; returns those to learn."""
    settings, target = settings_of(task.config), Target.parse(task.target)
    log = inputs.read_log(run, settings)
    split = plan_split(log.first_date, log.last_date, settings, target.horizon_days)
    dates = snapshot_dates(log.first_date, log.last_date, settings)
    inputs.write_snapshots(run, log, dates, settings.snapshot_stride_days)
    frame = model_fit.slices_in_order(run, log, split, target, settings)
    with model_fit.cached(frame) as rows:
        rhythm = purchase_rhythm.rhythm_at(run, log, max(split.train))
        encoder = model_fit.encoder_for(rows, rhythm, target)
        numbers = vector_to_array(F.col(VECTOR)).alias(VECTOR)
        encoded = encoder.transform(rows).select(
            *KEY, F.col(LABEL).cast("double"), "slice", numbers
        )
        encoded.write.partitionBy("slice").parquet(str(_folder(task)))
        return model_fit.slice_sizes(rows)[_TRAIN].rows


def gbt(task: Task, is_sampled: bool = False) -> Result:
    """Fit MLlib's trees with the settings of the target, and let them score the test slice."""
    boosting = _boosting(task)
    spark = start_engine("spark", "bench")
    stored = spark.read.parquet(str(_folder(task)))
    vectors = stored.withColumn(VECTOR, array_to_vector(F.col(VECTOR)))
    train = features.in_fixed_order(vectors.where(F.col("slice") == _TRAIN), boosting.partitions)
    label = _table(task, _TRAIN, [LABEL]).column(LABEL).to_numpy()
    size = SliceSize(len(label), int(label.sum()))
    thinning = Thinning.per_row(size, KEPT_PER_ROW if is_sampled else None)
    with model_fit.cached(thinning.keep(train)) as kept:
        rows = kept.count()

        def fit(trees: int) -> Any:
            return training.fit_trees(kept, rows, replace(boosting, max_trees=trees))

        grown, seconds = _timed(fit, boosting, task.rounds)
    trees = export_trees(grown)
    calibrate, test = _read(task, _CALIBRATE), _read(task, _TEST)
    choice = training.choose_trees(trees, *calibrate)
    margin = margins(first(trees, choice.trees), test[1])
    with model_fit.cached(vectors.where(F.col("slice") == _TEST)) as later:
        later.count()
        scoring = _rate(
            len(margin),
            lambda: grown.transform(later).write.format("noop").mode("overwrite").save(),
        )
    found = _judged(test[0], margin, choice.calibration.probability(margin))
    found |= {"trees": choice.trees, "scored_per_second": scoring}
    found["exported_per_second"] = _rate(len(margin), lambda: margins(trees, test[1]))
    return _result(rows, boosting, seconds, found)


def xgboost(task: Task) -> Result:
    """Fit XGBoost's trees, and let them score the test slice."""
    import xgboost as peer

    boosting = _boosting(task)
    label, matrix = _read(task, _TRAIN)

    def fit(trees: int) -> Any:
        model = peer.XGBClassifier(
            n_estimators=trees,
            max_depth=boosting.max_depth,
            learning_rate=_XGBOOST_STEP,
            subsample=boosting.subsampling_rate,
            colsample_bynode=boosting.features_per_node,
            max_bin=boosting.max_bins,
            n_jobs=CORES,
            random_state=boosting.seed,
        )
        return model.fit(matrix, label)

    grown, seconds = _timed(fit, boosting, task.rounds)
    calibrate, test = _read(task, _CALIBRATE), _read(task, _TEST)

    def score(rows: Floats) -> Floats:
        return grown.predict(rows, output_margin=True).astype(np.float64)

    calibration = fit_calibration(score(calibrate[1]), calibrate[0])
    margin = score(test[1])
    found = _judged(test[0], margin, calibration.probability(margin))
    found |= {"trees": boosting.max_trees}
    found["scored_per_second"] = _rate(len(margin), lambda: score(test[1]))
    return _result(len(label), boosting, seconds, found)


def _timed(
    fit: Callable[[int], Any], boosting: BoostingSettings, rounds: int
) -> tuple[Any, list[float]]:
    """Fit as often as asked, after a few trees that warm everything up."""
    fit(_WARM_UP_TREES)
    seconds = []
    for _ in range(rounds):
        started = time.monotonic()
        grown = fit(boosting.max_trees)
        seconds.append(time.monotonic() - started)
    return grown, seconds


def _rate(rows: int, work: Callable[[], object]) -> float:
    """Rows per second, the second time."""
    work()
    started = time.monotonic()
    work()
    return rows / (time.monotonic() - started)


def _judged(label: Floats, margin: Floats, probability: Floats) -> dict[str, Any]:
    return {
        "test_rows": len(label),
        "average_precision": float(average_precision_score(label, margin)),
        "log_loss": float(log_loss(label, probability)),
    }


def _result(
    rows: int, boosting: BoostingSettings, seconds: list[float], found: dict[str, Any]
) -> Result:
    per_tree = float(np.median(seconds)) / boosting.max_trees
    return Result(
        rows=rows,
        seconds=float(np.median(seconds)),
        figures=[found | {"seconds_per_tree": per_tree, "fits": seconds}],
    )


def _boosting(task: Task) -> BoostingSettings:
    return settings_of(task.config).of(Target.parse(task.target)).boosting


def _folder(task: Task) -> Path:
    return Path(task.folder) / "slices"


def _table(task: Task, name: str, columns: list[str]) -> pyarrow.Table:
    stored = pyarrow.dataset.dataset(_folder(task), partitioning="hive")
    return stored.to_table(columns, filter=pyarrow.dataset.field("slice") == name)


def _read(task: Task, name: str) -> tuple[Floats, Floats]:
    """Label and matrix of a slice, in order of user and date."""
    table = _table(task, name, [*KEY, LABEL, VECTOR])
    table = table.sort_by([(column, "ascending") for column in KEY]).combine_chunks()
    lists = table.column(VECTOR).combine_chunks()
    matrix = lists.flatten().to_numpy().reshape(len(lists), -1)
    return table.column(LABEL).to_numpy(), matrix
