"""The silver tables of a dirty shop against those of its clean twin.

The twin's rows are made again in memory, what the labels name as past recovery is taken over, and
the same queries are run: every other row and column must come out the same.

- Rows with a clock days off, under an unknown user, or that never arrived are left out.
- Late and disordered rows keep their arrival, rows of a clock minutes off their ts, and users of an
  unknown country have none.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.core import batches
from jobs.core.building.days import EVERY_DAY
from jobs.core.building.flow import log_params
from jobs.core.catalog import tables_up_to
from jobs.core.queries import render
from jobs.proof.content_hash import fingerprint
from jobs.proof.findings import Finding
from jobs.shop import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.entry import Run
    from jobs.shop.world import World

LOST = ("clock_ahead", "clock_reset", "unknown_user", "tracking_outage")
OTHER_ARRIVAL = ("late", "out_of_order")
COMPARED = ("fact_events", "fact_orders", "dim_users")


def twin_findings(run: Run, world: World) -> list[Finding]:
    """Compare the silver tables of a dirty shop with those of its clean twin.

    Parameters
    ----------
    run : Run
    world : World
        The dirty world of the warehouse.

    Returns
    -------
    list of Finding
        One per table: its rows, and how many of them or of the twin's have no equal.
    """
    # Views of a session of its own: the queries read the twin under the names of the tables.
    session = run.spark.newSession()
    cached = _register_bronze(run, session, world)
    params = log_params(run) | {"from_date": EVERY_DAY.first, "to_date": EVERY_DAY.end}
    findings = []
    try:
        for table in tables_up_to(COMPARED):
            frame = session.sql(render(table.query or "", params))
            if not table.is_view:
                frame = frame.cache()
                cached.append(frame)
            frame.createOrReplaceTempView(table.name)
            if table.name in COMPARED:
                found = session.read.format("delta").load(run.warehouse.path(table.name))
                findings.append(_finding(table.name, frame, found))
    finally:
        for frame in cached:
            frame.unpersist()
    return findings


def differing_rows(expected: DataFrame, found: DataFrame) -> int:
    """Count the rows of either frame that have no equal in the other; column order is no matter."""
    columns = expected.columns
    sides = expected.withColumn("side", F.lit(1)).unionByName(found.withColumn("side", F.lit(-1)))
    balance = sides.groupBy(*columns).agg(F.abs(F.sum("side")).alias("rows"))
    return int(balance.agg(F.sum("rows")).collect()[0][0] or 0)


def _finding(name: str, expected: DataFrame, found: DataFrame) -> Finding:
    # Two hashes cost a scan; only where they differ is it worth to look for the rows.
    prints = fingerprint(expected), fingerprint(found)
    differing = 0 if prints[0] == prints[1] else differing_rows(expected, found)
    return Finding(
        f"cleaning: {name} = that of the clean twin, labelled losses aside",
        f"{prints[0].rows} rows",
        f"{differing} differ",
        differing == 0,
    )


def _register_bronze(run: Run, session: SparkSession, world: World) -> list[DataFrame]:
    """Register the twin's bronze tables, less what is lost; returns what is cached."""
    twin = dataclasses.replace(world, is_dirty=False)
    first, last = batches.coverage(run.warehouse)
    end = last + timedelta(days=1)
    labels = session.read.format("delta").load(run.warehouse.path("truth_dirt"))
    users = bronze.users_frame(session, twin, twin.warmup_start, twin.until)
    frames = {
        "bronze_users": _without_country(users, labels),
        "bronze_events": _as_arrived(
            run, labels, bronze.events_frame(session, twin, first, end), "bronze_events"
        ),
        "bronze_orders": _as_arrived(
            run, labels, bronze.orders_frame(session, twin, first, end), "bronze_orders"
        ),
    }
    cached = []
    for name, frame in frames.items():
        # Queries read their inputs several times; the rows are made once.
        marked = frame.withColumns({"source": F.lit("twin"), "batch_id": F.lit("twin")}).cache()
        marked.createOrReplaceTempView(name)
        cached.append(marked)
    return cached


def _as_arrived(run: Run, labels: DataFrame, rows: DataFrame, table: str) -> DataFrame:
    """Leave out what is lost, and take over the times that the log alone knows."""
    key = rows.columns[0]
    of_table = labels.where(F.col("table_name") == table).select(
        F.col("row_id").alias(key), F.col("kind")
    )
    kept_times = of_table.where(F.col("kind").isin(*OTHER_ARRIVAL, "clock_skew"))
    log = labels.sparkSession.read.format("delta").load(run.warehouse.path(table))
    arrived = log.join(kept_times, key).select(
        F.col(key),
        F.when(F.col("kind") == "clock_skew", F.col("ts")).alias("shown_ts"),
        F.when(F.col("kind").isin(*OTHER_ARRIVAL), F.col("ingest_ts")).alias("arrived_ts"),
    )
    lost = of_table.where(F.col("kind").isin(*LOST)).select(key)
    times = {
        "ts": F.coalesce("shown_ts", "ts").alias("ts"),
        "ingest_ts": F.coalesce("arrived_ts", "ingest_ts").alias("ingest_ts"),
    }
    # One row in fifty is labelled, which Spark cannot know: unasked, it would sort all rows twice.
    return (
        rows.join(F.broadcast(lost), key, "left_anti")
        .join(F.broadcast(arrived), key, "left")
        .select(*(times.get(name, F.col(name)) for name in rows.columns))
    )


def _without_country(users: DataFrame, labels: DataFrame) -> DataFrame:
    unknown = labels.where(F.col("kind") == "null_country").select(
        F.col("row_id").alias("user_id"), F.lit(True).alias("is_unknown")
    )
    country = F.when(F.col("is_unknown").isNull(), F.col("country")).alias("country")
    return users.join(unknown, "user_id", "left").select(
        *(country if name == "country" else F.col(name) for name in users.columns)
    )
