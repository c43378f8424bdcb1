"""Histories of customers: those of the paper from its log, and those of user_snapshots."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from jobs.propensity.bgnbd.histories import Histories, histories_by_snapshot
from jobs.propensity.bgnbd.model import BgNbd
from jobs.propensity.purchase_rhythm import COLUMNS, rhythm_stage
from tests.cdnow import datasets
from tests.random_log import FIRST_DATE, random_log
from tests.snapshot_queries import snapshots as snapshots_of
from tests.snapshot_queries import snapshots_at

KEY = ["user_id", "as_of"]


@pytest.mark.parametrize("engine", ["spark", "sail"])
def test_the_log_of_cdnow_gives_the_published_histories(
    engine: str, request: pytest.FixtureRequest
) -> None:
    session: SparkSession = request.getfixturevalue(engine)
    names = ["master_id", "user_id", "day", "items", "dollars"]
    log = pd.read_csv(datasets() / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names)
    log["order_date"] = pd.to_datetime(log["day"], format="%Y%m%d").dt.date
    as_of = date(1997, 10, 1)  # the first 39 weeks
    log = log[log["order_date"] < as_of].assign(as_of=as_of)
    found = histories_by_snapshot(session.createDataFrame(log[[*KEY, "order_date"]])).toPandas()
    found = found.sort_values("user_id", ignore_index=True)
    wanted = pd.read_csv(datasets() / "cdnow_customers_summary.csv")
    assert len(found) == len(wanted) == 2_357
    np.testing.assert_array_equal(found["repeats"], wanted["frequency"])
    # Published in weeks, rounded to two digits.
    np.testing.assert_allclose(found["last"] / 7, wanted["recency"], rtol=0, atol=0.005)
    np.testing.assert_allclose(found["age"] / 7, wanted["T"], rtol=0, atol=0.005)


def test_histories_agree_with_the_features_of_the_same_snapshot(spark: SparkSession) -> None:
    log = random_log(seed=3, users=400, days=60)
    dates = [FIRST_DATE + timedelta(days=d) for d in (31, 38, 45, 52)]
    end = dates[-1] + timedelta(days=1)
    snapshots = snapshots_of(spark, log, dates[0], end, population_days=60)

    # What was known of orders at each date by both clocks, with duplicates of a day.
    orders = log.fact_orders
    parts = []
    for as_of in dates:
        midnight = pd.Timestamp(as_of)
        known = orders[(orders["ts"] < midnight) & (orders["ingest_ts"] <= midnight)]
        parts.append(known[["user_id", "order_date"]].assign(as_of=as_of))
    known_days = pd.concat(parts, ignore_index=True)
    assert known_days.duplicated().any()
    found = histories_by_snapshot(spark.createDataFrame(known_days))
    assert found.columns == [*KEY, "repeats", "last", "age"]
    both = snapshots.merge(found.toPandas(), on=KEY, how="outer", indicator=True)

    has_ordered = ~both["is_last_order_missing"].astype(bool)
    assert set(both.loc[has_ordered, "_merge"]) == {"both"}
    assert set(both.loc[~has_ordered, "_merge"]) == {"left_only"}
    buyers = both[has_ordered]
    Histories.of(buyers["repeats"], buyers["last"], buyers["age"])  # all possible
    np.testing.assert_array_equal(
        buyers["age"] - buyers["last"] + 1, buyers["days_since_last_order"]
    )
    np.testing.assert_array_equal(buyers["repeats"] + 1, buyers["order_days_lifetime"])
    np.testing.assert_array_equal(buyers["age"] + 1, buyers["days_since_first_order"])
    assert (buyers["repeats"] + 1 < buyers["orders_lifetime"]).any()
    several = buyers[buyers["orders_lifetime"] > 1]
    gaps = several["mean_order_gap_days"] * (several["orders_lifetime"] - 1)
    np.testing.assert_allclose(gaps, several["last"], rtol=1e-12)


def test_a_first_order_yesterday_has_no_age_and_a_repeat_yesterday_no_silence(
    sail: SparkSession,
) -> None:
    rows = [(1, "2024-03-09"), (2, "2024-03-01"), (2, "2024-03-09"), (2, "2024-03-09")]
    frame = sail.createDataFrame(rows, "user_id BIGINT, day STRING").selectExpr(
        "user_id", "DATE'2024-03-10' AS as_of", "DATE(day) AS order_date"
    )
    found = {row["user_id"]: row for row in histories_by_snapshot(frame).collect()}
    assert [found[1][name] for name in ("repeats", "last", "age")] == [0, 0, 0]
    assert [found[2][name] for name in ("repeats", "last", "age")] == [1, 8, 8]


@pytest.mark.parametrize("horizon_days", [7, 90])
@pytest.mark.parametrize("model", [BgNbd(0.5, 9.0, 0.8, 2.5), BgNbd(3.0, 40.0, 1.7, 0.3)])
def test_the_stage_of_the_pipeline_says_what_the_model_does(
    spark: SparkSession, model: BgNbd, horizon_days: int
) -> None:
    log = random_log(seed=3, users=300, days=60)
    as_of = FIRST_DATE + timedelta(days=55)
    rows = snapshots_at(spark, log, as_of, population_days=60)
    stage = rhythm_stage(model, horizon_days)
    found = stage.transform(spark.createDataFrame(rows)).toPandas().sort_values("user_id")
    first, last = found["days_since_first_order"], found["days_since_last_order"]
    has_ordered = (first < 9999).to_numpy()
    assert 50 < has_ordered.sum() < len(found)
    assert (found.loc[~has_ordered, list(COLUMNS)] == 0).all(axis=None)
    buyers = found[has_ordered]
    first, last = first[has_ordered], last[has_ordered]
    histories = Histories.of(buyers["order_days_lifetime"] - 1, first - last, first - 1)
    alive, buys = model.alive(histories), model.buys_within(histories, horizon_days)
    for name, wanted in zip(COLUMNS, (alive, buys), strict=True):
        np.testing.assert_allclose(buyers[name], wanted, rtol=1e-12)
