"""Tables of a sound model break no check; damaged in one place, they break the one meant for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.catalog import all_tables
from jobs.core.checks import parse_checks, run_checks
from jobs.core.queries import render
from tests.random_log import FIRST_DATE, random_log
from tests.snapshot_queries import run_query, snapshot_params
from tests.sql.damages_models import METRICS, MODELS, MONITORING, MORE, REGISTRY, SCORES, SNAPSHOTS
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tests.sql.damages import Damage

AS_OF = FIRST_DATE + timedelta(days=45)
LAYERS = ("features", "ml")
DAMAGES = [(*key, *value) for key, value in MODELS.items()] + MORE
_SCORED = """
SELECT
    as_of,
    'purchase_7d' AS target,
    user_id,
    1 / CAST(user_id AS DOUBLE) AS margin,
    0.1D AS probability,
    CAST(ROW_NUMBER() OVER (ORDER BY user_id) AS BIGINT) AS rank,
    1 AS decile,
    FALSE AS is_selected,
    ARRAY(
        NAMED_STRUCT('feature', 'views_7d', 'effect', -0.3D),
        NAMED_STRUCT('feature', 'country', 'effect', 0.2D),
        NAMED_STRUCT('feature', 'views_30d', 'effect', 0.1D)
    ) AS reasons,
    'm' AS model_version,
    TIMESTAMP'2024-02-16 06:00:00' AS scored_at
FROM user_snapshots
"""


def metric(name: str, value: float, **more: Any) -> dict[str, Any]:
    row = {"model_version": "m", "target": "purchase_7d", "split": "test", "model": "gbt"}
    judged = {"segment": "all", "metric": name, "point": 0, "value": value, "rows": 100}
    return row | judged | more


def metrics() -> list[dict[str, Any]]:
    confusion = {"tp": 4.0, "fp": 6.0, "fn": 6.0, "tn": 84.0}
    return [
        metric("base_rate", 0.1),
        metric("base_rate", 0.2, segment="country=DE", rows=40),
        metric("roc_auc", 0.7, low=0.65, high=0.75),
        metric("roc_auc", 0.6, model="recency"),
        *(metric(f"confusion_{name}", value) for name, value in confusion.items()),
        metric("calibration", 0.05, point=1, x=0.04, rows=50),
        metric("calibration", 0.15, point=2, x=0.16, rows=50),
    ]


def registrations() -> list[dict[str, Any]]:
    dates = {"train": (0, 7), "calibrate": (14, 21), "test": (28, 35)}
    row: dict[str, Any] = {
        f"{end}_{name}_as_of": FIRST_DATE + timedelta(days=days[place])
        for name, days in dates.items()
        for place, end in enumerate(("first", "last"))
    }
    row |= {"model_version": "m", "target": "purchase_7d", "horizon_days": 7, "alias": "champion"}
    row |= {"calibration_slope": 2.0, "gates_passed": True, "reason": "trained"}
    return [row | {"registration": number} for number in (1, 2)]


def findings() -> list[dict[str, Any]]:
    row = {"as_of": AS_OF, "judged_as_of": AS_OF, "rows": 10, "is_alarm": False}
    of_model = row | {"target": "purchase_7d", "check_name": "expected", "model_version": "m"}
    return [
        row
        | {"target": "all", "check_name": "volume", "feature": "events", "value": 5.0}
        | {"reference": 4.0, "low": 1.0, "high": 9.0},
        of_model | {"feature": "base_rate", "value": 0.1, "reference": 0.1},
    ]


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    random_log(seed=5, users=60, days=60).register(spark)
    rows = run_query(spark, SNAPSHOTS, snapshot_params(AS_OF, AS_OF + timedelta(days=1)))
    found = {SNAPSHOTS: rows.cache()}
    found[SNAPSHOTS].createOrReplaceTempView(SNAPSHOTS)
    found[SCORES] = spark.sql(_SCORED).cache()
    found[METRICS] = frame(spark, all_tables()[METRICS].schema, metrics())
    found[REGISTRY] = frame(spark, all_tables()[REGISTRY].schema, registrations())
    found[MONITORING] = frame(spark, all_tables()[MONITORING].schema, findings())
    for name, table in found.items():
        table.createOrReplaceTempView(name)
    return found


def test_every_check_of_features_and_models_is_put_to_the_test() -> None:
    checked = [table for table in all_tables().values() if table.layer in LAYERS]
    assert set(MODELS) == {(t.name, check.name) for t in checked for check in parse_checks(t)}


def test_sound_tables_break_no_check(spark: SparkSession, tables: dict[str, DataFrame]) -> None:
    assert tables[SCORES].count() > 20
    checked = [all_tables()[name] for name in tables]
    results = run_checks(spark, checked, default_params())
    assert [result.check for result in results if result.bad_rows] == []


@pytest.mark.parametrize(("table", "check", "damaged", "damage"), DAMAGES)
def test_damage_is_found(
    spark: SparkSession,
    tables: dict[str, DataFrame],
    table: str,
    check: str,
    damaged: str,
    damage: Damage,
) -> None:
    query = next(c.query for c in parse_checks(all_tables()[table]) if c.name == check)
    damage(tables[damaged]).createOrReplaceTempView(damaged)
    try:
        assert not spark.sql(render(query, default_params())).isEmpty()
    finally:
        tables[damaged].createOrReplaceTempView(damaged)
