"""What is learned from the slices of one target: trees, their number, calibration, peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.propensity import features, inputs, peers, purchase_rhythm, training
from jobs.propensity.calibration import require_signal
from jobs.propensity.features import LABEL, Sample
from jobs.propensity.snapshots import SLICES
from jobs.propensity.thinning import SliceSize, Thinning
from jobs.propensity.tree_export import export_trees
from jobs.propensity.trees import first

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.ml.classification import GBTClassificationModel
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.core.progress import Step
    from jobs.propensity.bgnbd.fitting import Fit
    from jobs.propensity.inputs import Log
    from jobs.propensity.peers import Scorer
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.snapshots import TimeSplit
    from jobs.propensity.targets import Target
    from jobs.propensity.training import Choice
    from jobs.propensity.trees import Trees


@dataclass(frozen=True)
class Fitted:
    """What was learned from the training and the calibration slice.

    Parameters
    ----------
    model, trees
        The trees that serve, for Spark and as arrays.
    later
        Rows of the slices after training, by name.
    margin_shift
        What the margins of the trees lack because they saw more of one class than there is.
    """

    rhythm: Fit | None
    encoder: PipelineModel
    model: GBTClassificationModel
    trees: Trees
    choice: Choice
    peers: dict[str, Scorer]
    later: dict[str, Sample]
    margin_shift: float


def fit_model(
    frame: DataFrame,
    sizes: dict[str, SliceSize],
    rhythm: Fit | None,
    settings: PropensitySettings,
    target: Target,
    begin: Callable[[str], AbstractContextManager[Step]],
    only_simple_peers: bool = False,
) -> Fitted:
    """Fit trees and peers, and choose how many trees serve.

    Parameters
    ----------
    frame
        Snapshots with their label and slice, in fixed order.
    rhythm
        Behind the features of BG/NBD; None where too few bought twice.
    begin
        Begins a step of the progress by its name.
    only_simple_peers
        Leave out the peers that take long to fit.

    Raises
    ------
    ContractError
        The trees rank the calibration slice no better than chance.
    """
    boosting = settings.of(target).boosting
    train_rows = frame.where(F.col("slice") == "train")
    encoder = encoder_for(frame, rhythm, target)
    most, size = settings.max_rows_judged, sizes["train"]
    thinning = Thinning.to(size, settings.max_train_rows)
    encoded = encoder.transform(train_rows)
    with cached(thinning.keep(encoded)) as kept, begin(f"{boosting.max_trees} trees") as step:
        step.rows = thinning.rows(size)
        grown = training.fit_trees(kept, step.rows, boosting)
        whole = kept if thinning.is_whole else encoded
        train_sample = features.collect(whole, size.rows, most)
    later = {
        name: features.collect(
            encoder.transform(frame.where(F.col("slice") == name)), sizes[name].rows, most
        )
        for name in SLICES[1:]
    }
    with begin("choose trees, calibrate") as step:
        calibrate = later["calibrate"]
        trees = export_trees(grown)
        choice = training.choose_trees(trees, calibrate.label, calibrate.matrix)
        require_signal(
            choice.calibration,
            "the trees rank the calibration slice",
            "no model was registered, load a longer or larger log",
        )
        step.note = f"{choice.trees} of {boosting.max_trees} trees"
    with begin("peers") as step:
        names = features.vector_names(encoder)
        scorers = peers.fit_peers(train_sample, names, target, boosting.seed, only_simple_peers)
        step.note = ", ".join(scorers)
    return Fitted(
        rhythm,
        encoder,
        training.first_trees(grown, choice.trees),
        first(trees, choice.trees),
        choice,
        scorers,
        later,
        thinning.margin_shift,
    )


def slices_in_order(
    run: Run, log: Log, split: TimeSplit, target: Target, settings: PropensitySettings
) -> DataFrame:
    """Labelled snapshots of the slices of a time split, in fixed order, as `fit_model` wants them.

    The snapshots must be there already (`inputs.write_snapshots`).
    """
    labelled = inputs.labelled_snapshots(run, log, split.dates, target)
    partitions = settings.of(target).boosting.partitions
    return features.in_fixed_order(training.name_slices(labelled, split), partitions)


def encoder_for(frame: DataFrame, rhythm: Fit | None, target: Target) -> PipelineModel:
    """Learn from the training slice how rows become vectors."""
    stage = None
    if rhythm is not None:
        stage = purchase_rhythm.rhythm_stage(rhythm.model, target.horizon_days)
    return features.fit_encoder(frame.where(F.col("slice") == "train"), stage)


@contextmanager
def cached(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep a frame in memory while it is used."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def slice_sizes(frame: DataFrame) -> dict[str, SliceSize]:
    """Rows and positives of every slice, also of one that has none."""
    counts = frame.groupBy("slice").agg(
        F.count(F.lit(1)).alias("rows"), F.sum(LABEL).alias("positives")
    )
    found = {row["slice"]: SliceSize(row["rows"], row["positives"]) for row in counts.collect()}
    return {name: found.get(name, SliceSize(0, 0)) for name in SLICES}
