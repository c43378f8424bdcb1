"""A small random log of a shop, for tests that need rows but no particular ones.

Users differ in how often they come and how often they buy, so a model finds something to learn.
Some rows arrive days late, and some carry the very instant at which a day begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.core.catalog import all_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FIRST_DATE = date(2024, 1, 1)
TABLES = ("fact_events", "fact_orders", "dim_users")


@dataclass(frozen=True)
class RandomLog:
    """The three tables as pandas frames with the columns of their contracts."""

    fact_events: pd.DataFrame
    fact_orders: pd.DataFrame
    dim_users: pd.DataFrame

    def frame(self, spark: SparkSession, table: str) -> DataFrame:
        schema = all_tables()[table].schema
        rows = getattr(self, table)[schema.names]
        return spark.createDataFrame(rows, schema)

    def register(self, spark: SparkSession) -> None:
        for table in TABLES:
            self.frame(spark, table).createOrReplaceTempView(table)


def random_log(seed: int, users: int, days: int) -> RandomLog:
    draw = np.random.default_rng(seed)
    rate = draw.gamma(0.8, 0.15, users)
    visits = draw.poisson(np.repeat(rate, days))
    user = np.repeat(np.repeat(np.arange(users), days), visits)
    day = np.repeat(np.tile(np.arange(days), users), visits)
    # Whoever comes often buys often: that is the signal.
    is_cart = draw.random(len(user)) < 0.05 + np.minimum(0.5, rate[user])
    is_order = is_cart & (draw.random(len(user)) < 0.5)
    second = draw.integers(0, 86_000, len(user))
    second[draw.random(len(user)) < 0.02] = 0
    views = _rows(draw, user, day, second, "view")
    carts = _rows(draw, user[is_cart], day[is_cart], second[is_cart] + 60, "add_to_cart")
    bought = _rows(draw, user[is_order], day[is_order], second[is_order] + 120, "purchase")
    events = pd.concat([views, carts, bought], ignore_index=True)
    events["event_id"] = np.arange(len(events))
    events["value"] = np.nan
    events["session_no"] = 1
    first = events.sort_values(["ts", "event_id"]).groupby(["user_id", "event_date"]).head(1)
    events["is_session_start"] = events.index.isin(first.index)
    orders = bought.rename(columns={"event_date": "order_date"})
    orders["order_id"] = np.arange(len(orders))
    amounts = draw.integers(100, 20_000, len(orders))
    orders["amount"] = [money(cents) for cents in amounts]
    return RandomLog(events, orders, _users(draw, users))


def _rows(
    draw: np.random.Generator,
    user: np.ndarray,
    day: np.ndarray,
    second: np.ndarray,
    event_type: str,
) -> pd.DataFrame:
    start = np.datetime64(FIRST_DATE, "s")
    ts = start + day * np.timedelta64(86_400, "s") + second * np.timedelta64(1, "s")
    is_late = draw.random(len(user)) < 0.1
    delay = np.where(is_late, draw.integers(0, 5 * 86_400, len(user)), 1)
    return pd.DataFrame(
        {
            "user_id": user.astype(np.int64) * 1_000_003 + 17,
            "ts": ts.astype("datetime64[us]"),
            "event_type": event_type,
            "ingest_ts": (ts + delay.astype("timedelta64[s]")).astype("datetime64[us]"),
            "event_date": ts.astype("datetime64[D]").astype(object),
        }
    )


def _users(draw: np.random.Generator, users: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": np.arange(users, dtype=np.int64) * 1_000_003 + 17,
            "signup_date": [FIRST_DATE - timedelta(days=int(d)) for d in range(1, users + 1)],
            "country": draw.choice(["DE", "FR", "unknown"], users),
            "channel": draw.choice(["seo", "ads"], users),
            "first_active_at": None,
            "first_active_date": None,
            "last_active_date": None,
            "first_order_date": None,
        }
    )


def money(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)
