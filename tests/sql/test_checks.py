"""A small shop, built, breaks no check; damaged in one place, it breaks the check meant for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.core.catalog import all_tables, build_order
from jobs.core.checks import parse_checks, run_checks
from jobs.core.queries import render
from tests.sql.damages_cohorts import COHORTS
from tests.sql.damages_gold import GOLD
from tests.sql.damages_silver import SILVER
from tests.sql.small_shop import LAYERS, PARAMS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAMAGES = SILVER | GOLD | COHORTS


def test_every_check_of_silver_and_gold_is_put_to_the_test() -> None:
    tables = [table for table in all_tables().values() if table.layer in LAYERS]
    assert set(DAMAGES) == {
        (table.name, check.name) for table in tables for check in parse_checks(table)
    }


def test_built_shop_breaks_no_check(sail: SparkSession, shop: dict[str, DataFrame]) -> None:
    stored = [table for table in build_order(LAYERS) if not table.is_view]
    results = run_checks(sail, build_order(LAYERS), PARAMS)
    assert [result.check for result in results if result.bad_rows] == []
    # No table passes for being empty; a bot has more events than the whole shop.
    assert [table.name for table in stored if shop[table.name].isEmpty()] == ["bot_dates"]


@pytest.mark.parametrize(("table", "check"), DAMAGES, ids=[" ".join(key) for key in DAMAGES])
def test_damage_is_found(
    sail: SparkSession, shop: dict[str, DataFrame], table: str, check: str
) -> None:
    damaged, damage = DAMAGES[table, check]
    query = next(c.query for c in parse_checks(all_tables()[table]) if c.name == check)
    damage(shop[damaged]).createOrReplaceTempView(damaged)
    try:
        assert not sail.sql(render(query, PARAMS)).isEmpty()
    finally:
        shop[damaged].createOrReplaceTempView(damaged)
