"""The same rows give the same model, to the bit, and labels without signal give none."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError
from jobs.core.queries import render
from jobs.propensity import features, training
from jobs.propensity.settings import BoostingSettings
from jobs.propensity.snapshots import TimeSplit
from jobs.propensity.training import SliceSize, require_both_classes
from tests.random_log import FIRST_DATE, random_log

DATES = tuple(FIRST_DATE + timedelta(days=d) for d in (31, 38, 45))
SPLIT = TimeSplit(DATES[:1], DATES[1:2], DATES[2:])
BOOSTING = BoostingSettings(
    trees=6,
    max_depth=3,
    step_size=0.3,
    min_instances_per_node=500,
    max_bins=32,
    subsampling_rate=1.0,
    partitions=2,
    seed=1,
)


@pytest.fixture(scope="module")
def labelled(spark: SparkSession) -> DataFrame:
    """Snapshots of three dates with their labels and slices."""
    random_log(seed=11, users=1_200, days=53).register(spark)
    params = {
        "snapshot_from": DATES[0],
        "snapshot_to": DATES[-1] + timedelta(days=1),
        "snapshot_stride_days": 7,
        "population_days": 30,
        "horizon_days": 7,
        "as_of": FIRST_DATE + timedelta(days=52),
        "active_event_types": ("view", "add_to_cart", "purchase"),
        "tz": "UTC",
    }
    tables = all_tables()
    snapshots = spark.sql(render(tables["user_snapshots"].query or "", params)).cache()
    snapshots.createOrReplaceTempView("user_snapshots")
    labels = spark.sql(render(tables["purchase_labels"].query or "", params))
    joined = snapshots.join(labels, on=list(features.KEY), how="inner")
    return training.name_slices(joined, SPLIT).cache()


def fitted_margins(frame: DataFrame) -> pd.DataFrame:
    """Margins of the later slices under trees fitted on the training slice."""
    ordered = features.in_fixed_order(frame, BOOSTING.partitions).cache()
    train = ordered.where("slice = 'train'")
    trees = training.fit_trees(train, train.count(), BOOSTING)
    later = training.with_margin(trees, ordered.where("slice <> 'train'"))
    platt = training.fit_calibration(later.where("slice = 'calibrate'"))
    scores = training.plain_scores(platt.transform(later)).toPandas()
    ordered.unpersist()
    return scores.sort_values(["as_of", "user_id"], ignore_index=True)


@pytest.fixture(scope="module")
def margins(labelled: DataFrame) -> pd.DataFrame:
    return fitted_margins(labelled)


def shuffled(frame: DataFrame) -> DataFrame:
    return frame.repartition(5, "tenure_days").orderBy(F.desc("views_30d"), F.xxhash64("user_id"))


def test_place_of_a_row_depends_on_its_key_alone(labelled: DataFrame) -> None:
    places = [
        features.in_fixed_order(frame, 2)
        .select("user_id", "as_of", F.monotonically_increasing_id().alias("place"))
        .toPandas()
        for frame in (labelled, shuffled(labelled))
    ]
    assert not labelled.select("user_id").toPandas().equals(places[0][["user_id"]])
    pd.testing.assert_frame_equal(places[0], places[1])


def test_shuffled_rows_give_the_same_model_to_the_bit(
    labelled: DataFrame, margins: pd.DataFrame
) -> None:
    again = fitted_margins(shuffled(labelled))
    pd.testing.assert_frame_equal(margins, again, check_exact=True)
    assert margins["margin"].nunique() > 10


def test_the_trees_find_the_signal(margins: pd.DataFrame) -> None:
    test = margins[margins["slice"] == "test"]
    assert roc_auc_score(test["purchase_7d"], test["margin"]) > 0.7


def test_permuted_labels_leave_no_signal(labelled: DataFrame) -> None:
    rows = labelled.toPandas()
    draw = np.random.default_rng(7)
    train = rows["slice"] == "train"
    rows.loc[train, "purchase_7d"] = draw.permutation(rows.loc[train, "purchase_7d"])
    frame = labelled.sparkSession.createDataFrame(rows, labelled.schema)
    ordered = features.in_fixed_order(frame, 2).cache()
    trees = training.fit_trees(ordered.where("slice = 'train'"), int(train.sum()), BOOSTING)
    later = training.with_margin(trees, ordered.where("slice <> 'train'")).toPandas()
    ordered.unpersist()
    margin = later["margin_vector"].map(lambda vector: vector[0])
    # Against permuted labels the score of a slice is a fixed list, and ROC has mean 1/2.
    found = roc_auc_score(draw.permutation(later["purchase_7d"]), margin)
    assert abs(found - 0.5) < 0.06


def test_probability_rises_with_the_margin_and_keeps_its_mean(margins: pd.DataFrame) -> None:
    ordered = margins.sort_values("margin")
    assert ordered["probability"].is_monotonic_increasing
    calibrate = margins[margins["slice"] == "calibrate"]
    # The intercept of a logistic fit makes predicted and observed buyers of its own slice equal.
    assert calibrate["probability"].sum() == pytest.approx(calibrate["purchase_7d"].sum(), rel=1e-3)


def test_a_country_never_seen_in_training_is_scored(labelled: DataFrame) -> None:
    encoded = features.encoder().fit(labelled.where("slice = 'train'"))
    strange = labelled.limit(3).withColumn("country", F.lit("XX"))
    vectors = [row["features"] for row in encoded.transform(strange).select("features").collect()]
    numbers = len(features.feature_columns()) - 2
    assert len(vectors) == 3
    # three countries and two channels: no country flag is up, one channel flag is
    assert [vector.size for vector in vectors] == [numbers + 3 + 2] * 3
    assert [sum(vector.toArray()[numbers:]) for vector in vectors] == [1.0] * 3


@pytest.mark.parametrize("size", [SliceSize(0, 0), SliceSize(10, 0), SliceSize(10, 10)])
def test_a_slice_of_one_class_is_refused(size: SliceSize) -> None:
    sizes = {"train": SliceSize(10, 1), "calibrate": size, "test": SliceSize(10, 1)}
    with pytest.raises(ContractError, match="the calibrate slice"):
        require_both_classes(sizes)
