"""Queries broken on purpose: each break must be seen by a case, or else by the oracle.

`<table>.yaml` lists breaks as {name, find, replace}; `find` stands once in query.sql.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from jobs.core.catalog import Table, all_tables, build_order
from tests.oracle import (
    test_active_users,
    test_funnel,
    test_kpi,
    test_ltv,
    test_retention,
    test_retention_views,
    test_revenue,
    test_silver,
    test_sketches,
)
from tests.sql.harness import Case, case_folders, expectation, load_case, outcome

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WEST_OF_UTC = "America/New_York"
HERE = Path(__file__).parent
FUNNEL = [
    test_funnel.test_entries_are_those_of_the_definition,
    test_funnel.test_days_are_those_of_the_definition,
    lambda sail: test_funnel.test_every_combination_of_settings(
        sail, WEST_OF_UTC, test_funnel.STARTS[WEST_OF_UTC][0]
    ),
]
RETENTION = [value for name, value in vars(test_retention).items() if name.startswith("test_")]
ORACLES: dict[str, list[Callable[[SparkSession], None]]] = {
    "funnel_steps": FUNNEL,
    "funnel_chains": FUNNEL,
    "funnel_entries": FUNNEL,
    "funnel_daily": FUNNEL,
    "kpi_daily": [test_kpi.test_figures_are_those_of_the_definition],
    "ltv_cohorts": [value for name, value in vars(test_ltv).items() if name.startswith("test_")],
    "retained_users": RETENTION,
    "retained_users_24_hours": RETENTION,
    "retention_cohorts": RETENTION,
    "retention_on_or_after": [
        test_retention_views.test_users_of_a_period_or_later_are_those_of_the_definition
    ],
    "retention_curves": [test_retention_views.test_curves_are_those_of_the_definition],
    "active_users_daily": [test_active_users.test_active_users_are_those_of_the_definition],
    "revenue_daily": [test_revenue.test_revenue_is_that_of_the_definition],
    "activity_sketches_hourly": [test_sketches.test_counts_are_those_of_the_definition],
} | {
    name: [functools.partial(test_silver.test_rows_are_those_of_the_definition, name=name)]
    for name in test_silver.DEFINITIONS
}
LAYERS = ("silver", "gold", "features", "ml")
FEWEST = 5


def mutations() -> list[Any]:
    return [
        pytest.param(path.stem, each, id=f"{path.stem}: {each['name']}")
        for path in sorted(HERE.glob("*.yaml"))
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def broken(table: Table, mutation: dict[str, str]) -> str:
    query = table.query or ""
    assert query.count(mutation["find"]) == 1, f"{mutation['name']}: find must stand once"
    return query.replace(mutation["find"], mutation["replace"])


def test_every_query_is_broken_in_five_ways() -> None:
    counts = {
        table.name: len(yaml.safe_load(path.read_text(encoding="utf-8")))
        for table in build_order(LAYERS)
        if (path := HERE / f"{table.name}.yaml").exists()
    }
    assert {table.name for table in build_order(LAYERS)} - set(counts) == set()
    assert {name for name, count in counts.items() if count < FEWEST} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mutation"), mutations())
def test_a_broken_query_fails_a_case(
    sail: SparkSession, monkeypatch: pytest.MonkeyPatch, name: str, mutation: dict[str, str]
) -> None:
    table = all_tables()[name]
    text, original = broken(table, mutation), Table.query.fget
    assert original is not None

    def query(self: Table) -> str | None:
        return text if self.name == name else original(self)

    # Read while the query is whole: a break may take a parameter away.
    every = map(load_case, case_folders())
    cases = [case for case in every if case.table.name == name or name in case.made]
    monkeypatch.setattr(Table, "query", property(query))
    assert fails_a_case(sail, cases) or fails_the_oracle(sail, name)


def fails_a_case(sail: SparkSession, cases: list[Case]) -> bool:
    """Tell whether a case sees the break."""
    return any(outcome(sail, case) != expectation(case) for case in cases)


def fails_the_oracle(sail: SparkSession, name: str) -> bool:
    """Tell whether the definition in plain Python sees it."""
    try:
        for ask in ORACLES.get(name, []):
            ask(sail)
    except AssertionError:
        return True
    return False
