"""What the tests of SQL share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.sql.small_shop import build_shop

ADAPTIVE = "spark.sql.adaptive.enabled"


@pytest.fixture(scope="package", autouse=True)
def planned_once(spark: SparkSession) -> Iterator[None]:
    """Of ten rows there is nothing to learn on the way that would pay for planning anew."""
    before = spark.conf.get(ADAPTIVE)
    spark.conf.set(ADAPTIVE, "false")
    yield
    spark.conf.set(ADAPTIVE, before)


@pytest.fixture(scope="package")
def built_shop(sail: SparkSession) -> dict[str, DataFrame]:
    # The cases run every query on both engines; what follows from their results, one may show.
    return build_shop(sail)


@pytest.fixture(scope="module")
def shop(built_shop: dict[str, DataFrame]) -> dict[str, DataFrame]:
    """Every table of the small shop, registered anew: other modules register theirs."""
    for name, table in built_shop.items():
        table.createOrReplaceTempView(name)
    return built_shop
