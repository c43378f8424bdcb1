"""Monitoring and recalibration on a warehouse: what is stored, repeated, and serves."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.batches import Batch, load
from jobs.core.catalog import all_tables
from jobs.core.checks import run_checks
from jobs.core.config import Config, load_config
from jobs.core.entry import Run
from jobs.core.errors import ContractError, UsageError
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.propensity.monitoring.findings import Finding
from jobs.propensity.monitoring.flow import monitor
from jobs.propensity.promotion import rollback
from jobs.propensity.recalibration import recalibrate
from jobs.propensity.registry import Registry
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import train
from tests.random_log import FIRST_DATE, TABLES, RandomLog, random_log

TARGET = "purchase_7d"
DAYS = 53
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
AS_OF = LAST_DATE + timedelta(days=1)
# Seven days of the label and two for late rows before AS_OF: its labels have just become known.
MATURE = AS_OF - timedelta(days=9)
EARLIER = MATURE - timedelta(days=2)


def small(config: Config) -> Config:
    """Few trees, gates that let a model of a small log pass, two dates to compare with."""
    section = config.propensity
    purchase = section["purchase"] | {
        "boosting": section["purchase"]["boosting"] | {"max_trees": 5}
    }
    changed = {
        "targets": [TARGET],
        "purchase": purchase,
        "resamples": 20,
        "gates": section["gates"] | {"roc_auc": 0.5, "observed_to_expected": 0.99, "log_loss": 1.0},
        "monitoring": section["monitoring"] | {"recent_dates": 2},
    }
    return dataclasses.replace(config, propensity=section | changed)


@pytest.fixture(scope="module")
def log() -> RandomLog:
    return random_log(seed=11, users=1500, days=DAYS)


@pytest.fixture(scope="module")
def run(spark: SparkSession, log: RandomLog, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained model and three scored dates; silver is a random log, bronze only says its days."""
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"), spark, "run-1")
    for table in TABLES:
        warehouse.replace_table(table, log.frame(spark, table))
    for table in ("quarantine", "user_daily_metrics"):
        warehouse.append(table, spark.createDataFrame([], all_tables()[table].schema))
    event = log.frame(spark, "fact_events").limit(1)
    bronze = event.select("event_id", "user_id", "ts", "event_type", "value", "ingest_ts")
    load(
        warehouse,
        Batch("bronze_events", "batch-1", "test", FIRST_DATE, LAST_DATE, covers_every_day=True),
        bronze,
    )
    run = Run(spark, small(load_config()), warehouse, Progress(), Manifest("run-1", "monitor", []))
    with pytest.raises(ContractError, match="propensity_scores_daily"):
        monitor(run)
    (trained,) = train(run)
    assert trained.serves, trained.failed
    for as_of in (EARLIER, MATURE, AS_OF):
        score(run, as_of - timedelta(days=1))
    return run


def by_name(findings: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(finding.check_name, finding.feature): finding for finding in findings}


def stored(run: Run) -> pd.DataFrame:
    table = run.warehouse.read("monitoring_daily").toPandas()
    key = ["as_of", "target", "check_name", "feature"]
    return table.sort_values(key, ignore_index=True)


def serving(run: Run) -> dict[str, Any]:
    return Registry(run.warehouse, run.spark).serving(TARGET)


def test_the_last_scored_date_is_monitored_in_full(run: Run) -> None:
    monitored = monitor(run)
    assert monitored.as_of == AS_OF
    checks = {finding.check_name for finding in monitored.findings}
    assert checks == {
        *("volume", "silence", "quarantine", "feature_psi", "recent_psi", "score_psi"),
        *("expected", "realised", "realised_week"),
    }
    found = by_name(monitored.findings)
    watched = set(all_tables()["user_snapshots"].schema.names) - {"user_id", "as_of"}
    drifts = {feature for check, feature in found if check == "feature_psi"}
    assert drifts == watched - {"as_of_weekday", "observed_days"}
    assert found["feature_psi", "country"].high is not None
    assert found["feature_psi", "tenure_days"].high is None
    assert found["recent_psi", "tenure_days"].high is not None
    table = stored(run)
    assert len(table) == len(monitored.findings)
    models = table[table["target"] == TARGET]["model_version"].unique()
    assert list(models) == [serving(run)["model_version"]]
    assert table[table["target"] == "all"]["model_version"].isna().all()


def test_volumes_are_those_of_the_log(run: Run, log: RandomLog) -> None:
    found = by_name(monitor(run).findings)
    events = log.fact_events
    midnight = pd.Timestamp(AS_OF)
    day = events[(events["event_date"] == LAST_DATE) & (events["ingest_ts"] <= midnight)]
    assert found["volume", "events"].value == len(day) > 0
    assert found["volume", "users"].value == day["user_id"].nunique()
    silent = (midnight - day["ingest_ts"].max()).total_seconds()
    assert found["silence", "events"].value == pytest.approx(silent)
    assert found["volume", "events"].rows == DAYS - 1


def test_outcomes_are_those_of_the_date_whose_labels_have_become_known(
    run: Run, log: RandomLog
) -> None:
    found = by_name(monitor(run).findings)
    scores = run.warehouse.read("propensity_scores_daily").toPandas()
    orders = log.fact_orders

    def labels(as_of: date) -> pd.Series:
        end = as_of + timedelta(days=7)
        bought = orders[(orders["order_date"] >= as_of) & (orders["order_date"] < end)]
        return scores[scores["as_of"] == as_of]["user_id"].isin(bought["user_id"])

    expected = {day: scores[scores["as_of"] == day]["probability"] for day in (EARLIER, MATURE)}
    ratio = labels(MATURE).sum() / expected[MATURE].sum()
    finding = found["realised", "observed_to_expected"]
    assert (finding.judged_as_of, finding.rows) == (MATURE, len(expected[MATURE]))
    assert finding.value == pytest.approx(ratio)
    week = sum(labels(day).sum() for day in expected) / sum(p.sum() for p in expected.values())
    assert found["realised_week", "observed_to_expected"].value == pytest.approx(week)
    assert found["realised", "base_rate"].value == pytest.approx(labels(MATURE).mean())
    assert found["realised", "base_rate"].reference == pytest.approx(expected[MATURE].mean())
    now = scores[scores["as_of"] == AS_OF]
    assert found["expected", "base_rate"].value == pytest.approx(now["probability"].mean())


def test_a_date_again_replaces_that_date_and_no_other_in_any_order(run: Run) -> None:
    monitor(run, AS_OF - timedelta(days=1))
    monitor(run, MATURE - timedelta(days=1))
    before = stored(run)
    assert set(before["as_of"]) == {MATURE, AS_OF}
    monitor(run, AS_OF - timedelta(days=1), TARGET)
    pd.testing.assert_frame_equal(stored(run), before)


def test_checks_of_the_model_tables_pass(run: Run) -> None:
    monitor(run)
    run.warehouse.register()
    tables = [t for t in all_tables().values() if t.layer == "ml"]
    results = run_checks(run.spark, tables, {})
    assert {result.check.table for result in results} >= {"monitoring_daily", "model_registry"}
    assert [r.check.name for r in results if r.bad_rows] == []


def test_a_date_without_scores_and_an_unknown_target_are_refused(run: Run) -> None:
    day = LAST_DATE - timedelta(days=2)
    with pytest.raises(ContractError, match=f"run score --date {day} first"):
        monitor(run, day)
    with pytest.raises(UsageError, match="no target purchase_9d"):
        monitor(run, None, "purchase_9d")


def test_lost_countries_are_an_alarm_of_that_feature(run: Run) -> None:
    whole = run.warehouse.read("user_snapshots").where(F.col("as_of") == AS_OF).cache()
    assert not by_name(monitor(run).findings)["feature_psi", "country"].is_alarm
    is_lost = F.pmod(F.xxhash64("user_id"), F.lit(10)) < 3
    lost = whole.withColumn("country", F.when(is_lost, "lost").otherwise(F.col("country")))
    where = f"as_of = DATE'{AS_OF}'"
    try:
        run.warehouse.replace_where("user_snapshots", lost, where)
        found = by_name(monitor(run).findings)
    finally:
        run.warehouse.replace_where("user_snapshots", whole, where)
    assert found["feature_psi", "country"].is_alarm
    assert not found["feature_psi", "channel"].is_alarm


def test_a_recalibrated_model_scores_with_its_new_curve_until_it_is_rolled_back(run: Run) -> None:
    before = serving(run)
    after = recalibrate(run, TARGET)
    kept = ("model_version", "model_path", "model_sha256", "trees", "gates", "last_train_as_of")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["reason"], after["alias"]) == ("recalibrated", "champion")
    assert after["registration"] == before["registration"] + 1
    assert after["last_calibrate_as_of"] == MATURE > before["last_calibrate_as_of"]
    assert after["calibration_slope"] > 0
    assert after["calibration_intercept"] != before["calibration_intercept"]

    score(run)
    scores = run.warehouse.read("propensity_scores_daily").where(F.col("as_of") == AS_OF).toPandas()
    logit = after["calibration_slope"] * scores["margin"] + after["calibration_intercept"]
    np.testing.assert_allclose(scores["probability"], 1 / (1 + np.exp(-logit)))
    assert (scores["is_selected"] == (scores["probability"] >= after["threshold"])).all()
    # Fitted by maximum likelihood, the curve meets the labels it was fitted on.
    mature = run.warehouse.read("propensity_scores_daily").where(F.col("as_of") == MATURE)
    margin = mature.toPandas()["margin"]
    logit = after["calibration_slope"] * margin + after["calibration_intercept"]
    found = by_name(monitor(run).findings)["realised", "base_rate"]
    assert (1 / (1 + np.exp(-logit))).mean() == pytest.approx(found.value, rel=1e-3)

    with pytest.raises(ContractError, match="is calibrated on the latest snapshots"):
        recalibrate(run, TARGET)
    rollback(Registry(run.warehouse, run.spark), TARGET)
    assert serving(run)["calibration_intercept"] == before["calibration_intercept"]
    assert serving(run)["reason"] == "rolled back"
