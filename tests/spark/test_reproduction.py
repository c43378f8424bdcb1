"""A registered model trained again: the same to the bit from the same rows, refused from others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.core.entry import Run
from jobs.core.errors import ContractError, UsageError
from jobs.propensity import registry
from jobs.propensity.promotion import model_of
from jobs.propensity.registry import TRAINED, Registry
from jobs.propensity.reproduction import reproduce
from jobs.propensity.train_flow import train
from tests.model_runs import TrainedShop, with_settings

TARGET = "purchase_7d"


@pytest.fixture(scope="module")
def row(run: Run, trained_shop: TrainedShop) -> dict[str, Any]:
    """What training registered."""
    version = trained_shop.models[0].model_version
    found = Registry(run.warehouse, run.spark).latest(version)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def version(row: dict[str, Any]) -> str:
    return str(row["model_version"])


def test_the_same_inputs_give_the_same_model_though_the_tables_went_on(
    run: Run, row: dict[str, Any], version: str
) -> None:
    before = {name: run.warehouse.version(name) for name in ("model_metrics", "user_snapshots")}
    orders = run.warehouse.read("fact_orders").localCheckpoint()
    # What training read is the version before this one.
    run.warehouse.replace_table("fact_orders", orders.where(F.col("order_id") % 3 != 0))
    # Calibrated anew, the model has other slices and probabilities, and was trained as it was.
    changed = {"calibration_slope": 9.0, "last_calibrate_as_of": row["last_test_as_of"]}
    Registry(run.warehouse, run.spark).append(model_of(row) | changed, "champion", "recalibrated")
    found = reproduce(run, version, ceiling=None)
    assert found.is_same
    assert found.compared > 300
    assert "the same trees to the bit" in found.verdict
    assert before == {name: run.warehouse.version(name) for name in before}
    run.warehouse.replace_table("fact_orders", orders)


def test_the_settings_that_count_are_those_of_the_registration(run: Run, version: str) -> None:
    assert reproduce(with_settings(run, resamples=25, test_share=0.3), version, None).is_same


def test_a_figure_that_differs_is_named(run: Run, version: str) -> None:
    metrics = run.warehouse.read("model_metrics").localCheckpoint()
    name = F.col("metric") == "brier"
    other = F.when(name & (F.col("split") == "test") & (F.col("model") == "gbt"), 0.5)
    changed = metrics.withColumn("value", other.otherwise(F.col("value")))
    run.warehouse.replace_table("model_metrics", changed)
    with pytest.raises(
        ContractError, match=r"the same trees, \d+ of [\d,]+ figures differ: test br"
    ):
        reproduce(run, version, None)
    run.warehouse.replace_table("model_metrics", metrics)


def test_other_trees_are_told(run: Run, row: dict[str, Any], version: str) -> None:
    other = train(with_settings(run, purchase=_with_depth(run, 1)), TARGET, may_serve=False)[
        0
    ].model_version
    swapped = model_of(row) | {"model_path": f"{registry.FOLDER}/{other}"}
    Registry(run.warehouse, run.spark).append(swapped, "challenger", TRAINED)
    with pytest.raises(ContractError, match="other trees, 0 of"):
        reproduce(run, version, None)
    Registry(run.warehouse, run.spark).append(model_of(row), "challenger", TRAINED)


def test_other_inputs_are_refused_by_name(run: Run, row: dict[str, Any], version: str) -> None:
    with pytest.raises(UsageError, match="no model nobody is registered"):
        reproduce(run, "nobody", None)
    stored = Registry(run.warehouse, run.spark)
    versions = json.loads(row["input_versions"])
    future = json.dumps({name: number + 99 for name, number in versions.items()})
    stored.append(model_of(row) | {"input_versions": future}, "challenger", TRAINED)
    with pytest.raises(ContractError, match="cannot be read any more"):
        reproduce(run, version, None)
    stored.append(model_of(row), "challenger", TRAINED)
    orders = run.warehouse.read("fact_orders").localCheckpoint()
    run.warehouse.replace_table("fact_orders", orders.where(F.col("order_id") % 3 != 0))
    now = run.warehouse.version("fact_orders")
    other = json.dumps(versions | {"fact_orders": now})
    stored.append(model_of(row) | {"input_versions": other}, "challenger", TRAINED)
    with pytest.raises(ContractError, match="the rows that its inputs give now are others"):
        reproduce(run, version, None)


def _with_depth(run: Run, depth: int) -> dict[str, object]:
    own = dict(run.config.propensity["purchase"])
    return own | {"boosting": own["boosting"] | {"max_depth": depth}}
