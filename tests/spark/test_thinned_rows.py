"""Rows drawn to be fitted on: of the right class, the same ones in any order."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.propensity.thinning import SliceSize, Thinning

ROWS, POSITIVES = 20_000, 2_000


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    frame = spark.range(ROWS).select(
        F.col("id").alias("user_id"),
        F.lit(date(2024, 3, 4)).alias("as_of"),
        (F.col("id") % (ROWS // POSITIVES) == 0).cast("int").alias("label"),
    )
    return frame.cache()


def counts(frame: DataFrame) -> dict[int, int]:
    return {row["label"]: row["count"] for row in frame.groupBy("label").count().collect()}


def test_the_commoner_class_is_thinned_and_the_rarer_is_whole(rows: DataFrame) -> None:
    thinning = Thinning.to(SliceSize(ROWS, POSITIVES), 8_000)
    found = counts(thinning.keep(rows))
    assert found[1] == POSITIVES
    assert found[0] == pytest.approx(6_000, abs=4 * 75)


def test_both_classes_are_thinned_where_the_rarer_is_more_than_half(rows: DataFrame) -> None:
    found = counts(Thinning.to(SliceSize(ROWS, POSITIVES), 2_000).keep(rows))
    assert found[1] == pytest.approx(1_000, abs=4 * 25)
    assert found[0] == pytest.approx(1_000, abs=4 * 32)


def test_who_is_kept_depends_on_the_key_alone(rows: DataFrame) -> None:
    thinning = Thinning.to(SliceSize(ROWS, POSITIVES), 5_000)
    kept, shuffled = (
        {row["user_id"] for row in thinning.keep(frame).collect()}
        for frame in (rows, rows.orderBy(F.rand(3)).repartition(5))
    )
    assert kept == shuffled
    # Of fewer the same ones: a longer log does not deal them out anew.
    fewer = Thinning.to(SliceSize(ROWS, POSITIVES), 3_000).keep(rows)
    assert {row["user_id"] for row in fewer.collect()} < kept


def test_a_small_slice_is_kept_as_it_is(rows: DataFrame) -> None:
    assert Thinning.to(SliceSize(ROWS, POSITIVES), ROWS).keep(rows) is rows
