"""One run of ingest: inputs -> bronze, quarantine and a record of each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.core.batches import Batch, batch_id, load, recorded
from jobs.ingestion.derive import orders_of_purchases, purchases_of_orders, users_of_activity
from jobs.ingestion.intake import Intake, take_in
from jobs.ingestion.ledger import Ledger
from jobs.ingestion.normalise import Clock
from jobs.ingestion.pseudonyms import DOMAINS, key_fingerprint, refuse_collisions
from jobs.ingestion.request import Request

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.config import Config
    from jobs.core.entry import Run

NANOSECONDS = "spark.sql.legacy.parquet.nanosAsLong"
Summary = list[tuple[str, str]]


def ingest(run: Run, request: Request) -> Summary:
    """Load what is not there yet; returns the summary as pairs of label and text.

    Everything is read, judged and checked before the first row is written.

    Raises
    ------
    UsageError
        The warehouse is not one these logs may go to, or a file changed meanwhile.
    ContractError
        No row of an input is usable, or two raw ids share a pseudonym.
    """
    ledger = Ledger(recorded(run.warehouse))
    ledger.refuse_other_world(key_fingerprint(request.key))
    derived = derivations(request, ledger)
    batches = {part.table: part.batch_id for part in request.inputs} | derived
    if all(ledger.has(table, identity) for table, identity in batches.items()):
        return [(part.name, f"{part.files.label}: already loaded") for part in request.inputs]
    clock = clock_of(run.config)
    earliest = run.config.metrics.earliest_date
    intakes: dict[str, Intake] = {}
    with nanoseconds_readable(run.spark):
        try:
            for part in request.inputs:
                with run.progress.step(f"read {part.name}") as step:
                    intakes[part.name] = take_in(run.spark, part, clock, earliest, request.key)
                    step.rows = intakes[part.name].rows_read
            check_intakes(run, intakes, ledger)
            summary = [load_given(run, intake, ledger, request.key) for intake in intakes.values()]
            for table, identity in derived.items():
                frame = derive(run, table, intakes, clock, earliest)
                batch = derived_batch(table, identity, intakes, request.key)
                summary.append(load_derived(run, batch, frame))
        finally:
            for intake in intakes.values():
                intake.frame.unpersist()
    return summary


def derivations(request: Request, ledger: Ledger) -> dict[str, str]:
    """Tables to make from what is given -> batch id.

    A team that has ever given events logs events: orders that come alone later make no purchases,
    which would count twice beside the events of the same days. The same goes for orders.
    """
    given = {part.name for part in request.inputs}
    wanted = []
    if "orders" in given and "events" not in given and not ledger.has_given("bronze_events"):
        wanted.append("bronze_events")
    if "events" in given and "orders" not in given and not ledger.has_given("bronze_orders"):
        wanted.append("bronze_orders")
    if "users" not in given:
        wanted.append("bronze_users")
    parents = sorted(part.batch_id for part in request.inputs)
    return {table: batch_id(table, "derived", *parents) for table in wanted}


def clock_of(config: Config) -> Clock:
    """Time zone of the metrics, and the moment after which a row cannot have come yet."""
    ahead = timedelta(hours=config.metrics.max_clock_ahead_hours)
    return Clock(config.metrics.tz, datetime.now(UTC) + ahead)


def check_intakes(run: Run, intakes: dict[str, Intake], ledger: Ledger) -> None:
    """Look across the inputs for what must stop the ingest."""
    with run.progress.step("check ids"):
        for name, domain in DOMAINS.items():
            check = F.col(f"{domain}_check").alias("check")
            frames = [
                intake.frame.select(F.col(name).alias("id"), check)
                for intake in intakes.values()
                if name in intake.frame.columns
            ]
            if frames:
                refuse_collisions(domain, frames)
    for intake in intakes.values():
        if not ledger.has(intake.part.table, intake.part.batch_id):
            ledger.refuse_doubles(intake.part.table, intake.first_date, intake.last_date)


def load_given(run: Run, intake: Intake, ledger: Ledger, key: bytes) -> tuple[str, str]:
    """Append an input to quarantine and bronze, unless it is there."""
    part = intake.part
    if ledger.has(part.table, part.batch_id):
        return part.name, f"{part.files.label}: already loaded"
    with run.progress.step(f"load {part.table}") as step:
        if intake.rows_quarantined and not _is_quarantined(run, part.batch_id):
            rows = intake.quarantine_rows().withColumn("run_id", F.lit(run.warehouse.run_id))
            run.warehouse.append("quarantine", rows)
        columns = run.warehouse.table(part.table).schema.names
        batch = intake.batch(key_fingerprint(key))
        step.rows = load(run.warehouse, batch, intake.bronze_rows(columns))
    return part.name, intake.summary()


def derive(
    run: Run, table: str, intakes: dict[str, Intake], clock: Clock, earliest: date
) -> DataFrame:
    """Rows of a table that was not given."""
    if table == "bronze_events":
        return purchases_of_orders(intakes["orders"].valid)
    if table == "bronze_orders":
        return orders_of_purchases(intakes["events"].valid)
    known = None
    if run.warehouse.exists(table):
        # Rows without a record are removed by the load to come, so nobody may count on them.
        batch_ids = [row["batch_id"] for row in recorded(run.warehouse)]
        known = run.warehouse.read(table).where(F.col("batch_id").isin(batch_ids))
    return users_of_activity([i.valid for i in intakes.values()], known, clock, earliest)


def derived_batch(table: str, identity: str, intakes: dict[str, Intake], key: bytes) -> Batch:
    """Record of a derived table for bronze_batches; it covers the days of what it is made from."""
    parents = [intake.part for intake in intakes.values()]
    first = [intake.first_date for intake in intakes.values() if intake.first_date is not None]
    last = [intake.last_date for intake in intakes.values() if intake.last_date is not None]
    detail = {
        "key_fingerprint": key_fingerprint(key),
        "derived_from": [part.name for part in parents],
    }
    return Batch(
        table,
        identity,
        f"ingest {' + '.join(part.files.label for part in parents)} (derived)",
        min(first, default=None),
        max(last, default=None),
        detail=detail,
    )


def load_derived(run: Run, batch: Batch, frame: DataFrame) -> tuple[str, str]:
    """Append derived rows, unless they are there."""
    with run.progress.step(f"derive {batch.table_name}") as step:
        step.rows = load(run.warehouse, batch, frame)
    name = batch.table_name.removeprefix("bronze_")
    if step.rows is None:
        return name, "already derived"
    return name, f"{step.rows:,} derived from {' and '.join((batch.detail or {})['derived_from'])}"


@contextmanager
def nanoseconds_readable(spark: SparkSession) -> Iterator[None]:
    """Read nanosecond timestamps, which pandas writes to Parquet, instead of refusing the file."""
    before = spark.conf.get(NANOSECONDS)
    spark.conf.set(NANOSECONDS, "true")
    try:
        yield
    finally:
        spark.conf.set(NANOSECONDS, before or "false")


def _is_quarantined(run: Run, identity: str) -> bool:
    # The rows of a run that died before it could record its batch.
    if not run.warehouse.exists("quarantine"):
        return False
    rows = run.warehouse.read("quarantine")
    mine = rows.where((F.col("batch_id") == identity) & (F.col("stage") == "ingest"))
    return bool(mine.limit(1).collect())
