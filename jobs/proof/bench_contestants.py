"""The contestants of `bench generate`, each run as a fresh process by bench_flow.py.

ours
    The shop with all its behaviour, as the command `generate` loads it.
dbldatagen
    Databricks Labs' generator of synthetic data makes the columns of bronze_events out of random
    numbers: no user lives, no purchase has a cart.
limit
    DuckDB copies the very same events to Parquet: nothing is made, the rows are only written.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.core.config import Config, load_config
from jobs.core.entry import Run
from jobs.core.errors import GlasshouseError
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.session import start_session
from jobs.core.tables import Warehouse
from jobs.proof.bench_processes import cpu_seconds
from jobs.shop.loading import Span, load_world
from jobs.shop.settings import shop_settings
from jobs.shop.world import World, build_world

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CORES = 2
# In the memory of DuckDB a row of bronze_events takes about so much; half of what is free may go.
_MEMORY_BYTES_PER_ROW = 120
_SHARE_OF_FREE_MEMORY = 0.5


@dataclass(frozen=True)
class Task:
    """What a contestant is asked to do; travels as JSON.

    Attributes
    ----------
    folder : str
        Where it may write.
    users, days : int
        Size of the shop.
    rows : int
        Events to make, for those who do not make them of users; 0 where not known yet.
    conf_file : str or None
        Settings that differ from conf/base.yaml.
    """

    folder: str
    users: int
    days: int
    rows: int = 0
    conf_file: str | None = None

    @property
    def warehouse(self) -> Path:
        """Folder of the shop's tables."""
        return Path(self.folder) / "warehouse"


@dataclass
class Result:
    """What a contestant did, and at what cost; travels as JSON.

    Attributes
    ----------
    rows, bytes : int
        Events, and the size of their data files.
    start_seconds : float
        Until it was ready to begin: session, first small write, reading in.
    seconds : float
        Wall-clock time of the work.
    driver_cpu, jvm_cpu, worker_cpu : float
        CPU seconds of the work.
    steps : list of (name, seconds, rows)
        Parts of the work that the job itself times.
    notes : list of str
        What a reader must know.
    """

    rows: int = 0
    bytes: int = 0
    start_seconds: float = 0.0
    seconds: float = 0.0
    driver_cpu: float = 0.0
    jvm_cpu: float = 0.0
    worker_cpu: float = 0.0
    steps: list[tuple[str, float, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return self.driver_cpu + self.jvm_cpu + self.worker_cpu


def bench_world(config: Config, users: int, days: int) -> World:
    """Lay out the shop that is measured: the settings given, its days whole, without dirt."""
    settings = shop_settings(config.shop)
    until = settings.first_date + timedelta(days=days)
    return build_world(settings, users, days, config.seed, until)


def ours(task: Task) -> Result:
    """Load a shop into an empty warehouse: users, truth, events, orders and their records."""
    result = Result()
    config = load_config(Path(task.conf_file) if task.conf_file else None)
    world = bench_world(config, task.users, task.days)
    spark = _warm_session(task, result)
    warehouse = Warehouse(task.warehouse, spark, "bench")
    with Progress() as progress:
        run = Run(spark, config, warehouse, progress, Manifest("bench", "bench", []))
        with _measured(result):
            load_world(run, world, Span(world.first_date, world.until))
        result.steps = [(t.name, t.seconds, t.rows or 0) for t in progress.timings]
    result.rows = warehouse.read("bronze_events").count()
    result.bytes = _data_bytes(Path(warehouse.path("bronze_events")))
    result.notes.append(f"{spark.sparkContext.master}, writer: {config.generate.writer}")
    return result


def dbldatagen(task: Task) -> Result:
    """Make as many random rows of the same columns with the same session settings."""
    import dbldatagen as dg

    result = Result()
    spark = _warm_session(task, result)
    first = date(2024, 1, 1)
    times = {"begin": f"{first} 00:00:00", "end": f"{first + timedelta(days=task.days)} 00:00:00"}
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
            "value", "double", minValue=1.0, maxValue=200.0, step=0.01, random=True, percentNulls=0.95
        )
        .withColumn("ingest_ts", "timestamp", **times, interval="1 second", random=True)
        .withColumn("source", "string", values=["dbldatagen"])
        .withColumn("batch_id", "string", values=["0123456789abcdef"])
        .build()
    )
    folder = Path(task.folder) / "dbldatagen"
    with _measured(result):
        rows.write.format("delta").save(str(folder))
    result.rows = spark.read.format("delta").load(str(folder)).count()
    result.bytes = _data_bytes(folder)
    return result


def limit(task: Task) -> Result:
    """Copy the events of `ours` to Parquet; of three copies the fastest counts."""
    import duckdb

    result = Result()
    started = time.monotonic()
    files = [str(p) for p in sorted((task.warehouse / "bronze" / "bronze_events").glob("*.parquet"))]
    database = duckdb.connect()
    database.execute(f"SET threads = {CORES}")
    # Nothing is gained by the order of the rows here, and writing in parallel is quicker.
    database.execute("SET preserve_insertion_order = false")
    source = f"read_parquet({files})"
    if task.rows * _MEMORY_BYTES_PER_ROW < _SHARE_OF_FREE_MEMORY * _free_memory():
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
        with _measured(attempt):
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


CONTESTANTS: dict[str, Callable[[Task], Result]] = {
    "ours": ours,
    "dbldatagen": dbldatagen,
    "limit": limit,
}


def hold_to_cores() -> None:
    """Keep this process, and all that it starts, on two cores, on a machine of any size."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))


@contextmanager
def _measured(result: Result) -> Iterator[None]:
    cpu, started = cpu_seconds(os.getpid()), time.monotonic()
    yield
    result.seconds = time.monotonic() - started
    spent = cpu_seconds(os.getpid()).since(cpu)
    result.driver_cpu, result.jvm_cpu, result.worker_cpu = spent.driver, spent.jvm, spent.workers


def _warm_session(task: Task, result: Result) -> SparkSession:
    """Start Spark and make one small Delta table: the JVM loads Delta with its first write."""
    started = time.monotonic()
    spark = start_session("bench")
    spark.range(1000).write.format("delta").save(str(Path(task.folder) / "warm"))
    result.start_seconds = time.monotonic() - started
    return spark


def _data_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))


def _free_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def main(arguments: Sequence[str]) -> int:
    """Run one contestant; returns the exit code.

    Parameters
    ----------
    arguments
        Its name, its task as JSON, and the file for its result.
    """
    name, task, target = arguments
    hold_to_cores()
    try:
        result = CONTESTANTS[name](Task(**json.loads(task)))
    except GlasshouseError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    Path(target).write_text(json.dumps(asdict(result)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
