"""Snapshots and labels of a random log, by the queries of sql/features."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from jobs.core.catalog import all_tables, views_read
from jobs.core.queries import Value, render
from tests.random_log import FIRST_DATE, RandomLog

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

KEY = ["user_id", "as_of"]
ACTIVE = ("view", "add_to_cart", "purchase")


def snapshot_params(first: date, end: date, stride: int = 7, **changes: Value) -> dict[str, Value]:
    """Parameters of the snapshots on [first, end)."""
    return {
        "snapshot_from": first,
        "snapshot_to": end,
        "snapshot_stride_days": stride,
        "population": "active",
        "population_days": 30,
        "first_date": FIRST_DATE,
        "active_event_types": ACTIVE,
        "tz": "UTC",
    } | changes


def run_query(spark: SparkSession, table: str, params: dict[str, Value]) -> DataFrame:
    for view in views_read(all_tables()[table]):
        spark.sql(render(view.query or "", params)).createOrReplaceTempView(view.name)
    return spark.sql(render(all_tables()[table].query or "", params))


def snapshots(
    spark: SparkSession, log: RandomLog, first: date, end: date, stride: int = 7, **changes: Value
) -> pd.DataFrame:
    """Snapshots of the log, sorted by user and date."""
    log.register(spark)
    rows = run_query(spark, "user_snapshots", snapshot_params(first, end, stride, **changes))
    return rows.toPandas().sort_values(KEY, ignore_index=True)


def snapshots_at(
    spark: SparkSession, log: RandomLog, as_of: date, **changes: Value
) -> pd.DataFrame:
    """Snapshots of one date."""
    return snapshots(spark, log, as_of, as_of + timedelta(days=1), **changes)


def labels(
    spark: SparkSession, log: RandomLog, kind: str, horizon_days: int, last_date: date
) -> DataFrame:
    """Labels of a kind for the rows of the view user_snapshots, from this log."""
    log.register(spark)
    daily_metrics(spark).createOrReplaceTempView("user_daily_metrics")
    params: dict[str, Value] = {"horizon_days": horizon_days, "as_of": last_date}
    return run_query(spark, f"{kind}_labels", params)


def daily_metrics(spark: SparkSession) -> DataFrame:
    """Rows of user_daily_metrics from the facts that are registered."""
    days: dict[str, Value] = {"from_date": date(1, 1, 1), "to_date": date(9999, 12, 31)}
    return run_query(spark, "user_daily_metrics", days | {"active_event_types": ACTIVE})
