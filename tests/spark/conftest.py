"""One random shop and its models for all tests of a worker that need them: trained once, copied."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs.core.entry import Run
from jobs.propensity.train_flow import train
from tests.model_runs import TrainedShop, model_run, on_copy


@pytest.fixture(scope="session")
def untrained_shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A warehouse that only has silver; not to be changed."""
    return model_run(spark, tmp_path_factory.mktemp("untrained"))


@pytest.fixture(scope="session")
def trained_shop(untrained_shop: Run, tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    run = on_copy(untrained_shop, tmp_path_factory.mktemp("trained") / "warehouse")
    return TrainedShop(run, train(run))


@pytest.fixture(scope="module")
def run(trained_shop: TrainedShop, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained warehouse that the tests of a file may change."""
    return on_copy(trained_shop.run, tmp_path_factory.mktemp("copy") / "warehouse")
