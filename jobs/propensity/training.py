"""Gradient-boosted trees: fitting them, and how many of them to keep.

MLlib adds every tree at full step and never looks back, so the last ones may harm. Its own early
stop ends at the first weak tree. So a fixed number is fitted, and the calibration slice, which is
later than the training rows, says how many of them serve. Rows are not weighted: weights would
leave the ranking as it is and wreck the probabilities.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import SparkContext
from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassificationModel, GBTClassifier
from pyspark.ml.feature import VectorSlicer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F
from sklearn.metrics import log_loss

from jobs.core.errors import ContractError, UsageError
from jobs.propensity.calibration import Calibration, fit_calibration
from jobs.propensity.features import LABEL, VECTOR
from jobs.propensity.trees import staged_margins

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

    from jobs.propensity.settings import BoostingSettings
    from jobs.propensity.snapshots import TimeSplit
    from jobs.propensity.targets import Target
    from jobs.propensity.thinning import SliceSize
    from jobs.propensity.trees import Trees

    Floats = NDArray[np.float64]

# Name that MLlib gives the column of the raw scores.
RAW = "rawPrediction"
MARGIN_VECTOR = "margin_vector"
MARGIN = "margin"
# Every tree makes the plan of the next one longer. Between 120 and 240 trees it is too deep for the
# JVM's stack, unless it is cut off now and then, which is also a tenth faster at 120.
MOST_TREES_IN_ONE_PLAN = 120
CHECKPOINT_EVERY = 20
# Numbers of trees that are tried lie so far apart.
STAGE = 5


def name_slices(frame: DataFrame, split: TimeSplit) -> DataFrame:
    """Add the column `slice`: train, calibrate or test by as_of; rows of other dates go."""
    name = (
        F.when(F.col("as_of").isin(*split.train), "train")
        .when(F.col("as_of").isin(*split.calibrate), "calibrate")
        .when(F.col("as_of").isin(*split.test), "test")
    )
    return frame.withColumn("slice", name).where(F.col("slice").isNotNull())


def require_both_classes(sizes: dict[str, SliceSize], target: Target) -> None:
    """Refuse slices from which nothing can be learned or judged.

    Raises
    ------
    ContractError
        A slice has no row, or only one class.
    """
    for name, size in sizes.items():
        if not 0 < size.positives < size.rows:
            raise ContractError(
                f"cannot train {target.name}: the {name} slice has {size.positives} "
                f"{target.positives} among {size.rows} users, and both classes are needed; load a "
                "longer or larger log"
            )


def fit_trees(encoded: DataFrame, rows: int, settings: BoostingSettings) -> GBTClassificationModel:
    """Fit as many trees as the settings allow.

    Parameters
    ----------
    encoded
        Training slice with the vector and the label, in fixed order (`features.in_fixed_order`)
        and best cached: it is read about six times.
    rows
        Its number of rows.

    Raises
    ------
    UsageError
        So many trees need a checkpoint folder, and Spark has none.
    """
    trees = GBTClassifier(
        featuresCol=VECTOR,
        labelCol=LABEL,
        predictionCol="tree_prediction",
        maxIter=settings.max_trees,
        maxDepth=settings.max_depth,
        stepSize=settings.step_size,
        minInstancesPerNode=settings.min_instances_for(rows),
        maxBins=settings.max_bins,
        subsamplingRate=settings.subsampling_rate,
        featureSubsetStrategy=str(settings.features_per_node),
        seed=settings.seed,
        # Caching the node of each row costs more than walking a tree of this depth.
        cacheNodeIds=False,
        checkpointInterval=CHECKPOINT_EVERY,
    )
    with _checkpoints(encoded.sparkSession, settings):
        return trees.fit(encoded.select(VECTOR, LABEL))


@contextmanager
def _checkpoints(spark: SparkSession, settings: BoostingSettings) -> Iterator[None]:
    """Give the plan a folder to be cut off into: on one machine a temporary one."""
    if _is_one_machine(spark):
        with tempfile.TemporaryDirectory(prefix="checkpoints-") as folder:
            spark.sparkContext.setCheckpointDir(Path(folder).as_uri())
            yield
    else:
        require_checkpoints(spark, settings)
        yield


def require_checkpoints(spark: SparkSession, settings: BoostingSettings) -> None:
    """Refuse more trees than go without a checkpoint folder, where Spark has none.

    Raises
    ------
    UsageError
        Only the owner of a cluster can name a folder that its machines share.
    """
    has_folder = _is_one_machine(spark) or spark.sparkContext.getCheckpointDir() is not None
    if settings.max_trees > MOST_TREES_IN_ONE_PLAN and not has_folder:
        raise UsageError(
            f"max_trees {settings.max_trees}: more than {MOST_TREES_IN_ONE_PLAN} need a folder "
            "that all machines share, as spark.checkpoint.dir in conf/spark-standalone.conf"
        )


def _is_one_machine(spark: SparkSession) -> bool:
    return str(spark.sparkContext.master).startswith("local")


@dataclass(frozen=True)
class Choice:
    """How many trees serve, and how their margin becomes a probability.

    Parameters
    ----------
    losses
        Calibrated log-loss on the calibration slice by number of trees tried.
    """

    trees: int
    calibration: Calibration
    losses: dict[int, float]


def choose_trees(trees: Trees, label: Floats, matrix: Floats) -> Choice:
    """Keep the number of trees whose calibrated margin has the lowest log-loss on later rows.

    Parameters
    ----------
    label, matrix
        Of the calibration slice.
    """
    fitted = len(trees.roots)
    stages = [*range(STAGE, fitted, STAGE), fitted]
    staged = staged_margins(trees, matrix, stages)
    losses: dict[int, float] = {}
    found: dict[int, Calibration] = {}
    for place, count in enumerate(stages):
        margin = staged[:, place]
        found[count] = fit_calibration(margin, label)
        losses[count] = float(log_loss(label, found[count].probability(margin)))
    best = min(losses, key=lambda count: losses[count])
    return Choice(best, found[best], losses)


def first_trees(model: GBTClassificationModel, count: int) -> GBTClassificationModel:
    """Keep the first trees of a model and drop the others, without fitting again."""
    java: Any = model._java_obj
    gateway: Any = SparkContext._gateway
    kept = gateway.new_array(
        gateway.jvm.org.apache.spark.ml.regression.DecisionTreeRegressionModel, count
    )
    weights = gateway.new_array(gateway.jvm.double, count)
    for place, tree in enumerate(list(java.trees())[:count]):
        kept[place] = tree
        weights[place] = java.treeWeights()[place]
    shortened = gateway.jvm.org.apache.spark.ml.classification.GBTClassificationModel(
        java.uid(), kept, weights, java.numFeatures(), java.numClasses()
    )
    java.copyValues(shortened, java.extractParamMap())
    return GBTClassificationModel(shortened)


def serving_pipeline(encoder: PipelineModel, model: GBTClassificationModel) -> PipelineModel:
    """Stages from rows of user_snapshots to the margin."""
    # rawPrediction is (-F, F); the slicer keeps F.
    slicer = VectorSlicer(inputCol=RAW, outputCol=MARGIN_VECTOR, indices=[1])
    return PipelineModel([*encoder.stages, model, slicer])


def with_margin(frame: DataFrame) -> DataFrame:
    """Add the margin, the raw score F, as a plain column to what `serving_pipeline` put out."""
    return frame.withColumn(MARGIN, vector_to_array(F.col(MARGIN_VECTOR))[0])
