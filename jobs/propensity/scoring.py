"""From margins and probabilities to the rows of propensity_scores_daily."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame

DECILES = 10


def ranked(
    scores: DataFrame, target: str, model_version: str, threshold: float, scored_at: datetime
) -> DataFrame:
    """Rank the users of each date and mark who is selected.

    Parameters
    ----------
    scores
        user_id, as_of, margin and probability.
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
    by_margin = Window.partitionBy("as_of").orderBy(F.desc("margin"), "user_id")
    whole_date = Window.partitionBy("as_of").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    rank = F.row_number().over(by_margin).cast("bigint")
    users = F.count(F.lit(1)).over(whole_date)
    ranks = scores.select("*", rank.alias("rank"), users.alias("users"))
    return ranks.select(
        "as_of",
        F.lit(target).alias("target"),
        "user_id",
        "margin",
        "probability",
        "rank",
        F.ceil(F.col("rank") * DECILES / F.col("users")).cast("int").alias("decile"),
        (F.col("probability") >= threshold).alias("is_selected"),
        F.lit(model_version).alias("model_version"),
        F.lit(scored_at).alias("scored_at"),
    )
