"""A column that peeks one day ahead is found among the honest ones, which pass."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StringType
from sklearn.metrics import roc_auc_score

from jobs.core.catalog import all_tables
from jobs.core.config import load_config
from jobs.propensity.leakage import peeking_features
from jobs.propensity.settings import settings_of
from tests.random_log import FIRST_DATE, RandomLog, random_log
from tests.snapshot_queries import KEY, labels, snapshots

DATES = [FIRST_DATE + timedelta(days=day) for day in range(40, 52)]
# What a snapshot of the next day says, that a feature of today must not.
PEEKED = {
    "purchase": ["orders_3d", "days_since_last_order", "active_hours_3d"],
    "churn": ["views_7d", "days_since_last_active", "active_hours_3d"],
}
LIMIT = settings_of(load_config()).gates.peeking
SNAPSHOT = all_tables()["user_snapshots"].schema
HONEST = [f.name for f in SNAPSHOT if f.name not in KEY and not isinstance(f.dataType, StringType)]


@pytest.fixture(scope="module")
def log() -> RandomLog:
    return random_log(seed=9, users=2_500, days=60)


@pytest.fixture(scope="module")
def rows(spark: SparkSession, log: RandomLog) -> pd.DataFrame:
    """Snapshots of some dates, and beside them what the next day's say of the same users."""
    every = snapshots(spark, log, DATES[0], DATES[-1] + timedelta(days=1), stride=1)
    spark.createDataFrame(every[KEY]).createOrReplaceTempView("user_snapshots")
    tomorrow = every.drop(columns=["country", "channel"])
    tomorrow["as_of"] = [as_of - timedelta(days=1) for as_of in tomorrow["as_of"]]
    both = every.merge(tomorrow, on=KEY, suffixes=("", "_peeking"))
    for kind in ("purchase", "churn"):
        for days in (1, 2, 7):
            known = labels(spark, log, kind, days, FIRST_DATE + timedelta(days=59)).toPandas()
            name = {"label": f"{kind}_{days}d"}
            both = both.merge(known.rename(columns=name), on=KEY)
    return both


def found_in(rows: pd.DataFrame, columns: list[str], kind: str) -> set[str]:
    positive = 1 if kind == "purchase" else 0
    came = [(rows[f"{kind}_{days}d"] == positive).to_numpy() for days in (1, 2)]
    matrix = rows[columns].to_numpy(dtype=float)
    return {
        one.feature for one in peeking_features(matrix, tuple(columns), came[0], came[1], LIMIT)
    }


@pytest.mark.parametrize("kind", ["purchase", "churn"])
def test_honest_features_pass_and_peeking_ones_are_found(rows: pd.DataFrame, kind: str) -> None:
    planted = [f"{name}_peeking" for name in PEEKED[kind]]
    assert found_in(rows, HONEST, kind) == set()
    assert found_in(rows, [*HONEST, *planted], kind) == set(planted)


def test_a_day_drowned_in_a_long_average_escapes(rows: pd.DataFrame) -> None:
    """The limit of the alarm; garbage in the future finds it (test_snapshots_leakage.py)."""
    assert found_in(rows, ["active_day_rate_peeking"], "churn") == set()


def test_the_label_itself_does_not_give_a_peeking_column_away(rows: pd.DataFrame) -> None:
    """Why the alarm looks at single days: over 7 days some honest column does as well."""
    label = rows["churn_7d"] == 0
    peeking = roc_auc_score(label, rows["views_7d_peeking"])
    honest = roc_auc_score(label, rows["active_days_30d"])
    assert peeking < honest + LIMIT


def test_few_rows_raise_no_alarm() -> None:
    draw = np.random.default_rng(3)
    for _ in range(50):
        first = draw.random(60) < 0.1
        second = first | (draw.random(60) < 0.1)
        if first.sum() > 0 and (second & ~first).sum() > 0:
            names = tuple("abcdefgh")
            assert peeking_features(draw.normal(size=(60, 8)), names, first, second, LIMIT) == []
