"""What the charts show, read from the stored tables; the only reader of the package.

Each function takes `read`, a callable from table name to Spark DataFrame, and returns a pandas
frame that is sorted and ready to draw. It is small: one row per day, cohort cell or curve point
of the whole shop. A value that a table holds is taken from it, never computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, IntegerType, LongType

Read = Callable[[str], DataFrame]

FUNNEL_DAYS = 28
MOST_COHORTS = 26
SPLIT = "test"
OURS, EVERYONE = "gbt", "all"
CHAMPION, TRAINED = "champion", "trained"

FUNNEL_STEPS = ("view", "add_to_cart", "purchase")
AT_THRESHOLD = ("threshold", "selected_share", "precision", "recall")


def as_of(read: Read) -> date | None:
    """Last complete day of the metrics; None where there is none yet."""
    last = read("active_users_daily").agg(F.max("metric_date").alias("as_of")).first()
    return last["as_of"] if last else None


def active_users(read: Read) -> pd.DataFrame:
    """Active users of each day: DAU, WAU and MAU with their completeness, stickiness."""
    columns = ["metric_date", "dau", "wau_7", "mau_28", "stickiness"]
    flags = ["is_wau_7_complete", "is_mau_28_complete"]
    days = whole_shop(read("active_users_daily")).select(columns + flags)
    return collect(days, ["metric_date"])


def revenue(read: Read) -> pd.DataFrame:
    """Orders and revenue of each day and its rolling 7-day mean, in shop currency."""
    columns = ["metric_date", "orders", "revenue", "revenue_7d_mean", "days_observed_7d"]
    return collect(whole_shop(read("revenue_daily")).select(columns), ["metric_date"])


def retention_weekly(read: Read) -> pd.DataFrame:
    """Weekly cohorts by week since signup; the newest 26 cohorts that have users."""
    cells = whole_shop(read("retention_cohorts")).where(
        (F.col("period_unit") == "week") & (F.col("cohort_size") > 0)
    )
    columns = ["cohort_date", "cohort_size", "period", "retained", "retention_rate", "is_complete"]
    frame = collect(cells.select(columns), ["cohort_date", "period"])
    newest = frame["cohort_date"].drop_duplicates().nlargest(MOST_COHORTS)
    return frame[frame["cohort_date"].isin(newest)].reset_index(drop=True)


def retention_curve(read: Read) -> pd.DataFrame:
    """Share of users active on day n after signup, over all day cohorts complete at n.

    The share is a ratio of sums, retained users by eligible users, so that a large cohort
    weighs as much as its users do.
    """
    complete = whole_shop(read("retention_cohorts")).where(
        (F.col("period_unit") == "day") & F.col("is_complete") & (F.col("cohort_size") > 0)
    )
    sums = complete.groupBy("period").agg(
        F.sum("cohort_size").alias("eligible"), F.sum("retained").alias("retained")
    )
    share = F.col("retained") / F.col("eligible")
    return collect(sums.withColumn("retention_rate", share), ["period"])


def funnel(read: Read) -> pd.DataFrame:
    """Funnel over the newest 28 mature entry days, one row per step.

    An entry is a user's first view of a day, so the counts of days may be added. `step_rate`
    is the share of the step before, `total_rate` the share of all entries; NULL at zero.
    """
    mature = whole_shop(read("funnel_daily")).where(F.col("is_mature"))
    newest = mature.orderBy(F.col("entry_date").desc()).limit(FUNNEL_DAYS)
    sums = newest.agg(
        F.min("entry_date").alias("first_date"),
        F.max("entry_date").alias("last_date"),
        *[F.sum(f"mature_{users}").alias(users) for users in ("viewers", "carters", "buyers")],
    ).first()
    if sums is None or sums["first_date"] is None:
        return pd.DataFrame(
            columns=["step", "entries", "step_rate", "total_rate", "first_date", "last_date"]
        )
    entries = pd.Series([sums["viewers"], sums["carters"], sums["buyers"]], dtype="int64")
    before = entries.shift(1)
    return pd.DataFrame(
        {
            "step": FUNNEL_STEPS,
            "entries": entries,
            "step_rate": entries / before.where(before > 0),
            "total_rate": entries / (entries[0] or float("nan")),
            "first_date": pd.to_datetime(sums["first_date"]),
            "last_date": pd.to_datetime(sums["last_date"]),
        }
    )


def pr_curve(read: Read, kind: str = "purchase") -> pd.DataFrame:
    """Precision (value) by recall (x) of the serving model, and its figures at the threshold."""
    return serving_model(read, kind, ("pr_curve", "average_precision", "base_rate", *AT_THRESHOLD))


def calibration(read: Read, kind: str = "purchase") -> pd.DataFrame:
    """Observed (value) and mean predicted (x) share of positives by bin, for the serving model."""
    return serving_model(read, kind, ("calibration", "ece"))


def peers(read: Read, kind: str = "purchase") -> pd.DataFrame:
    """PR-AUC of the serving model and of everyone judged on the same rows, with intervals."""
    return serving_model(read, kind, ("average_precision", "base_rate"), everyone=True)


def importance(read: Read, kind: str = "purchase") -> pd.DataFrame:
    """What the serving model loses without each feature, and how far each moves its margin."""
    return serving_model(read, kind, ("permutation_importance", "shap_importance"), segments=True)


def registrations(read: Read) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Row of model_registry that serves each target, or the newest one where none serves.

    Beside it the row that the training of its model made. In the order in which the targets were
    first trained.
    """
    found: dict[str, dict[str, Any]] = {}
    trained: dict[str, dict[str, Any]] = {}
    for row in (one.asDict() for one in read("model_registry").orderBy("registration").collect()):
        known = found.get(row["target"])
        if known is None or row["alias"] == CHAMPION or known["alias"] != CHAMPION:
            found[row["target"]] = row
        if row["reason"] == TRAINED:
            trained[row["model_version"]] = row
    return [(row, trained[row["model_version"]]) for row in found.values()]


def every_metric(read: Read, model_version: str) -> pd.DataFrame:
    """All rows of model_metrics of one model."""
    rows = read("model_metrics").where(F.col("model_version") == model_version)
    return collect(rows, ["split", "model", "segment", "metric", "point"])


def serving_model(
    read: Read,
    kind: str,
    metrics: tuple[str, ...],
    everyone: bool = False,
    segments: bool = False,
) -> pd.DataFrame:
    """Rows of model_metrics, on the test slice, for the model that serves a kind of target.

    Where none serves it is the newest one. Of several targets of a kind it is the first that was
    ever trained.

    Parameters
    ----------
    kind
        purchase or churn.
    everyone
        Rows of the models it was held against too.
    segments
        Rows of the segments instead of those over everyone.
    """
    registered = read("model_registry").where(F.col("target").startswith(f"{kind}_"))
    first = registered.orderBy("registration").limit(1).select("target")
    own = registered.join(first, on="target", how="inner")
    is_champion = F.col("alias") == CHAMPION
    newest = own.orderBy(is_champion.desc(), F.desc("registration")).limit(1)
    rows = read("model_metrics").where((F.col("split") == SPLIT) & F.col("metric").isin(*metrics))
    if not everyone:
        rows = rows.where(F.col("model") == OURS)
    rows = rows.where(
        (F.col("segment") != EVERYONE) if segments else (F.col("segment") == EVERYONE)
    )
    tested = newest.select("model_version", "first_test_as_of", "last_test_as_of")
    columns = ["model_version", "target", "split", "first_test_as_of", "last_test_as_of"]
    columns += ["model", "segment", "metric", "point", "x", "value", "rows", "low", "high"]
    found = rows.join(tested, on="model_version", how="inner").select(columns)
    return collect(found, ["model", "segment", "metric", "point"])


def whole_shop(table: DataFrame) -> DataFrame:
    """Rows of the total over all countries and channels."""
    return table.where((F.col("country") == "all") & (F.col("channel") == "all"))


def collect(table: DataFrame, order: list[str]) -> pd.DataFrame:
    """Bring the rows here, sorted; dates as datetime64, counts as integers also with NULLs."""
    frame = table.toPandas()
    for field in table.schema:
        if isinstance(field.dataType, DateType):
            frame[field.name] = pd.to_datetime(frame[field.name])
        elif isinstance(field.dataType, LongType | IntegerType):
            frame[field.name] = frame[field.name].astype("Int64")
    return frame.sort_values(order, ignore_index=True)
