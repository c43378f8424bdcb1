"""The sample of `verify --realism`, made by workers: the same rows as made in one piece."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from jobs.proof.realism_sample import (
    cohort_orders,
    cohort_window,
    sampled_orders,
    sampled_traffic,
    traffic_counts,
    traffic_window,
)
from jobs.proof.realism_targets import SampleSettings
from tests.shop_worlds import settings

# More than one block of users each.
SMALL = SampleSettings(cohort_users=6000, traffic_users=5000)


@pytest.mark.slow
def test_workers_make_the_rows_of_one_piece(spark: SparkSession) -> None:
    cohort = cohort_window(settings(), SMALL, seed=42)
    order = ["user_id", "day", "amount"]
    expected = cohort_orders(cohort, 0, cohort.users).sort_values(order, ignore_index=True)
    found = sampled_orders(spark, cohort).sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)
    year = traffic_window(settings(), SMALL, seed=42)
    cell = ["country", "day", "hour"]
    counts = traffic_counts(year, 0, year.users).sort_values(cell, ignore_index=True)
    counts["day"] = pd.to_datetime(counts["day"], unit="D")
    traffic = sampled_traffic(spark, year).sort_values(cell, ignore_index=True)
    pd.testing.assert_frame_equal(traffic, counts, check_dtype=False)
