"""A shop of a month and three users, small enough to build in memory within a test."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.core.catalog import Table, all_tables, build_order
from jobs.core.config import load_config
from jobs.core.queries import render
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LAYERS = ("silver", "gold")
PARAMS = (
    default_params()
    | dataclasses.replace(
        load_config().metrics,
        retention_max_days=3,
        retention_max_weeks=1,
        retention_max_months=1,
        ltv_horizon_days=(0, 7, 30),
    ).parameters()
    | {"to_date": date(9999, 12, 31)}  # a full build asks for all days there could be
)
LOADED = {"ingest_ts": "2024-02-01 00:00:00", "source": "test", "batch_id": "batch"}
Rows = list[dict[str, Any]]


def bronze_rows() -> dict[str, Rows]:
    """Three good users, one of them never active, and a broken row or a copy here and there."""
    segments = [("DE", "seo"), ("FR", "ads"), (None, "seo"), ("all", "seo")]
    users = [
        {"user_id": user, "signup_date": f"2024-01-0{user}", "country": country, "channel": channel}
        for user, (country, channel) in enumerate(segments, start=1)
    ]
    events: Rows = []
    orders: Rows = []
    for day in (3, 4, 10, 24, 31):
        for user in (1, 2):
            for hour, kind in ((9, "view"), (11, "view"), (11, "add_to_cart"), (12, "purchase")):
                if user == 2 and kind != "view":
                    continue
                ts = f"2024-01-{day:02d} {hour:02d}:00:00"
                row = {"event_id": len(events), "user_id": user, "ts": ts, "event_type": kind}
                events.append(row)
                if kind == "purchase":
                    orders.append({**row, "order_id": len(orders), "amount": f"{day}.10"})
    # The first event and the last order come again with another date; the later arrival loses.
    events.append({**events[0], "ts": "2024-01-24 10:00:00", "ingest_ts": "2024-02-02 00:00:00"})
    orders.append({**orders[-1], "ts": "2024-01-04 10:00:00", "ingest_ts": "2024-02-02 00:00:00"})
    events.append({**events[0], "event_id": 900, "value": -1.0})
    orders.append({**orders[0], "order_id": 900, "amount": "-0.01"})
    named = {"bronze_users": users, "bronze_events": events, "bronze_orders": orders}
    return {name: [_of_table(name, row) for row in rows] for name, rows in named.items()}


def build_bronze(spark: SparkSession) -> dict[str, DataFrame]:
    """Register the bronze tables, and return them by name."""
    tables = {
        name: frame(spark, all_tables()[name].schema, rows) for name, rows in bronze_rows().items()
    }
    for name, table in tables.items():
        table.createOrReplaceTempView(name)
    return tables


def build_table(spark: SparkSession, table: Table, params: dict[str, Any]) -> DataFrame:
    """Run a query over what is registered; the result is rows in memory, and registered too."""
    result = spark.sql(render(table.query or "", params))
    if "run_id" in table.schema.names:
        result = result.selectExpr("*", "'run' AS run_id")
    rows = result.toArrow()
    if rows.num_rows:
        # In one piece: createDataFrame takes an empty batch for the end of the table.
        built = spark.createDataFrame(rows.combine_chunks())
    else:
        built = frame(spark, result.schema, [])
    built.createOrReplaceTempView(table.name)
    return built


def build_shop(spark: SparkSession) -> dict[str, DataFrame]:
    """Build everything for all days, and return it by name."""
    tables = build_bronze(spark)
    for table in build_order(LAYERS):
        tables[table.name] = build_table(spark, table, PARAMS)
    return tables


def _of_table(name: str, row: dict[str, Any]) -> dict[str, Any]:
    known = all_tables()[name].schema.names
    return {column: value for column, value in (LOADED | row).items() if column in known}
