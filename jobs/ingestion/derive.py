"""What a team's logs do not hold, made from what they do."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.ingestion.moments import CENTS
from jobs.ingestion.normalise import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

PURCHASE = "purchase"


def purchases_of_orders(orders: DataFrame) -> DataFrame:
    """Events of a log that holds orders only: a purchase per order, of the same id and time."""
    return orders.select(
        F.col("order_id").alias("event_id"),
        "user_id",
        "ts",
        F.lit(PURCHASE).alias("event_type"),
        F.col("amount").cast("double").alias("value"),
        "ingest_ts",
    )


def orders_of_purchases(events: DataFrame) -> DataFrame:
    """Orders of a log that holds events only: one per purchase with a value, rounded to cents."""
    purchases = events.where((F.col("event_type") == PURCHASE) & F.col("value").isNotNull())
    return purchases.select(
        F.col("event_id").alias("order_id"),
        "user_id",
        "ts",
        # Through text, which is the shortest decimal that stands for the double: 1.005 stays so.
        F.col("value").cast("string").cast("DECIMAL(38,10)").cast(CENTS).alias("amount"),
        "ingest_ts",
    )


def users_of_activity(
    activity: Sequence[DataFrame], known: DataFrame | None, clock: Clock, earliest: date
) -> DataFrame:
    """Users of a log without users: signed up on the day of their first activity.

    Parameters
    ----------
    activity
        Events and orders.
    known
        bronze_users, or None; a user known there with the same signup or an earlier one is left
        out.
    earliest
        Activity before this day comes from a broken clock and is no sign-up.
    """
    seen = reduce(
        lambda left, right: left.unionByName(right),
        [rows.select("user_id", "row_date") for rows in activity],
    )
    first = (
        seen.where(F.col("row_date") >= F.lit(earliest))
        .groupBy("user_id")
        .agg(F.min("row_date").alias("signup_date"))
    )
    if known is not None:
        before = known.groupBy("user_id").agg(F.min("signup_date").alias("known_date"))
        joined = first.join(before, on="user_id", how="left")
        is_new = F.col("known_date").isNull() | (F.col("known_date") > F.col("signup_date"))
        first = joined.where(is_new)
    return first.select(
        "user_id",
        "signup_date",
        F.lit(None).cast("string").alias("country"),
        F.lit(None).cast("string").alias("channel"),
        F.col("signup_date").cast("timestamp").alias("ingest_ts"),
    )
