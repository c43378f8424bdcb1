"""The rows of a shop do not depend on who makes them: partitions, machines, pieces, their order."""

from __future__ import annotations

import itertools
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession

from jobs.core.config import load_config
from jobs.core.tables import Warehouse
from jobs.proof.content_hash import Fingerprint, fingerprint
from jobs.shop import bronze
from jobs.shop.arrow import event_batch, order_batch
from jobs.shop.loading import Span, load_world
from jobs.shop.settings import shop_settings
from jobs.shop.world import World, build_world
from tests.jobs.clusters import submit, two_workers
from tests.jobs.commands import FAST_START, command, run_in

USERS, DAYS = 3000, 8
TABLES = ("bronze_users", "bronze_events", "bronze_orders", "truth_dirt")
# How the rows were loaded, and not what they are.
BOOKKEEPING = ("source", "batch_id")
# A shop of several blocks of users.
SLOW_SHOP = ("--users", "20000", "--days", "40", "--dirt", "on")
ONE_DAY = timedelta(days=1)


def shop(days: int = DAYS) -> World:
    """The shop with its dirt, as it is known after some of its days."""
    config = load_config()
    settings = shop_settings({**config.shop, "warmup_days": 30})
    until = settings.first_date + days * ONE_DAY
    return build_world(settings, USERS, DAYS, config.seed, until, is_dirty=True)


def prints(spark: SparkSession, root: Path) -> dict[str, Fingerprint]:
    warehouse = Warehouse(root, spark, "test")
    return {name: fingerprint(warehouse.read(name), BOOKKEEPING) for name in TABLES}


def load_days(spark: SparkSession, root: Path, first: int, end: int) -> None:
    world = shop(days=end)
    start = world.first_date
    load_world(run_in(spark, root), world, Span(start + first * ONE_DAY, start + end * ONE_DAY))


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fingerprint]:
    """Fingerprints of the shop loaded at once."""
    root = tmp_path_factory.mktemp("whole")
    load_days(spark, root, 0, DAYS)
    return prints(spark, root)


def test_every_table_has_rows(whole: dict[str, Fingerprint]) -> None:
    assert whole["bronze_users"].rows > 2500
    assert whole["bronze_events"].rows > 3000
    assert whole["bronze_orders"].rows > 30
    assert whole["truth_dirt"].rows > 100


@pytest.mark.slow  # the rows in pieces are compared without Spark in tests/plain
def test_days_may_be_loaded_in_pieces_and_in_any_order(
    spark: SparkSession, tmp_path: Path, whole: dict[str, Fingerprint]
) -> None:
    # A day of its own, by a shop that knows no day after it; then what lacks on both sides of it.
    load_days(spark, tmp_path, 4, 5)
    load_days(spark, tmp_path, 0, DAYS)
    assert prints(spark, tmp_path) == whole


def test_a_day_at_a_time_in_shops_that_end_with_it(
    spark: SparkSession, whole: dict[str, Fingerprint]
) -> None:
    # Each day by a shop that does not know the days after it, as tomorrow's run would.
    for table, make in (
        ("bronze_events", bronze.events_frame),
        ("bronze_orders", bronze.orders_frame),
    ):
        days = []
        for number in range(DAYS):
            world = shop(days=number + 1)
            days.append(make(spark, world, world.until - ONE_DAY, world.until))
        assert fingerprint(reduce(DataFrame.unionByName, days)) == whole[table]


def test_users_may_be_made_in_any_ranges(
    spark: SparkSession, whole: dict[str, Fingerprint]
) -> None:
    world = shop()
    # Ranges that keep to no block, the last users first.
    cuts = [0, 1, 700, 701, 2048, world.user_count]
    ranges = list(itertools.pairwise(cuts))[::-1]
    for table, make in (("bronze_events", event_batch), ("bronze_orders", order_batch)):
        made = [make(world, low, high, world.first_date, world.until) for low, high in ranges]
        # In one piece: createDataFrame takes an empty batch for the end of the table.
        rows = pa.Table.from_batches(made).combine_chunks()
        assert fingerprint(spark.createDataFrame(rows)) == whole[table]


@pytest.mark.parametrize("adaptive", ["true", "false"])
@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_partitions_and_adaptive_execution_do_not_matter(
    spark: SparkSession, whole: dict[str, Fingerprint], partitions: int, adaptive: str
) -> None:
    world = shop()
    before = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", adaptive)
    try:
        frame = bronze.events_frame(spark, world, world.first_date, world.until, partitions)
        assert fingerprint(frame) == whole["bronze_events"]
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", before)


@pytest.fixture(scope="module")
def slow_whole(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Fingerprint]:
    """Fingerprints of a larger shop, made by a session with one core."""
    root = tmp_path_factory.mktemp("one core")
    submit("generate", *SLOW_SHOP, "--warehouse", root, options=("--master", "local[1]"))
    return prints(spark, root)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("master", "settings", "writing"),
    [
        ("local[2]", {}, {}),
        ("local[2]", {"spark.sql.adaptive.enabled": "false"}, {"rows_per_file": 20_000}),
        ("local[3]", {"spark.default.parallelism": "8"}, {"rows_per_file": 5_000}),
        ("local[2]", {"spark.default.parallelism": "1"}, {"writer": "spark"}),
    ],
    ids=["two cores", "without adaptive execution", "many small files", "written by Spark"],
)
def test_the_command_makes_the_same_tables_on_any_local_master(
    spark: SparkSession,
    tmp_path: Path,
    slow_whole: dict[str, Fingerprint],
    master: str,
    settings: dict[str, str],
    writing: dict[str, Any],
) -> None:
    conf, root = tmp_path / "conf.yaml", tmp_path / "warehouse"
    conf.write_text(yaml.safe_dump({"generate": writing}))
    arguments = ("generate", *SLOW_SHOP, "--warehouse", root, "--conf-file", conf)
    submit(*arguments, options=("--master", master), settings=settings)
    assert prints(spark, root) == slow_whole


@pytest.mark.slow
def test_a_cluster_of_two_workers_makes_the_same_tables(
    spark: SparkSession, tmp_path: Path, slow_whole: dict[str, Fingerprint]
) -> None:
    # Settings reach Spark as properties of its JVM; by default the first worker to answer might do
    # everything before the other is there.
    both = f"{FAST_START} -Dspark.scheduler.minRegisteredResourcesRatio=1.0 -Dspark.cores.max=2"
    where = {"JDK_JAVA_OPTIONS": both, "SPARK_LOCAL_IP": "127.0.0.1"}
    with two_workers(tmp_path) as master:
        options = ("--profile", "standalone", "--master", master)
        root = tmp_path / "warehouse"
        run = command(*options, "generate", *SLOW_SHOP, "--warehouse", root, **where)
        assert run.returncode == 0, run.stderr
    # A worker's folder holds one of each executor that it ran.
    assert all(list((tmp_path / f"work{number}").glob("app-*/*")) for number in (1, 2))
    assert prints(spark, root) == slow_whole


@pytest.mark.slow
def test_commands_for_pieces_of_days_add_up(
    spark: SparkSession, tmp_path: Path, slow_whole: dict[str, Fingerprint]
) -> None:
    first = load_config().shop["first_date"]
    for start, end in ((39, 40), (0, 17), (18, 39), (17, 18)):
        days = ("--from", str(first + start * ONE_DAY), "--to", str(first + end * ONE_DAY))
        submit("generate", *SLOW_SHOP, *days, "--warehouse", tmp_path)
    assert prints(spark, tmp_path) == slow_whole
