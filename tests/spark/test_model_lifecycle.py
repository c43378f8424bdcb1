"""Which model serves after a training, and what happens to one that cannot any more."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from jobs.core.entry import Run
from jobs.core.errors import ContractError, DamagedTableError
from jobs.proof.content_hash import Fingerprint, fingerprint
from jobs.propensity.inputs import read_snapshots
from jobs.propensity.registry import Registry
from jobs.propensity.registry_list import render_registry
from jobs.propensity.score_flow import margins_and_reasons, score
from jobs.propensity.settings import settings_of
from jobs.propensity.snapshots import plan_split
from jobs.propensity.target_training import _can_be_held_against
from jobs.propensity.train_flow import train
from jobs.propensity.trained import Trained
from tests.model_runs import LAST_DATE, OPENING, TrainedShop, with_settings


@pytest.fixture(scope="module")
def trained(trained_shop: TrainedShop) -> Trained:
    return trained_shop.models[0]


def content(run: Run) -> Fingerprint:
    """Fingerprint of all scores but the time at which they were made."""
    return fingerprint(run.warehouse.read("propensity_scores_daily"), unhashed=["scored_at"])


def test_targets_that_nothing_serves_do_not_keep_the_others_from_their_scores(
    run: Run, trained: Trained
) -> None:
    both = with_settings(run, targets=["churn_7d", "purchase_7d"])
    assert [one.target for one in score(both)] == ["purchase_7d"]
    with pytest.raises(ContractError, match="no model is registered for churn_7d"):
        score(both, wanted="churn_7d")


def test_a_model_that_fails_a_gate_or_is_held_back_does_not_serve(
    run: Run, trained: Trained
) -> None:
    registry = Registry(run.warehouse, run.spark)
    gates = run.config.propensity["gates"]
    strict = with_settings(run, gates=gates | {"roc_auc": 0.9999})
    (failing,) = train(strict, "purchase_7d")
    assert failing.is_new and not failing.serves
    assert [told.split(":")[0] for told in failing.failed] == ["upper bound of ROC-AUC"]
    (waiting,) = train(with_settings(run, resamples=21), "purchase_7d", may_serve=False)
    assert waiting.is_new and not waiting.serves and not waiting.failed
    aliases = [row["alias"] for row in registry.rows("purchase_7d")]
    assert aliases == ["champion", "challenger", "challenger"]
    assert registry.serving("purchase_7d")["model_version"] == trained.model_version
    stored = registry.latest(failing.model_version)
    assert stored is not None and not stored["gates_passed"]
    assert json.loads(stored["gates"])[0]["limit"] == 0.9999


def test_a_day_ahead_on_drawn_rows_of_both_clocks(run: Run, trained: Trained) -> None:
    """More rows than are fitted on or judged, and a test date at the very end of the log."""
    few = with_settings(run, targets=["purchase_1d"], max_train_rows=300, max_rows_judged=120)
    (one,) = train(few, "purchase_1d", may_serve=False)
    assert one.is_new
    stored = Registry(run.warehouse, run.spark).latest(one.model_version)
    assert stored is not None
    assert stored["last_test_as_of"] == LAST_DATE
    gates = {gate["name"]: gate for gate in json.loads(stored["gates"])}
    assert gates["features that see past as_of"]["passed"]
    # A fiftieth of the rows fitted on, not of the 500 asked for.
    assert json.loads(stored["parameters"])["boosting"]["min_instances_per_node"] == 300 // 50
    metrics = run.warehouse.read("model_metrics").where(f"model_version = '{one.model_version}'")
    judged = metrics.where("metric = 'positives' AND segment = 'all'").toPandas()
    rows = judged.set_index("split")["rows"]
    assert rows["train"] > 1_000
    assert 60 < rows["test"] < 200


def test_a_target_that_nothing_serves_says_why(spark: SparkSession, run: Run) -> None:
    registry = Registry(run.warehouse, run.spark)
    waiting = registry.rows("purchase_7d")[-1]
    registry.append(
        {n: v for n, v in waiting.items() if n not in ("registration", "alias", "reason")}
        | {"target": "purchase_5d"},
        "challenger",
        "trained",
    )
    with pytest.raises(ContractError, match="no model serves purchase_5d: .* registry list"):
        registry.serving("purchase_5d")
    rows = run.warehouse.read("model_registry").where("target = 'purchase_5d'")
    run.warehouse.replace_where("model_registry", rows.limit(0), "target = 'purchase_5d'")


def test_a_champion_whose_files_are_damaged_is_refused_and_trained_again(
    run: Run, trained: Trained
) -> None:
    row = Registry(run.warehouse, run.spark).serving("purchase_7d")
    folder = run.warehouse.root / row["model_path"]
    before = score(run, wanted="purchase_7d")
    wanted = content(run)
    part = next(folder.rglob("part-*"))
    part.write_bytes(part.read_bytes() + b" ")
    with pytest.raises(DamagedTableError, match="not what was registered .*run train again"):
        score(run, wanted="purchase_7d")
    shutil.rmtree(folder)
    with pytest.raises(DamagedTableError, match="registered but missing: run train again"):
        score(run, wanted="purchase_7d")
    (again,) = train(run, "purchase_7d")
    assert again == trained
    assert score(run, wanted="purchase_7d") == before
    assert content(run) == wanted


def test_a_champion_that_reads_lost_features_is_refused_and_is_no_peer(
    run: Run, trained: Trained
) -> None:
    row = Registry(run.warehouse, run.spark).serving("purchase_7d")
    snapshots = read_snapshots(run, (LAST_DATE,))
    lost = row | {"features": json.dumps([*json.loads(row["features"]), "shoe_size"])}
    with pytest.raises(ContractError, match=r"no longer has \(shoe_size\): run train again"):
        margins_and_reasons(run, lost, snapshots)
    split = plan_split(OPENING, LAST_DATE, settings_of(run.config), 7)
    root = run.warehouse.root
    assert _can_be_held_against(row, split, root)
    assert not _can_be_held_against(lost, split, root)
    later = row | {"last_calibrate_as_of": min(split.test) - timedelta(days=6)}
    assert not _can_be_held_against(later, split, root)
    assert not _can_be_held_against(row | {"model_sha256": "0"}, split, root)


def test_the_list_says_who_serves_and_why_others_do_not(run: Run, trained: Trained) -> None:
    rows = Registry(run.warehouse, run.spark).rows("purchase_7d")
    lines = render_registry(rows, run.warehouse).splitlines()
    assert len(lines) == 1 + len(rows)
    assert [line.startswith("*") for line in lines[1:]].count(True) == 1
    failing = [line for line in lines if "upper bound of ROC-AUC" in line]
    assert len(failing) == 1
    assert render_registry([], run.warehouse) == "no model is registered yet: run train"
