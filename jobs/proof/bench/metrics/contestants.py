"""The contestants of `bench metrics`, each run as a fresh process.

log
    No contestant: loads the shop that the others read, or some days of it.
spark, sail
    The command `build` on either engine, into a warehouse that holds the log.
duckdb
    The same queries in DuckDB's words over the Parquet files of the log; each table is written to
    one Parquet file. It commits nothing, and knows no part of what makes a build incremental.
compare
    No contestant: the rows of every table, those of each engine against DuckDB's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.core.building.days import EVERY_DAY
from jobs.core.building.flow import build, metric_params
from jobs.core.catalog import Table, build_order
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.queries import render
from jobs.core.session import ENGINES, start_engine
from jobs.core.table_log import open_table
from jobs.core.tables import Warehouse
from jobs.proof.bench.contestant import CostedProgress, run_contestant
from jobs.proof.bench.task import CORES, Result, Task, bench_world, data_bytes, measured
from jobs.shop.loading import Span, load_world

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LAYERS = ("silver", "gold")
BRONZE = ("bronze_users", "bronze_events", "bronze_orders")
# DuckDB has no such sketches.
ABSENT = {"activity_sketches_hourly"}
# The engines write moments in JSON in forms of their own; a run's id is no function of the log.
NOT_COMPARED = {"payload", "run_id"}


def log(task: Task) -> Result:
    """Load the shop, or days of it, into the warehouse."""
    world = bench_world(task.config, task.users, task.days, task.is_dirty, task.is_steady)
    first, end = task.loaded_days or (0, task.days)
    span = Span(*(world.first_date + timedelta(days=number) for number in (first, end)))
    result = Result()
    with closing(CostedProgress()) as progress:
        run = _run(task, "spark", progress)
        before = _rows(task.warehouse, "bronze_events")
        with measured(result):
            load_world(run, world, span)
        result.steps = progress.steps
    result.rows = _rows(task.warehouse, "bronze_events") - before
    return result


def on_engine(task: Task, engine: str) -> Result:
    """Bring silver and gold up to date."""
    result = Result()
    started = time.monotonic()
    with closing(CostedProgress()) as progress:
        run = _run(task, engine, progress)
        result.start_seconds = time.monotonic() - started
        with measured(result):
            build(run)
        result.steps = progress.steps
    result.rows = _rows(task.warehouse, "bronze_events")
    result.bytes = sum(data_bytes(task.warehouse / layer) for layer in LAYERS)
    return result


def duckdb(task: Task) -> Result:
    """Run the queries one after the other."""
    from jobs.proof.bench.metrics.dialect import MACROS, in_duckdb

    result = Result()
    started = time.monotonic()
    database = _database(task)
    database.execute(MACROS)
    for name in BRONZE:
        files = open_table(str(task.warehouse / "bronze" / name)).file_uris()
        database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({files})")
    world = bench_world(task.config, task.users, task.days, task.is_dirty, task.is_steady)
    as_of = world.until - timedelta(days=1)
    params = metric_params(task.config.metrics, world.first_date, as_of)
    params |= {"from_date": EVERY_DAY.first, "to_date": EVERY_DAY.end}
    _place(task, "").mkdir()
    result.start_seconds = time.monotonic() - started
    with closing(CostedProgress()) as progress:
        with measured(result):
            for table in build_order(LAYERS):
                query = in_duckdb(render(table.query or "", params))
                if table.is_view:
                    database.execute(f"CREATE VIEW {table.name} AS {query}")
                elif table.name not in ABSENT:
                    with progress.step(f"build {table.name}"):
                        _write(database, table, query, _place(task, table.name))
        result.steps = progress.steps
    result.rows = _rows(task.warehouse, "bronze_events")
    result.bytes = data_bytes(_place(task, ""))
    return result


def compare(task: Task) -> Result:
    """Count the rows of each engine's tables that DuckDB's have no equal of, and the reverse."""
    database = _database(task)
    result = Result()
    for table in _compared():
        theirs = f"'{_place(task, table.name)}'"
        for engine in ENGINES:
            folder = Path(task.folder) / engine / "warehouse" / table.layer / table.name
            files = open_table(str(folder)).file_uris()
            ours = f"read_parquet({files}, hive_partitioning = true)" if files else None
            differing = _differing(database, table, ours, theirs)
            result.rows += differing
            if differing:
                result.notes.append(f"{table.name} on {engine}: {differing:,} rows differ")
    return result


CONTESTANTS: dict[str, Callable[[Task], Result]] = {
    "log": log,
    **{engine: partial(on_engine, engine=engine) for engine in ENGINES},
    "duckdb": duckdb,
    "compare": compare,
}


def _compared() -> list[Table]:
    return [t for t in build_order(LAYERS) if not t.is_view and t.name not in ABSENT]


def _run(task: Task, engine: str, progress: CostedProgress) -> Run:
    spark = start_engine(engine, "bench")
    warehouse = Warehouse(task.warehouse, spark, "bench", engine)
    return Run(spark, task.config, warehouse, progress, Manifest("bench", "bench", []))


def _database(task: Task) -> DuckDBPyConnection:
    import duckdb  # here, so that it burdens no other contestant

    database = duckdb.connect()
    database.execute(f"SET threads = {CORES}")
    database.execute(f"SET temp_directory = '{task.folder}'")
    database.execute("SET TimeZone = 'UTC'")
    # Nothing is gained by the order of the rows here, and writing in parallel is quicker.
    database.execute("SET preserve_insertion_order = false")
    return database


def _place(task: Task, table: str) -> Path:
    folder = Path(task.folder) / "duckdb"
    return folder / f"{table}.parquet" if table else folder


def _write(database: DuckDBPyConnection, table: Table, query: str, target: Path) -> None:
    # The same compression as ours.
    options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
    database.execute(f"COPY ({query}) TO '{target}' ({options})")
    database.execute(f"CREATE VIEW {table.name} AS SELECT * FROM '{target}'")


def _differing(database: Any, table: Table, ours: str | None, theirs: str) -> int:
    if ours is None:
        return _count(database, f"SELECT * FROM {theirs}")
    columns = ", ".join(
        f"ROUND({field.name}, 9) AS {field.name}"
        if field.dataType.simpleString() == "double"
        else field.name
        for field in table.schema
        if field.name not in NOT_COMPARED
    )
    sides = [f"SELECT {columns} FROM {source}" for source in (ours, theirs)]
    return sum(
        _count(database, f"({left}) EXCEPT ALL ({right})") for left, right in (sides, sides[::-1])
    )


def _count(database: Any, query: str) -> int:
    return int(database.execute(f"SELECT COUNT(*) FROM ({query})").fetchone()[0])


def _rows(warehouse: Path, name: str) -> int:
    """Rows of a table by its log; none where it is not there yet."""
    folder = warehouse / "bronze" / name
    if not folder.exists():
        return 0
    return sum(open_table(str(folder)).get_add_actions(flatten=True)["num_records"].to_pylist())


if __name__ == "__main__":
    sys.exit(run_contestant(CONTESTANTS, sys.argv[1:]))
