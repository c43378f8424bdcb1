"""Training and scoring on a warehouse: what is written, what is refused, what a rerun changes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.building.changes import code_version
from jobs.core.catalog import all_tables
from jobs.core.checks import run_checks
from jobs.core.entry import Run
from jobs.core.errors import ContractError, UsageError
from jobs.proof.content_hash import Fingerprint, fingerprint
from jobs.propensity import score_flow
from jobs.propensity.features import vector_names
from jobs.propensity.inputs import read_snapshots
from jobs.propensity.registry import Registry, load_model
from jobs.propensity.score_flow import score
from jobs.propensity.settings import settings_of
from jobs.propensity.snapshots import plan_split
from jobs.propensity.train_flow import train
from jobs.propensity.trained import Trained
from jobs.propensity.training import with_margin
from jobs.propensity.tree_export import load_trees
from tests.model_runs import DAYS, LAST_DATE, OPENING, TrainedShop, on_copy

TARGETS = ["purchase_7d", "churn_14d"]


@pytest.fixture(scope="module")
def trained(trained_shop: TrainedShop) -> list[Trained]:
    return trained_shop.models


def scores(run: Run) -> DataFrame:
    return run.warehouse.read("propensity_scores_daily")


def content(run: Run) -> Fingerprint:
    """Fingerprint of all scores but the time at which they were made."""
    return fingerprint(scores(run), unhashed=["scored_at"])


def test_score_needs_a_model(untrained_shop: Run) -> None:
    with pytest.raises(ContractError, match="no model is registered for purchase_7d"):
        score(untrained_shop)
    assert not untrained_shop.warehouse.exists("model_registry")


def test_a_model_per_target_is_registered_and_serves(run: Run, trained: list[Trained]) -> None:
    assert [one.model_version.split("-")[0] for one in trained] == TARGETS
    for one in trained:
        assert one.is_new and one.serves and not one.failed
        assert one.figures["roc_auc"] > 0.65
    rows = Registry(run.warehouse, run.spark).rows()
    assert [row["alias"] for row in rows] == ["champion", "champion"]
    judged = run.warehouse.read("model_metrics").where("split = 'test'")
    models = {row["model"] for row in judged.select("model").distinct().collect()}
    assert models == {
        *("gbt", "recency", "frequency", "bgnbd", "logistic", "random_forest", "xgboost")
    }
    parts = judged.where("segment LIKE 'country=%' AND metric = 'observed_to_expected'").collect()
    assert parts
    assert all(row["low"] < row["value"] < row["high"] for row in parts)


def test_the_same_training_does_nothing(run: Run, trained: list[Trained]) -> None:
    before = run.warehouse.version("model_metrics")
    assert train(run) == [dataclasses.replace(one, is_new=False) for one in trained]
    assert len(Registry(run.warehouse, run.spark).rows()) == 2
    assert run.warehouse.version("model_metrics") == before


def test_a_day_is_scored_once_however_often_it_is_asked_for(
    run: Run, trained: list[Trained]
) -> None:
    first = score(run)
    assert [one.model_version for one in first] == [one.model_version for one in trained]
    assert {one.as_of for one in first} == {LAST_DATE + timedelta(days=1)}
    before = scores(run).drop("scored_at").toPandas()
    earlier = score(run, LAST_DATE - timedelta(days=3))
    score(run, LAST_DATE)
    after = scores(run).drop("scored_at")
    repeated = after.where(F.col("as_of") == first[0].as_of).toPandas()
    by_rank = ["target", "rank"]
    one, other = (frame.sort_values(by_rank, ignore_index=True) for frame in (before, repeated))
    assert one.drop(columns="reasons").equals(other.drop(columns="reasons"))
    assert after.count() == sum(day.users for day in [*first, *earlier])
    for scored in first:
        rows = other[other["target"] == scored.target]
        assert len(rows) == scored.users > 100
        assert rows["margin"].is_monotonic_decreasing
        ties = rows.groupby("margin", sort=False)["user_id"]
        assert ties.apply(lambda users: users.is_monotonic_increasing).all()
        tenth = scored.users // 10
        assert rows["decile"].value_counts().between(tenth, tenth + 1).all()
        assert rows["is_selected"].sum() == scored.selected > 0
        assert rows["is_selected"].is_monotonic_decreasing
        assert {len(reasons) for reasons in rows["reasons"]} == {3}


def test_a_training_row_rebuilt_by_daily_scoring_has_the_same_bits(
    run: Run, trained: list[Trained]
) -> None:
    as_of = plan_split(OPENING, LAST_DATE, settings_of(run.config), 7).train[0]
    row = Registry(run.warehouse, run.spark).serving("purchase_7d")
    pipeline = load_model(run.warehouse.root, row)

    def by_user(frame: DataFrame) -> pd.DataFrame:
        return frame.toPandas().sort_values("user_id", ignore_index=True)

    def bits(frame: DataFrame) -> list[int]:
        return by_user(frame)["margin"].to_numpy().view(np.int64).tolist()

    trained_on = by_user(read_snapshots(run, (as_of,)))
    wanted = bits(with_margin(pipeline.transform(read_snapshots(run, (as_of,)))))
    score(run, as_of - timedelta(days=1), "purchase_7d")
    rebuilt = by_user(read_snapshots(run, (as_of,)))
    pd.testing.assert_frame_equal(trained_on, rebuilt, check_exact=True)
    stored = scores(run).where((F.col("as_of") == as_of) & (F.col("target") == "purchase_7d"))
    assert bits(stored) == wanted
    # A feature that meant something else would show, if the trees ask for it.
    trees, names = load_trees(run.warehouse.root / row["model_path"]), vector_names(pipeline)
    asked = [names[column] for column in trees.feature[trees.feature >= 0]]
    rows = read_snapshots(run, (as_of,))
    name = next(name for name in asked if name in rows.columns)
    skewed = rows.withColumn(name, F.lit(-1).cast(rows.schema[name].dataType))
    assert bits(with_margin(pipeline.transform(skewed))) != wanted


def test_reruns_deaths_and_the_order_of_days_leave_the_same_table(
    run: Run, trained: list[Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [LAST_DATE - timedelta(days=ago) for ago in (1, 0)]

    def scored_in(order: list[date]) -> Fingerprint:
        for day in order:
            score(run, day, "purchase_7d")
        return content(run)

    def forget_all() -> None:
        where = f"as_of > DATE'{OPENING}'"
        run.warehouse.replace_where("propensity_scores_daily", scores(run).limit(0), where)

    if run.warehouse.exists("propensity_scores_daily"):
        forget_all()
    wanted = scored_in(days)
    assert wanted.rows > 2 * 100
    assert scored_in([days[0]]) == wanted
    forget_all()
    assert scored_in([days[1]]) != wanted

    # A run that dies once the snapshots are written leaves the scores as they were.
    def dies(*_: object) -> None:
        raise OSError("the power is off")

    with monkeypatch.context() as patched:
        patched.setattr(score_flow, "margins_and_reasons", dies)
        with pytest.raises(OSError, match="power"):
            score(run, days[0], "purchase_7d")
    assert scores(run).where(F.col("as_of") == days[0] + timedelta(days=1)).isEmpty()
    assert scored_in([days[0]]) == wanted


def test_scores_and_their_threshold_are_those_of_the_model(
    run: Run, trained: list[Trained]
) -> None:
    score(run)
    registry = Registry(run.warehouse, run.spark)
    for target in TARGETS:
        row = registry.serving(target)
        part = scores(run).where(F.col("target") == target).toPandas()
        selected = part["probability"] >= row["threshold"]
        assert (selected == part["is_selected"]).all()
        settings = settings_of(run.config)
        decision = (settings.purchase if target == "purchase_7d" else settings.churn).decision
        assert row["threshold"] >= decision.worth_it


def test_checks_of_the_model_tables_pass(run: Run, trained: list[Trained]) -> None:
    score(run)
    known = set(run.warehouse.register())
    # Views of other tests may stand in this session for tables that this warehouse lacks.
    model_tables = [t for t in all_tables().values() if t.layer in ("features", "ml")]
    tables = [table for table in model_tables if table.name in known]
    results = run_checks(run.spark, tables, {})
    assert len(results) >= 20
    assert [r.check.name for r in results if r.bad_rows] == []


@pytest.mark.parametrize("offset", [-1, DAYS + 3])
def test_a_day_outside_the_log_is_refused(run: Run, trained: list[Trained], offset: int) -> None:
    with pytest.raises(UsageError, match="no log for"):
        score(run, OPENING + timedelta(days=offset))


def test_days_loaded_since_the_last_build_are_not_scored(
    trained_shop: TrainedShop, trained: list[Trained], tmp_path: Path
) -> None:
    run = on_copy(trained_shop.run, tmp_path / "warehouse")
    last_built = LAST_DATE - timedelta(days=2)
    build = {
        "run_id": "run-0",
        "built_at": datetime.now(UTC),
        "kind": "full",
        "reason": "",
        "batches": "[]",
        "days": "[]",
        "first_date": OPENING,
        "as_of": last_built,
        "segments": "[]",
        "code_version": code_version(run.config.metrics),
        "engine": "spark",
        "versions": "{}",
    }
    run.warehouse.append_rows("build_log", [build])
    with pytest.raises(UsageError, match=f"cover {OPENING} to {last_built}, run build"):
        score(run, LAST_DATE)
    # As in a log that ends there; nobody is taken for absent on days that the tables lack.
    assert {one.as_of for one in score(run)} == {last_built + timedelta(days=1)}


def test_a_day_after_which_nobody_is_eligible_is_refused(run: Run, trained: list[Trained]) -> None:
    with pytest.raises(ContractError, match=f"no data for {OPENING}"):
        score(run, OPENING)


def test_a_target_outside_the_settings_is_refused(run: Run) -> None:
    for job in (score, train):
        with pytest.raises(UsageError, match="no target churn_7d in the settings"):
            job(run, wanted="churn_7d")
