"""From margins to the rows of propensity_scores_daily."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.core.errors import DamagedTableError
from jobs.propensity.explanation import top_reasons
from jobs.propensity.features import KEY, VECTOR
from jobs.propensity.training import MARGIN
from jobs.propensity.trees import Trees, margins

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame

    from jobs.propensity.calibration import Calibration

DECILES = 10
# How far Spark's margin may lie from that of the exported trees: both add the same numbers in the
# same order.
_MARGIN_GAP = 1e-12


def with_reasons(scored: DataFrame, trees: Trees, names: tuple[str, ...]) -> DataFrame:
    """Add the three features that move each user's margin furthest from the mean.

    Parameters
    ----------
    scored
        Output of the serving pipeline with its margin as a plain column.
    trees, names
        The trees of that pipeline as arrays, and the names of the numbers they read.

    Returns
    -------
    DataFrame
        The key, margin and reasons; a row per row.

    Raises
    ------
    DamagedTableError
        In the workers: the exported trees say another margin than Spark.
    """
    contract = all_tables()["propensity_scores_daily"].schema
    schema = scored.select(*KEY, MARGIN).schema.add(contract["reasons"])
    numbers = scored.select(*KEY, MARGIN, vector_to_array(F.col(VECTOR)).alias(VECTOR))

    def explained(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _explained(batch, trees, names)

    return numbers.mapInArrow(explained, schema)


def _explained(batch: pa.RecordBatch, trees: Trees, names: tuple[str, ...]) -> pa.RecordBatch:
    kept = [batch.column(name) for name in (*KEY, MARGIN)]
    lists = batch.column(VECTOR)
    matrix = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)
    gaps = np.abs(margins(trees, matrix) - batch.column(MARGIN).to_numpy())
    if not np.all(gaps <= _MARGIN_GAP):
        raise DamagedTableError(
            f"the exported trees miss Spark's margin by {gaps.max():.1e}: run train again"
        )
    features, places, effects = top_reasons(trees, names, matrix)
    count = places.shape[1]
    structs = pa.StructArray.from_arrays(
        [
            pa.array(np.array(features, object)[places.ravel()], pa.string()),
            pa.array(effects.ravel(), pa.float64()),
        ],
        names=["feature", "effect"],
    )
    offsets = pa.array(np.arange(len(lists) + 1, dtype=np.int32) * count)
    reasons = pa.ListArray.from_arrays(offsets, structs)
    return pa.RecordBatch.from_arrays([*kept, reasons], names=[*KEY, MARGIN, "reasons"])


def ranked(
    scores: DataFrame,
    target: str,
    model_version: str,
    calibration: Calibration,
    threshold: float,
    scored_at: datetime,
) -> DataFrame:
    """Turn margins into probabilities, rank the users of each date and mark who is selected.

    Parameters
    ----------
    scores
        user_id, as_of, margin and reasons.
    threshold
        Probability from which a user is selected.
    scored_at
        Time of the scoring in UTC.

    Returns
    -------
    DataFrame
        The columns of propensity_scores_daily, one row per row of `scores`.
    """
    # By the margin, not the probability: rounding in the sigmoid may tie what the trees tell apart.
    by_margin = Window.partitionBy("as_of").orderBy(F.desc(MARGIN), "user_id")
    whole_date = Window.partitionBy("as_of").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    rank = F.row_number().over(by_margin).cast("bigint")
    users = F.count(F.lit(1)).over(whole_date)
    logit = F.lit(calibration.slope) * F.col(MARGIN) + F.lit(calibration.intercept)
    ranks = scores.select(
        "*",
        rank.alias("rank"),
        users.alias("users"),
        (1 / (1 + F.exp(-logit))).alias("probability"),
    )
    return ranks.select(
        "as_of",
        F.lit(target).alias("target"),
        "user_id",
        MARGIN,
        "probability",
        "rank",
        F.ceil(F.col("rank") * DECILES / F.col("users")).cast("int").alias("decile"),
        (F.col("probability") >= threshold).alias("is_selected"),
        "reasons",
        F.lit(model_version).alias("model_version"),
        F.lit(scored_at).alias("scored_at"),
    )
