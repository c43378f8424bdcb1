"""Gradient-boosted trees and their calibration; pure functions of the frames they are given.

MLlib's trees put out a margin F whose sigmoid(2F) is not calibrated by design, and class weights
would bend it further, so rows are not weighted. A logistic regression on the margin alone (Platt)
turns it into a probability; it is fitted on later rows than the trees. Isotonic regression was
not taken: its steps tie users whom the margin tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassifier, LogisticRegression
from pyspark.ml.feature import VectorSlicer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from jobs.core.errors import ContractError
from jobs.propensity.features import KEY, VECTOR, encoder
from jobs.propensity.settings import TARGET

if TYPE_CHECKING:
    from pyspark.ml.classification import LogisticRegressionModel
    from pyspark.sql import DataFrame

    from jobs.propensity.settings import BoostingSettings
    from jobs.propensity.snapshots import TimeSplit

# Name that MLlib gives the column of the raw scores.
RAW = "rawPrediction"
MARGIN_VECTOR = "margin_vector"
CALIBRATED = "calibrated"


@dataclass(frozen=True)
class SliceSize:
    """Rows of a slice and how many of them have the label 1."""

    rows: int
    positives: int


def name_slices(frame: DataFrame, split: TimeSplit) -> DataFrame:
    """Add the column `slice`: train, calibrate or test by as_of, NULL for any other date."""
    name = (
        F.when(F.col("as_of").isin(*split.train), "train")
        .when(F.col("as_of").isin(*split.calibrate), "calibrate")
        .when(F.col("as_of").isin(*split.test), "test")
    )
    return frame.withColumn("slice", name)


def require_both_classes(sizes: dict[str, SliceSize]) -> None:
    """Refuse slices from which nothing can be learned or judged.

    Raises
    ------
    ContractError
        A slice has no row, no buyer, or only buyers.
    """
    for name, size in sizes.items():
        if not 0 < size.positives < size.rows:
            raise ContractError(
                f"cannot train {TARGET}: the {name} slice has {size.positives} buyers among "
                f"{size.rows} users, and both classes are needed; load a longer or larger log"
            )


def fit_trees(train: DataFrame, rows: int, settings: BoostingSettings) -> PipelineModel:
    """Fit encoder and trees.

    Parameters
    ----------
    train
        Training slice with the columns of user_snapshots and the label, in fixed order
        (`features.in_fixed_order`) and best cached: it is read about six times.
    rows
        Its number of rows.
    """
    encoded = encoder().fit(train)
    trees = GBTClassifier(
        featuresCol=VECTOR,
        labelCol=TARGET,
        predictionCol="tree_prediction",
        maxIter=settings.trees,
        maxDepth=settings.max_depth,
        stepSize=settings.step_size,
        minInstancesPerNode=settings.min_instances_for(rows),
        maxBins=settings.max_bins,
        subsamplingRate=settings.subsampling_rate,
        seed=settings.seed,
        # Caching the node of each row costs more than walking a tree of this depth.
        cacheNodeIds=False,
    )
    fitted = trees.fit(encoded.transform(train).select(VECTOR, TARGET))
    # rawPrediction is (-F, F); the slicer keeps F.
    slicer = VectorSlicer(inputCol=RAW, outputCol=MARGIN_VECTOR, indices=[1])
    return PipelineModel([*encoded.stages, fitted, slicer])


def with_margin(trees: PipelineModel, frame: DataFrame) -> DataFrame:
    """Score a frame; keeps the key, the label, the slice and the margin as a vector."""
    return trees.transform(frame).select(*KEY, TARGET, "slice", MARGIN_VECTOR)


def fit_calibration(calibrate: DataFrame) -> LogisticRegressionModel:
    """Fit p = sigmoid(a F + b) on the margins of the calibration slice.

    Raises
    ------
    ContractError
        The slope a is not positive: higher margins do not buy more often, there is no signal.
    """
    platt = LogisticRegression(
        featuresCol=MARGIN_VECTOR,
        labelCol=TARGET,
        rawPredictionCol="calibrated_logit",
        probabilityCol=CALIBRATED,
        predictionCol="calibrated_prediction",
    )
    fitted = platt.fit(calibrate)
    slope = fitted.coefficientMatrix.toArray()[0, 0]
    if not slope > 0:
        raise ContractError(
            f"the trees rank the calibration slice no better than chance (slope {slope:.3f}); "
            "no model was registered: load a longer or larger log"
        )
    return fitted


def plain_scores(frame: DataFrame) -> DataFrame:
    """Turn what the stages put out into plain columns.

    Parameters
    ----------
    frame
        Output of the calibration stage, with whatever columns it came with.

    Returns
    -------
    DataFrame
        The columns that were there before the stages, margin (the raw score F, a half-logit) and
        probability (calibrated).
    """
    kept = [c for c in (*KEY, "slice", TARGET) if c in frame.columns]
    return frame.select(
        *kept,
        vector_to_array(F.col(MARGIN_VECTOR))[0].alias("margin"),
        vector_to_array(F.col(CALIBRATED))[1].alias("probability"),
    )
