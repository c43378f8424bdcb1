"""One session of each engine for the whole test run, and how hypothesis draws."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

from jobs.core.sail import connect_beside_spark
from jobs.core.session import read_properties

ROOT = Path(__file__).resolve().parents[1]

# What differs from conf/spark-local.conf: small data, so few partitions, no bar, and plans that are
# interpreted: to compile them took a fifth of the time. Commands that tests run do compile.
SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


EXAMPLES, EXAMPLES_WITH_SLOW = 50, 300


def pytest_configure(config: pytest.Config) -> None:
    with_slow = config.option.markexpr != "not slow"
    # The same draws in every run, so that a red run can be repeated.
    settings.register_profile(
        "glasshouse",
        max_examples=EXAMPLES_WITH_SLOW if with_slow else EXAMPLES,
        deadline=None,  # the first query of a process compiles
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=False,
    )
    settings.load_profile("glasshouse")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYTHONPATH"] = str(ROOT)
    scratch = tmp_path_factory.mktemp("spark")
    settings = read_properties(ROOT / "conf" / "spark-local.conf") | SMALL
    options = settings.pop("spark.driver.extraJavaOptions", "")
    # The first compiler alone starts faster, but is given too little room for a long test run.
    light = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
    settings["spark.driver.extraJavaOptions"] = f"{options} {light}".strip()
    jars = sorted((ROOT / "build" / "jars").glob("*.jar"))
    settings["spark.jars"] = ",".join(str(jar) for jar in jars)
    settings["spark.sql.warehouse.dir"] = str(scratch)
    builder = SparkSession.builder.appName("glasshouse tests")
    for key, value in settings.items():
        builder = builder.config(key, value)
    # The driver's memory and options count only if they are there before the JVM starts.
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--driver-memory {settings['spark.driver.memory']} pyspark-shell"
    )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def sail() -> Iterator[SparkSession]:
    """A session on Sail beside the JVM of `spark`: starts at once and answers in milliseconds."""
    session = connect_beside_spark()
    yield session
    session.stop()
