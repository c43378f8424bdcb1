"""Files that workers wrote and one commit made a table of: the same rows, and a table like any."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core import batches
from jobs.core.entry import Run
from jobs.core.errors import ConflictError, ContractError
from jobs.core.file_commits import commit_files
from jobs.core.orphans import find_orphans, remove_orphans
from jobs.core.table_log import open_table
from jobs.core.tables import Warehouse
from jobs.shop.loading import Span, load_world
from jobs.shop.world import World
from tests.jobs.commands import hashes
from tests.jobs.shop_files import EVENTS, commits, die_at, digest, left_files, make, shop_of_files


@pytest.fixture(scope="module")
def world() -> World:
    return shop_of_files()


@pytest.fixture(scope="module")
def whole(world: World) -> Span:
    return Span(world.first_date, world.until)


@pytest.fixture(scope="module")
def filled(
    spark: SparkSession, world: World, whole: Span, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    run = make(spark, tmp_path_factory.mktemp("by files") / "a warehouse")
    load_world(run, world, whole)
    return run


@pytest.fixture
def copy(filled: Run, spark: SparkSession, tmp_path: Path) -> Warehouse:
    """A copy of the warehouse to change; a log names its files relative to their folder."""
    root = tmp_path / "copy"
    shutil.copytree(filled.warehouse.root, root)
    return Warehouse(root, spark, "changed")


def test_both_writers_give_the_same_rows_and_records(
    spark: SparkSession, world: World, whole: Span, filled: Run, tmp_path: Path
) -> None:
    by_spark = make(spark, tmp_path, writer="spark")
    load_world(by_spark, world, whole)
    assert hashes(filled) == hashes(by_spark)
    for table in (EVENTS, "bronze_orders"):
        assert filled.warehouse.read(table).schema == by_spark.warehouse.read(table).schema
    records = [
        sorted(
            tuple(value for name, value in row.items() if name != "loaded_at")
            for row in batches.recorded(run.warehouse)
        )
        for run in (filled, by_spark)
    ]
    assert records[0] == records[1] and len(records[0]) == 6


def test_all_files_of_a_table_are_one_version_that_names_its_run(filled: Run) -> None:
    for table in (EVENTS, "bronze_orders"):
        written, created = commits(filled.warehouse, table)
        assert json.loads(written["userMetadata"]) == {"run_id": "test"}
        assert int(written["operationMetrics"]["numFiles"]) > 3
        rows = filled.warehouse.read(table).count()
        assert int(written["operationMetrics"]["numOutputRows"]) == rows
        assert created["operation"] == "CREATE TABLE"


def test_a_query_of_a_day_or_of_a_user_skips_files(filled: Run, world: World) -> None:
    events = filled.warehouse.read(EVENTS)
    day = world.first_date + timedelta(days=25)
    start, end = F.lit(str(day)).cast("timestamp"), F.lit(str(day + timedelta(days=1)))
    of_day = events.filter((F.col("ts") >= start) & (F.col("ts") < end.cast("timestamp")))
    user = events.orderBy("ts").first()["user_id"]  # of the first slice on
    of_user = events.filter(F.col("user_id") == user)
    assert len(events.inputFiles()) == 8  # three groups by three slices, one without rows
    assert len(of_day.inputFiles()) == 3  # the day is the last of its slice
    assert len(of_user.inputFiles()) == 3
    assert of_day.count() > 0 and of_user.count() > 0


def test_spark_replaces_merges_and_travels_back(copy: Warehouse, spark: SparkSession) -> None:
    path, before = copy.path(EVENTS), copy.read(EVENTS).count()
    one = copy.read(EVENTS).orderBy("event_id").limit(1).collect()[0]
    day = "ts >= TIMESTAMP'2024-01-05' AND ts < TIMESTAMP'2024-01-06'"
    of_day = copy.read(EVENTS).filter(day).count()
    copy.replace_where(EVENTS, copy.read(EVENTS).limit(0), day)
    assert copy.read(EVENTS).count() == before - of_day < before
    source = copy.read(EVENTS).filter(F.col("event_id") == one["event_id"])
    merged = DeltaTable.forPath(spark, path).alias("old")
    merged.merge(source.alias("new"), "old.event_id = new.event_id").whenMatchedUpdate(
        set={"value": F.lit(-1.0)}
    ).execute()
    changed = copy.read(EVENTS).filter("value = -1.0").collect()
    assert [row["event_id"] for row in changed] == [one["event_id"]]
    old = spark.read.format("delta").option("versionAsOf", 1).load(path)
    assert (old.count(), old.filter("value = -1.0").count()) == (before, 0)


def test_spark_compacts_and_vacuums(filled: Run, copy: Warehouse, spark: SparkSession) -> None:
    path = copy.path(EVENTS)
    DeltaTable.forPath(spark, path).optimize().executeCompaction()
    assert len(copy.read(EVENTS).inputFiles()) == 1
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    spark.conf.set(check, "false")
    try:
        DeltaTable.forPath(spark, path).vacuum(0)
    finally:
        spark.conf.unset(check)
    assert len(list(Path(path).glob("*.parquet"))) == 1
    assert digest(copy) == digest(filled.warehouse)


def test_a_constraint_holds_afterwards_and_is_never_passed_by(
    copy: Warehouse, spark: SparkSession
) -> None:
    name = "bronze_orders"
    spark.sql(f"ALTER TABLE delta.`{copy.path(name)}` ADD CONSTRAINT paid CHECK (amount > 0)")
    wrong = copy.read(name).limit(1).withColumn("amount", F.lit("-1").cast("decimal(18,2)"))
    with pytest.raises(ContractError, match="CHECK constraint paid"):
        copy.append(name, wrong)
    with pytest.raises(ContractError, match=r"CHECK constraints \(paid\).*generate.writer: spark"):
        copy.append_files(name, left_files(copy, name), "again")


def test_another_row_meanwhile_is_no_conflict_but_another_column_is(
    copy: Warehouse, spark: SparkSession
) -> None:
    name, files = EVENTS, left_files(copy, EVENTS)
    stale, before = open_table(copy.path(name)), copy.read(name).count()
    added = copy.append(name, copy.read(name).limit(5))
    rows = commit_files(stale, copy.layout(name), files, "first", "run")
    assert copy.read(name).count() == before + added + rows
    stale, layout = open_table(copy.path(name)), copy.layout(name)
    spark.sql(f"ALTER TABLE delta.`{copy.path(name)}` ADD COLUMNS (more BIGINT)")
    with pytest.raises(ConflictError, match="another writer changed it first"):
        commit_files(stale, layout, files, "late", "run")
    with pytest.raises(ContractError, match=r"another version .*\(more differ\)"):
        copy.append_files(name, files, "late")


@pytest.mark.parametrize("place", ["between the tables", "before the record", "of another range"])
def test_what_a_run_that_died_had_committed_is_kept_if_it_is_what_is_wanted(
    spark: SparkSession,
    world: World,
    whole: Span,
    filled: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    run = make(spark, tmp_path)
    is_other = place == "of another range"
    with monkeypatch.context() as patched:
        if place == "between the tables":
            die_at(patched, Warehouse, "append_files", lambda _, name, *rest: name != EVENTS)
        else:
            die_at(patched, Warehouse, "append_rows", lambda _, name, rows: len(rows) == 3)
        with pytest.raises(KeyboardInterrupt):
            load_world(run, world, Span(whole.first, whole.end - timedelta(days=15 * is_other)))
    load_world(run, world, whole)
    assert digest(run.warehouse) == digest(filled.warehouse)
    assert (
        len(batches.recorded(run.warehouse)) == 6 + 2 * is_other
    )  # users and their truth came in two spans
    operations = [row["operation"] for row in commits(run.warehouse, EVENTS)]
    assert is_other or operations == ["WRITE", "CREATE TABLE"]


def test_orphans_of_a_run_that_died_before_its_commit(
    spark: SparkSession, filled: Run, copy: Warehouse
) -> None:
    folder = Path(copy.path(EVENTS))
    day = "ts >= TIMESTAMP'2024-01-05' AND ts < TIMESTAMP'2024-01-06'"
    copy.replace_where(EVENTS, copy.read(EVENTS).limit(0), day)  # old files, named by history
    remove_orphans(find_orphans(folder))  # Spark leaves files without rows behind
    left, found = left_files(copy, EVENTS), find_orphans(folder)
    assert sorted(orphan.path.name for orphan in found) == sorted(file.name for file in left)
    assert sum(orphan.size for orphan in found) == sum(file.size for file in left)
    assert find_orphans(folder, older_than_hours=1) == []
    remove_orphans(found)
    assert find_orphans(folder) == []
    old = spark.read.format("delta").option("versionAsOf", 1).load(str(folder))
    assert old.count() == filled.warehouse.read(EVENTS).count()
