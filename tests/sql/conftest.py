"""Ten rows take longer to plan and compile than to count, so here Spark does neither."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

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
