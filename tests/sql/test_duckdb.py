"""Our queries in DuckDB's words say the same: `bench metrics` compares what it may compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from jobs.core.catalog import Table, build_order
from jobs.core.queries import render
from jobs.proof.bench.metrics.contestants import ABSENT, NOT_COMPARED
from jobs.proof.bench.metrics.dialect import MACROS, in_duckdb
from tests.sql.small_shop import LAYERS, PARAMS, build_bronze, build_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COMPARED = [table for table in build_order(LAYERS) if table.name not in ABSENT]


# Nobody in the small shop is a bot.
EMPTY = {"bot_dates"}


@pytest.fixture(scope="module")
def ours(sail: SparkSession) -> dict[str, pa.Table]:
    """The small shop as Sail builds it, and its bronze."""
    found = {name: bronze.toArrow() for name, bronze in build_bronze(sail).items()}
    for table in build_order(LAYERS):
        found[table.name] = build_table(sail, table, PARAMS).toArrow()
    return found


@pytest.fixture(scope="module")
def database(ours: dict[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with those tables."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(MACROS)
        for name, rows in ours.items():
            connection.register(name, rows)
        yield connection


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_duckdb_gives_the_same_rows(
    ours: dict[str, pa.Table], database: duckdb.DuckDBPyConnection, table: Table
) -> None:
    query = in_duckdb(render(table.query or "", PARAMS))
    found = database.sql(query).to_arrow_table()
    expected = ours[table.name]
    columns = [name for name in table.schema.names if name not in NOT_COMPARED]
    # A date plus an interval is a moment to DuckDB; the value is what counts.
    types = pa.schema([expected.schema.field(name) for name in columns])
    assert sorted_rows(found.select(columns).cast(types)) == sorted_rows(expected.select(columns))
    assert bool(expected.num_rows) == (table.name not in EMPTY)


def sorted_rows(rows: pa.Table) -> list[tuple[Any, ...]]:
    found = [
        tuple(round(v, 9) if isinstance(v, float) else v for v in row.values())
        for row in rows.to_pylist()
    ]
    return sorted(found, key=repr)
