"""What the tests of SQL share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.sql.small_shop import build_shop

# Ten rows take longer to plan and compile than to count, so here Spark does neither.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


@pytest.fixture(scope="package", autouse=True)
def interpreted(spark: SparkSession) -> Iterator[None]:
    before = {key: spark.conf.get(key, None) for key in INTERPRETED}
    for key, value in INTERPRETED.items():
        spark.conf.set(key, value)
    yield
    for key, known in before.items():
        if known is None:
            spark.conf.unset(key)
        else:
            spark.conf.set(key, known)


@pytest.fixture(scope="package")
def built_shop(spark: SparkSession, interpreted: None) -> dict[str, DataFrame]:
    return build_shop(spark)


@pytest.fixture(scope="module")
def shop(built_shop: dict[str, DataFrame]) -> dict[str, DataFrame]:
    """Every table of the small shop, registered anew: other modules register theirs."""
    for name, table in built_shop.items():
        table.createOrReplaceTempView(name)
    return built_shop
