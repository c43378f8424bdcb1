"""activity_sketches_hourly against its definition, each sketch by its estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from jobs.core.catalog import all_tables
from tests.oracle.definitions.sketches import activity_sketches_hourly
from tests.oracle.histories import History, Row, answer, histories, same
from tests.sql.harness import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "activity_sketches_hourly"


def estimated(spark: SparkSession, rows: list[Row]) -> list[Row]:
    sketched = frame(spark, all_tables()[NAME].schema, rows)
    estimates = {
        "users_hll": "HLL_SKETCH_ESTIMATE(users_hll) AS users_hll",
        "users_theta": "THETA_SKETCH_ESTIMATE(users_theta) AS users_theta",
    }
    columns = [estimates.get(name, name) for name in sketched.columns]
    return sketched.selectExpr(*columns).toArrow().to_pylist()


@given(history=histories(max_days=3, max_users=12))
def test_counts_are_those_of_the_definition(sail: SparkSession, history: History) -> None:
    rows = estimated(sail, answer(sail, NAME, history))
    found, expected = same(rows, activity_sketches_hourly(history))
    assert found == expected
