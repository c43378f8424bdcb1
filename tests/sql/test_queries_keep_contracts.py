"""Every query and check parses in Spark, and a query gives the columns its contract promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.core.catalog import Table, all_tables
from jobs.core.checks import parse_checks, run_checks
from jobs.core.queries import render
from tests.sql.harness import default_params, frame, query_tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHECKED = [table for table in all_tables().values() if table.checks]


@pytest.fixture(scope="module")
def empty_tables(spark: SparkSession) -> None:
    for name, table in all_tables().items():
        frame(spark, table.schema, []).createOrReplaceTempView(name)


@pytest.mark.usefixtures("empty_tables")
@pytest.mark.parametrize("table", query_tables(), ids=lambda table: table.name)
def test_columns_are_those_of_the_contract(spark: SparkSession, table: Table) -> None:
    result = spark.sql(render(table.query or "", default_params()))
    promised = [(field.name, field.dataType) for field in table.schema]
    # The build itself adds the run that wrote a row: it is no function of the data.
    promised = [(name, kind) for name, kind in promised if name != "run_id"]
    assert [(field.name, field.dataType) for field in result.schema] == promised


@pytest.mark.usefixtures("empty_tables")
@pytest.mark.parametrize("table", CHECKED, ids=lambda table: table.name)
def test_checks_run_and_empty_tables_break_none(spark: SparkSession, table: Table) -> None:
    results = run_checks(spark, [table], default_params())
    assert [result.check.name for result in results if result.bad_rows] == []
    assert len(results) == len(parse_checks(table)) > 0
