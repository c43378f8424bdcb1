"""Training and scoring on a warehouse: what is written, what is refused, what a rerun changes."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.batches import Batch, load
from jobs.core.catalog import all_tables
from jobs.core.checks import run_checks
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.errors import ContractError, UsageError
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import Trained, train
from tests.random_log import FIRST_DATE, TABLES, random_log

DAYS = 53
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
# The log begins before the first event, so that there is a day without eligible users.
OPENING = FIRST_DATE - timedelta(days=3)


@pytest.fixture(scope="module")
def run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on a warehouse with a random log as silver; bronze only says which days it covers."""
    config = load_config()
    boosting = config.propensity["boosting"] | {"trees": 4}
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"), spark, "run-1")
    log = random_log(seed=11, users=800, days=DAYS)
    for table in TABLES:
        warehouse.replace_table(table, log.frame(spark, table))
    event = log.frame(spark, "fact_events").limit(1)
    bronze = event.select("event_id", "user_id", "ts", "event_type", "value", "ingest_ts")
    batch = Batch("bronze_events", "batch-1", "test", OPENING, LAST_DATE, covers_every_day=True)
    load(warehouse, batch, bronze)
    return Run(
        spark,
        dataclasses.replace(config, propensity=config.propensity | {"boosting": boosting}),
        warehouse,
        Progress(),
        Manifest("run-1", "train", []),
    )


@pytest.fixture(scope="module")
def trained(run: Run) -> Trained:
    return train(run)


def test_score_needs_a_model(run: Run) -> None:
    assert not run.warehouse.exists("model_registry")
    with pytest.raises(ContractError, match="no model is registered for purchase_7d"):
        score(run)


def test_the_same_training_registers_nothing_unless_another_model_serves(
    run: Run, trained: Trained
) -> None:
    assert trained.is_new
    assert trained.figures["roc_auc"] > 0.6
    assert train(run) == dataclasses.replace(trained, is_new=False)
    registry = run.warehouse.read("model_registry")
    assert [row["model_version"] for row in registry.collect()] == [trained.model_version]

    other = registry.withColumns(
        {"registration": F.lit(2).cast("bigint"), "model_version": F.lit("another")}
    )
    run.warehouse.append("model_registry", other)
    assert not train(run).is_new
    rows = run.warehouse.read("model_registry").orderBy("registration").collect()
    served = [(row["registration"], row["model_version"]) for row in rows]
    assert served == [(1, trained.model_version), (2, "another"), (3, trained.model_version)]
    run.warehouse.replace_where("model_registry", other.limit(0), "model_version = 'another'")


def test_a_day_is_scored_once_however_often_it_is_asked_for(run: Run, trained: Trained) -> None:
    first = score(run)
    assert first.model_version == trained.model_version
    assert first.as_of == LAST_DATE + timedelta(days=1)
    before = run.warehouse.read("propensity_scores_daily").drop("scored_at").toPandas()
    earlier = score(run, LAST_DATE - timedelta(days=3))
    score(run, LAST_DATE)
    after = run.warehouse.read("propensity_scores_daily").drop("scored_at")
    repeated = after.where(F.col("as_of") == first.as_of).toPandas()
    by_rank = ["as_of", "rank"]
    one, other = (frame.sort_values(by_rank, ignore_index=True) for frame in (before, repeated))
    assert one.equals(other)
    assert len(other) == first.users > 100
    assert after.count() == first.users + earlier.users
    assert other["margin"].is_monotonic_decreasing
    ties = other.groupby("margin", sort=False)["user_id"]
    assert ties.apply(lambda users: users.is_monotonic_increasing).all()
    assert other["decile"].value_counts().between(first.users // 10, first.users // 10 + 1).all()
    assert other["is_selected"].sum() == first.selected > 0
    assert other["is_selected"].is_monotonic_decreasing


def test_checks_of_the_model_tables_pass(run: Run) -> None:
    run.warehouse.register()
    tables = [t for t in all_tables().values() if t.layer in ("features", "ml")]
    results = run_checks(run.spark, tables, {})
    assert len(results) >= 15
    assert [r.check.name for r in results if r.bad_rows] == []


@pytest.mark.parametrize("offset", [-1, DAYS + 3])
def test_a_day_outside_the_log_is_refused(run: Run, trained: Trained, offset: int) -> None:
    with pytest.raises(UsageError, match="no log for"):
        score(run, OPENING + timedelta(days=offset))


def test_a_day_after_which_nobody_is_eligible_is_refused(run: Run, trained: Trained) -> None:
    with pytest.raises(ContractError, match=f"no data for {OPENING}"):
        score(run, OPENING)
