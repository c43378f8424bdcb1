"""The contestants of `bench generate`, each run as a fresh process by flow.py.

ours
    The shop with all its behaviour, as the command `generate` loads it.
dbldatagen
    Databricks Labs' generator of synthetic data makes the columns of bronze_events out of random
    numbers: no user lives, no purchase has a cart.
limit
    DuckDB copies the very same events to Parquet: nothing is made, the rows are only written.
profile
    No contestant: one process makes and writes a shop, to see where its time goes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.core.config import Config
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.session import start_session
from jobs.core.tables import Warehouse
from jobs.proof.bench.contestant import CostedProgress, run_contestant
from jobs.proof.bench.generate.worker_profile import profile_worker
from jobs.proof.bench.processes import available_bytes
from jobs.proof.bench.task import CORES, Result, Task, bench_world, data_bytes, measured
from jobs.shop.dirt.recorded import recorded_rectangle
from jobs.shop.loading import Span, load_world
from jobs.shop.truth.arrow import truth_batch
from jobs.shop.truth.expectation import expectation

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# In the memory of DuckDB a row of bronze_events takes about so much; so much of it may be taken.
_MEMORY_BYTES_PER_ROW = 110
_SHARE_OF_MEMORY = 0.7


def ours(task: Task) -> Result:
    """Load a shop into an empty warehouse: users, truth, events, orders and their records."""
    result = Result()
    config = task.config
    world = bench_world(config, task.users, task.days, task.is_dirty)
    spark = _warm_session(task, result)
    _compile(config)
    warehouse = Warehouse(task.warehouse, spark, "bench")
    with closing(CostedProgress()) as progress:
        run = Run(spark, config, warehouse, progress, Manifest("bench", "bench", []))
        with measured(result):
            load_world(run, world, Span(world.first_date, world.until))
        result.steps = progress.steps
    result.rows = warehouse.read("bronze_events").count()
    result.bytes = data_bytes(Path(warehouse.path("bronze_events")))
    result.notes.append(f"{spark.sparkContext.master}, writer: {config.generate.writer}")
    return result


def dbldatagen(task: Task) -> Result:
    """Make as many random rows of the same columns with the same session settings."""
    import dbldatagen as dg  # here, so that it burdens no other contestant

    result = Result()
    world = bench_world(task.config, task.users, task.days)
    spark = _warm_session(task, result)
    times = {"begin": f"{world.first_date} 00:00:00", "end": f"{world.until} 00:00:00"}
    rows = (
        dg.DataGenerator(spark, rows=task.rows, partitions=CORES, randomSeed=42)
        .withColumn("event_id", "long", expr="id")
        .withColumn("user_id", "long", minValue=0, maxValue=task.users, random=True)
        .withColumn("ts", "timestamp", **times, interval="1 second", random=True)
        .withColumn(
            "event_type",
            "string",
            values=["view", "add_to_cart", "purchase"],
            weights=[95, 4, 1],
            random=True,
        )
        .withColumn(
            "value",
            "double",
            minValue=1.0,
            maxValue=200.0,
            step=0.01,
            random=True,
            percentNulls=0.95,
        )
        .withColumn("ingest_ts", "timestamp", **times, interval="1 second", random=True)
        .withColumn("source", "string", values=["dbldatagen"])
        .withColumn("batch_id", "string", values=["0123456789abcdef"])
        .build()
    )
    folder = Path(task.folder) / "dbldatagen"
    with measured(result):
        rows.write.format("delta").save(str(folder))
    result.rows = spark.read.format("delta").load(str(folder)).count()
    result.bytes = data_bytes(folder)
    return result


def limit(task: Task) -> Result:
    """Copy the events of `ours` to Parquet; of three copies the fastest counts."""
    import duckdb  # here, so that it burdens no other contestant

    result = Result()
    started = time.monotonic()
    files = [
        str(p) for p in sorted((task.warehouse / "bronze" / "bronze_events").glob("*.parquet"))
    ]
    database = duckdb.connect()
    database.execute(f"SET threads = {CORES}")
    database.execute(f"SET temp_directory = '{task.folder}'")
    # Nothing is gained by the order of the rows here, and writing in parallel is quicker.
    database.execute("SET preserve_insertion_order = false")
    source = f"read_parquet({files})"
    if task.rows * _MEMORY_BYTES_PER_ROW < _SHARE_OF_MEMORY * available_bytes():
        database.execute(f"CREATE TABLE events AS SELECT * FROM {source}")
        source = "events"
        result.notes.append("rows read into memory first; peak memory includes them")
    else:
        result.notes.append("rows read from our Parquet files while they are written")
    result.start_seconds = time.monotonic() - started
    target = Path(task.folder) / "copy.parquet"
    best: Result | None = None
    for _ in range(3):
        attempt = Result()
        with measured(attempt):
            database.execute(
                f"COPY (SELECT * FROM {source}) TO '{target}' "
                "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            )
        if best is None or attempt.seconds < best.seconds:
            best = attempt
    assert best is not None
    count = database.execute(f"SELECT count(*) FROM '{target}'").fetchone()
    assert count is not None
    best.rows, best.bytes = int(count[0]), target.stat().st_size
    best.start_seconds, best.notes = result.start_seconds, result.notes
    return best


def profile(task: Task) -> Result:
    """Make and write a shop in this process alone, stage by stage."""
    config = task.config
    world = bench_world(config, task.users, task.days, task.is_dirty)
    folder = Path(task.folder) / "profile"
    rows, steps = profile_worker(world, folder, config.generate.rows_per_file)
    return Result(rows=rows, steps=steps, notes=["CPU time, one process"])


CONTESTANTS: dict[str, Callable[[Task], Result]] = {
    "ours": ours,
    "dbldatagen": dbldatagen,
    "limit": limit,
    "profile": profile,
}


def _warm_session(task: Task, result: Result) -> SparkSession:
    """Start Spark and make one small Delta table: the JVM loads Delta with its first write."""
    started = time.monotonic()
    spark = start_session("bench")
    spark.range(1000).write.format("delta").save(str(Path(task.folder) / "warm"))
    result.start_seconds = time.monotonic() - started
    return spark


def _compile(config: Config) -> None:
    """Have all loops compiled, which the first run of an installation does once for all others."""
    small = bench_world(config, users=100, days=10, is_dirty=True)
    recorded_rectangle(small, 0, small.user_count, small.first_date, small.until)
    truth_batch(small, 0, small.user_count)
    expectation(small)


if __name__ == "__main__":
    sys.exit(run_contestant(CONTESTANTS, sys.argv[1:]))
