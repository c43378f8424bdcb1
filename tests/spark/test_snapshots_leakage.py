"""Features at T are a function of what had happened and arrived by T, and of nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.random_log import FIRST_DATE, RandomLog, money, random_log

DATES = tuple(FIRST_DATE + timedelta(days=d) for d in (31, 38, 45))
KEY = ["user_id", "as_of"]


def snapshots(
    spark: SparkSession, log: RandomLog, first: date, end: date, stride: int = 7
) -> pd.DataFrame:
    log.register(spark)
    query = all_tables()["user_snapshots"].query
    assert query is not None
    params = {
        "snapshot_from": first,
        "snapshot_to": end,
        "snapshot_stride_days": stride,
        "population_days": 30,
        "active_event_types": ("view", "add_to_cart", "purchase"),
        "tz": "UTC",
    }
    rows = spark.sql(render(query, params)).toPandas()
    return rows.sort_values(KEY, ignore_index=True)


def at(spark: SparkSession, log: RandomLog, as_of: date) -> pd.DataFrame:
    return snapshots(spark, log, as_of, as_of + timedelta(days=1))


def unknown_at(rows: pd.DataFrame, as_of: date) -> pd.Series:
    """Rows that T must not see: they happened at or after T, or arrived after it."""
    midnight = pd.Timestamp(as_of)
    return (rows["ts"] >= midnight) | (rows["ingest_ts"] > midnight)


def with_garbage(log: RandomLog, as_of: date, offset: pd.Timedelta) -> RandomLog:
    """The log with every row unknown at T moved, retyped and multiplied.

    The garbage happens at T + offset or later and arrives before T, so that only the first clock
    can keep it out; a second copy happens before T and arrives after it, for the second clock.
    """
    draw = np.random.default_rng(1)
    midnight = pd.Timestamp(as_of)

    def garbled(rows: pd.DataFrame, date_column: str) -> pd.DataFrame:
        unknown = unknown_at(rows, as_of)
        future = rows[unknown].copy()
        spread = pd.to_timedelta(draw.integers(0, 5, len(future)), unit="h")
        future["ts"] = midnight + offset + spread
        future["ingest_ts"] = midnight - pd.Timedelta(1, "h")
        late = rows[unknown].copy()
        late["ts"] = midnight - pd.Timedelta(3, "h")
        late["ingest_ts"] = midnight + pd.Timedelta(1, "us")
        for copy in (future, late):
            copy[date_column] = copy["ts"].dt.date
        return pd.concat([rows[~unknown], future, late], ignore_index=True)

    events = garbled(log.fact_events, "event_date")
    orders = garbled(log.fact_orders, "order_date")
    moved = unknown_at(events, as_of)
    events.loc[moved, "event_type"] = draw.choice(["view", "add_to_cart"], int(moved.sum()))
    orders.loc[unknown_at(orders, as_of), "amount"] = money(99_999_999)
    return RandomLog(events, orders, log.dim_users.assign(last_active_date=date(2030, 1, 1)))


def differing_cells(left: pd.DataFrame, right: pd.DataFrame) -> int:
    """Cells that differ, a row that only one side has counting with all its cells."""
    both = left.merge(right, on=KEY, how="outer", indicator=True, suffixes=("", "_other"))
    lonely = int((both["_merge"] != "both").sum()) * len(left.columns)
    paired = both[both["_merge"] == "both"]
    features = [c for c in left.columns if c not in KEY]
    unequal = sum(int((paired[c] != paired[f"{c}_other"]).sum()) for c in features)
    return lonely + unequal


@pytest.fixture(scope="module")
def log() -> RandomLog:
    return random_log(seed=5, users=150, days=60)


@pytest.fixture(scope="module")
def truth(spark: SparkSession, log: RandomLog) -> pd.DataFrame:
    return snapshots(spark, log, DATES[0], DATES[-1] + timedelta(days=1))


@pytest.mark.parametrize("as_of", DATES[::2])
def test_garbage_in_the_future_changes_no_cell(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame, as_of: date
) -> None:
    expected = truth[truth["as_of"] == as_of]
    assert len(expected) > 50
    assert unknown_at(log.fact_events, as_of).sum() > 100
    garbled = with_garbage(log, as_of, offset=pd.Timedelta(0))
    assert differing_cells(expected, at(spark, garbled, as_of)) == 0


def test_garbage_a_microsecond_before_is_seen(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    as_of = DATES[0]
    garbled = with_garbage(log, as_of, offset=pd.Timedelta(-1, "us"))
    expected = truth[truth["as_of"] == as_of]
    assert differing_cells(expected, at(spark, garbled, as_of)) > 100


def test_late_rows_leave_the_past_as_it_was_written(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    as_of = DATES[1]
    events, orders = log.fact_events, log.fact_orders
    arrived = RandomLog(
        events[events["ingest_ts"] <= pd.Timestamp(as_of)],
        orders[orders["ingest_ts"] <= pd.Timestamp(as_of)],
        log.dim_users,
    )
    late = (events["ts"] < pd.Timestamp(as_of)) & (events["ingest_ts"] > pd.Timestamp(as_of))
    assert late.sum() > 5
    expected = truth[truth["as_of"] == as_of]
    assert differing_cells(expected, at(spark, arrived, as_of)) == 0


def test_one_date_alone_equals_the_range_at_once(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    alone = pd.concat([at(spark, log, as_of) for as_of in DATES], ignore_index=True)
    assert sorted(truth["as_of"].unique()) == list(DATES)
    assert differing_cells(truth, alone) == 0


def test_features_agree_with_a_second_reckoning(log: RandomLog, truth: pd.DataFrame) -> None:
    """Window sums and ages, counted user by user from the rows known at T."""
    as_of = DATES[1]
    events = log.fact_events[~unknown_at(log.fact_events, as_of)]
    orders = log.fact_orders[~unknown_at(log.fact_orders, as_of)]
    rows = truth[truth["as_of"] == as_of].set_index("user_id")
    month = pd.Timestamp(as_of) - pd.Timedelta(30, "D")
    active = events[events["ts"] >= month].groupby("user_id")["event_date"].nunique()
    assert sorted(rows.index) == sorted(active.index)
    assert (rows["active_days_30d"] == active).all()
    views = events[(events["ts"] >= month) & (events["event_type"] == "view")]
    assert (
        rows["views_30d"] == views.groupby("user_id").size().reindex(rows.index, fill_value=0)
    ).all()
    by_user = orders[orders["user_id"].isin(rows.index)].groupby("user_id")
    assert (rows.loc[list(by_user.groups), "orders_lifetime"] == by_user.size()).all()
    age = by_user["order_date"].max().map(lambda day: (as_of - day).days)
    assert (rows.loc[age.index, "days_since_last_order"] == age).all()
    assert int(rows["is_last_order_missing"].sum()) == len(rows) - len(age)
    spent = by_user["amount"].sum().astype(float)
    assert np.allclose(rows.loc[spent.index, "revenue_lifetime"], spent, rtol=1e-12)
