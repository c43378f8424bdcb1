"""The CDNOW order log, a real input, from its file to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.building.flow import build
from jobs.core.config import PROJECT_ROOT
from jobs.core.tables import Warehouse
from tests.cdnow import datasets
from tests.jobs.commands import command, run_in

KEY = "0123456789abcdef0123456789abcdef"
CDNOW_FILE = datasets() / "CDNOW_master.txt"


@pytest.fixture(scope="module")
def truth() -> list[tuple[str, str, Decimal]]:
    """Customer, day and dollars of each line."""
    lines = [line.split() for line in CDNOW_FILE.read_text(encoding="ascii").splitlines()[1:]]
    return [(customer, day, Decimal(dollars)) for customer, day, _, dollars in lines]


@pytest.fixture(scope="module")
def warehouse(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("cdnow") / "warehouse"
    mapping = PROJECT_ROOT / "conf" / "mappings" / "cdnow.yaml"
    arguments = ["ingest", "--orders", CDNOW_FILE, "--mapping", mapping, "--warehouse", root]
    run = command(*arguments, GLASSHOUSE_HMAC_KEY=KEY)
    assert run.returncode == 0, run.stderr
    assert "69,659 rows = 69,659 valid + 0 quarantined" in run.stdout
    assert KEY not in run.stdout + run.stderr
    yield Warehouse(root, spark, "test")


def test_every_line_is_an_order_and_the_revenue_is_exact(
    warehouse: Warehouse, truth: list[tuple[str, str, Decimal]]
) -> None:
    assert len(truth) == 69_659
    orders = warehouse.read("bronze_orders")
    found = orders.agg(
        F.count("*").alias("orders"),
        F.count_distinct("order_id").alias("order_ids"),
        F.sum("amount").alias("revenue"),
        F.count_distinct("user_id").alias("users"),
        F.count_if(F.col("amount") == 0).alias("free"),
    ).collect()[0]
    assert found.asDict() == {
        "orders": 69_659,
        "order_ids": 69_659,
        "revenue": sum(dollars for _, _, dollars in truth),
        "users": len({customer for customer, _, _ in truth}),
        "free": sum(dollars == 0 for _, _, dollars in truth),
    }
    assert not warehouse.exists("quarantine")


def test_orders_make_purchases_and_users(
    warehouse: Warehouse, truth: list[tuple[str, str, Decimal]]
) -> None:
    purchases = warehouse.read("bronze_events").groupBy("event_type").count().collect()
    assert [tuple(row) for row in purchases] == [("purchase", 69_659)]
    signups = warehouse.read("bronze_users").groupBy("signup_date").count().collect()
    first: dict[str, str] = {}
    for customer, day, _ in truth:
        first[customer] = min(day, first.get(customer, day))
    assert len(first) == 23_570
    expected: dict[str, int] = {}
    for day in first.values():
        expected[day] = expected.get(day, 0) + 1
    assert {f"{row.signup_date:%Y%m%d}": row["count"] for row in signups} == expected


def test_silver_keeps_every_order_and_every_cent(
    sail: SparkSession, warehouse: Warehouse, truth: list[tuple[str, str, Decimal]]
) -> None:
    # A year and a half of cohorts: Spark would take minutes for tables that are the same.
    build(run_in(sail, warehouse.root, engine="sail"))
    orders = warehouse.read("fact_orders")
    found = orders.agg(F.count("*").alias("orders"), F.sum("amount").alias("revenue")).collect()[0]
    revenue = sum(dollars for _, _, dollars in truth)
    assert (found["orders"], found["revenue"]) == (69_659, revenue)
    assert warehouse.read("quarantine").count() == 0
    assert warehouse.read("dim_users").count() == 23_570
    daily = warehouse.read("revenue_daily").where("country = 'all' AND channel = 'all'")
    assert daily.agg(F.sum("revenue")).collect()[0][0] == revenue
