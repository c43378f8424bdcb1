"""Writes of the warehouse: contract first, idempotent replaces of days, rows counted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.core import batches
from jobs.core.batches import Batch
from jobs.core.building.flow import calendar
from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError
from jobs.core.tables import Warehouse

ORDERS = "fact_orders"


@pytest.fixture
def warehouse(spark: SparkSession, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "ware house", spark, "run-1")


def orders(spark: SparkSession, *rows: tuple[int, str, str]) -> DataFrame:
    """Rows of fact_orders from (order_id, day, amount)."""
    frame = spark.createDataFrame(list(rows), "order_id BIGINT, day STRING, amount STRING")
    noon = F.to_timestamp(F.concat("day", F.lit(" 12:00:00")))
    return frame.select(
        "order_id",
        F.lit(7).cast("bigint").alias("user_id"),
        noon.alias("ts"),
        F.col("amount").cast("decimal(18,2)").alias("amount"),
        noon.alias("ingest_ts"),
        F.col("day").cast("date").alias("order_date"),
    )


def test_replacing_days_touches_no_other_day_and_can_be_repeated(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    first = orders(spark, (1, "2024-01-01", "1.00"), (2, "2024-01-02", "2.00"))
    assert warehouse.replace_table(ORDERS, first) == 2
    day, next_day = dt.date(2024, 1, 2), dt.date(2024, 1, 3)
    corrected = orders(spark, (3, "2024-01-02", "3.50"))
    for _ in range(2):
        assert warehouse.replace_days(ORDERS, corrected, day, next_day) == 1
    expected = orders(spark, (1, "2024-01-01", "1.00"), (3, "2024-01-02", "3.50"))
    stored = warehouse.read(ORDERS)
    assert_df_equality(
        stored, expected, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True
    )


def test_a_day_whose_rows_are_gone_becomes_empty(spark: SparkSession, warehouse: Warehouse) -> None:
    warehouse.replace_table(ORDERS, orders(spark, (1, "2024-01-01", "1.00")))
    nothing = orders(spark, (1, "2024-01-01", "1.00")).limit(0)
    for _ in range(2):  # the second time Delta has nothing to commit
        first, end = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
        assert warehouse.replace_days(ORDERS, nothing, first, end) == 0
    assert warehouse.read(ORDERS).count() == 0


def test_a_row_outside_the_replaced_days_fails_and_changes_nothing(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    warehouse.replace_table(ORDERS, orders(spark, (1, "2024-01-01", "1.00")))
    version = warehouse.version(ORDERS)
    stray = orders(spark, (2, "2024-01-05", "2.00"))
    with pytest.raises(ContractError, match="fact_orders"):
        warehouse.replace_days(ORDERS, stray, dt.date(2024, 1, 1), dt.date(2024, 1, 2))
    assert warehouse.version(ORDERS) == version


def test_schema_drift_is_shown_as_expected_and_got(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    frame = orders(spark, (1, "2024-01-01", "1.00"))
    drifted = frame.drop("ingest_ts").withColumn("amount", F.lit(1.0)).withColumn("tip", F.lit(1))
    with pytest.raises(ContractError) as caught:
        warehouse.append(ORDERS, drifted)
    message = str(caught.value)
    assert "amount: expected decimal(18,2), got double" in message
    assert "ingest_ts: expected timestamp, got none" in message
    assert "tip: expected no such column, got int" in message
    assert not warehouse.exists(ORDERS)


def test_a_table_of_another_version_is_named_and_left_alone(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    rows = orders(spark, (1, "2024-01-01", "1.00"))
    earlier = rows.withColumn("amount", F.col("amount").cast("double"))
    earlier.write.format("delta").save(warehouse.path(ORDERS))
    with pytest.raises(
        ContractError, match=r"another version .*\(amount differ\): remove the folder"
    ):
        warehouse.replace_table(ORDERS, rows)
    assert warehouse.version(ORDERS) == 0


def test_null_in_a_column_that_forbids_it_is_refused(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    frame = orders(spark, (1, "2024-01-01", "1.00")).withColumn(
        "order_id", F.lit(None).cast("bigint")
    )
    with pytest.raises(ContractError, match="order_id"):
        warehouse.append(ORDERS, frame)


def test_reading_what_is_not_built_says_what_to_run(warehouse: Warehouse) -> None:
    with pytest.raises(ContractError, match="run build first"):
        warehouse.read(ORDERS)


def test_comments_of_the_contract_are_in_the_table(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    warehouse.append(ORDERS, orders(spark, (1, "2024-01-01", "1.00")))
    stored = {field.name: field.metadata.get("comment") for field in warehouse.read(ORDERS).schema}
    contract = {column.name: column.comment for column in all_tables()[ORDERS].contract.columns}
    assert stored == contract


def bronze_orders(spark: SparkSession, *ids: int) -> DataFrame:
    columns = ("order_id", "user_id", "ts", "amount", "ingest_ts")
    return orders(spark, *[(i, "2024-01-01", "1.00") for i in ids]).select(*columns)


def test_a_batch_is_loaded_once(spark: SparkSession, warehouse: Warehouse) -> None:
    day = dt.date(2024, 1, 1)
    batch = Batch("bronze_orders", "b1", "file", day, day, rows_quarantined=1)
    assert batches.load(warehouse, batch, bronze_orders(spark, 1, 2)) == 2
    assert batches.load(warehouse, batch, bronze_orders(spark, 1, 2)) is None
    assert warehouse.read("bronze_orders").count() == 2
    (record,) = batches.recorded(warehouse)
    assert (record["rows_read"], record["rows_loaded"], record["rows_quarantined"]) == (3, 2, 1)
    assert batches.coverage(warehouse) == (day, day)


@pytest.mark.parametrize("again_as", ["b1", "b2"])
def test_rows_of_a_load_that_died_before_its_record_do_not_stay(
    spark: SparkSession, warehouse: Warehouse, again_as: str
) -> None:
    day = dt.date(2024, 1, 1)
    kept = Batch("bronze_orders", "b0", "file", day, day)
    batches.load(warehouse, kept, bronze_orders(spark, 9))
    marked = bronze_orders(spark, 1, 2).withColumns(
        {"source": F.lit("file"), "batch_id": F.lit("b1")}
    )
    warehouse.append("bronze_orders", marked)
    # The next run may ask for the same batch, or for another range with the same rows in it.
    batch = Batch("bronze_orders", again_as, "file", day, day)
    assert batches.load(warehouse, batch, bronze_orders(spark, 1, 2)) == 2
    ids = [row["order_id"] for row in warehouse.read("bronze_orders").collect()]
    assert sorted(ids) == [1, 2, 9]


def test_days_that_were_never_made_are_not_days_without_orders(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    for number, day in enumerate((dt.date(2024, 1, 1), dt.date(2024, 1, 4))):
        batch = Batch("bronze_orders", f"b{number}", "shop", day, day, covers_every_day=True)
        batches.load(warehouse, batch, bronze_orders(spark, number))
    with pytest.raises(ContractError, match="2024-01-02 to 2024-01-03 were never made"):
        batches.coverage(warehouse)


def test_a_stray_row_that_silver_refused_does_not_stretch_the_calendar(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    first, last = dt.date(1995, 1, 1), dt.date(2024, 1, 2)
    batches.load(warehouse, Batch("bronze_orders", "b", "f", first, last), bronze_orders(spark, 1))
    assert calendar(warehouse) == (first, last)
    valid = orders(spark, (1, "2024-01-01", "1.00"), (2, "2024-01-02", "1.00"))
    warehouse.replace_table(ORDERS, valid)
    assert calendar(warehouse) == (dt.date(2024, 1, 1), last)
