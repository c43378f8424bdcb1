"""A run on a warehouse that holds a random log as silver, for the tests of training and scoring."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.core.batches import Batch, load
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from tests.random_log import FIRST_DATE, TABLES, random_log
from tests.snapshot_queries import daily_metrics

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from jobs.propensity.trained import Trained

DAYS = 75
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
# The log begins before the first event, so that there is a day without eligible users.
OPENING = FIRST_DATE - timedelta(days=3)
# Small trees and few draws: these tests are about the flow.
FEW = {"max_trees": 5, "max_depth": 2, "subsampling_rate": 1.0, "features_per_node": 1.0}


@dataclass(frozen=True)
class TrainedShop:
    """A warehouse with a model of purchase_7d and one of churn_14d; not to be changed."""

    run: Run
    models: list[Trained]


def model_run(spark: SparkSession, folder: Path) -> Run:
    """A run with two targets; bronze only says which days it covers."""
    config = load_config()
    settings = config.propensity | {"resamples": 20}
    for kind in ("purchase", "churn"):
        own = settings[kind]
        settings[kind] = own | {"boosting": own["boosting"] | FEW}
    warehouse = Warehouse(folder, spark, "run-1")
    log = random_log(seed=11, users=400, days=DAYS)
    for table in TABLES:
        warehouse.replace_table(table, log.frame(spark, table))
    warehouse.register(TABLES)
    warehouse.replace_table("user_daily_metrics", daily_metrics(spark))
    _cover(warehouse, spark, OPENING, LAST_DATE)
    return Run(
        spark,
        replace(config, propensity=settings),
        warehouse,
        Progress(),
        Manifest("run-1", "train", []),
    )


def on_copy(run: Run, folder: Path) -> Run:
    """The same run on a copy of its warehouse; a log names its files relative to their folder."""
    shutil.copytree(run.warehouse.root, folder)
    return replace(run, warehouse=Warehouse(folder, run.spark, "run-1"))


def with_settings(run: Run, **changes: Any) -> Run:
    """The same run under other settings of `propensity`."""
    config = replace(run.config, propensity=run.config.propensity | changes)
    return replace(run, config=config)


def _cover(warehouse: Warehouse, spark: SparkSession, first: date, last: date) -> None:
    log = random_log(seed=11, users=20, days=2)
    event = log.frame(spark, "fact_events").limit(1)
    bronze = event.select("event_id", "user_id", "ts", "event_type", "value", "ingest_ts")
    load(
        warehouse,
        Batch("bronze_events", "batch-1", "test", first, last, covers_every_day=True),
        bronze,
    )
