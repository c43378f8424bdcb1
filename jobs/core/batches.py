"""Loading into bronze: append-only, and idempotent by batch id.

A batch id is a hash of what the batch holds, so loading the same thing again finds itself already
there. The rows go in first and their record second; rows without a record are what a run left that
died in between, and the next load of their table removes them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.tables import Warehouse

LEDGER = "bronze_batches"
ONE_DAY = timedelta(days=1)
# The tables whose rows make the calendar of the log; a signup alone covers no day.
DATED_TABLES = ("bronze_events", "bronze_orders")


@dataclass(frozen=True)
class Batch:
    """One load of one bronze table.

    Parameters
    ----------
    table_name
        Bronze table.
    batch_id
        See `batch_id`.
    source
        The world of a synthetic shop, or the name of an input file.
    first_date, last_date
        Days covered, both inclusive; None where there is no row.
    rows_quarantined
        Rows of the input turned away before bronze.
    covers_every_day
        True where a day of the range without rows is known to have none, as in a synthetic shop.
    detail
        What else identifies the batch.
    """

    table_name: str
    batch_id: str
    source: str
    first_date: date | None
    last_date: date | None
    rows_quarantined: int = 0
    covers_every_day: bool = False
    detail: dict[str, Any] | None = None


def batch_id(*parts: object) -> str:
    """Hash of the parts that make a batch what it is, as 16 hex digits."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def recorded(warehouse: Warehouse) -> list[dict[str, Any]]:
    """All batches loaded so far, as dictionaries with the columns of bronze_batches."""
    if not warehouse.exists(LEDGER):
        return []
    return [row.asDict() for row in warehouse.read(LEDGER).collect()]


def load(warehouse: Warehouse, batch: Batch, frame: DataFrame) -> int | None:
    """Append a batch and record it; returns the rows loaded, None if it was there already.

    Parameters
    ----------
    frame
        The columns of the bronze table without source and batch_id.
    """
    known = {(row["table_name"], row["batch_id"]) for row in recorded(warehouse)}
    if (batch.table_name, batch.batch_id) in known:
        return None
    _remove_unrecorded(warehouse, batch.table_name, {name for _, name in known})
    marked = frame.withColumns({"source": F.lit(batch.source), "batch_id": F.lit(batch.batch_id)})
    rows = warehouse.append(batch.table_name, marked)
    _record(warehouse, batch, rows)
    return rows


def coverage(warehouse: Warehouse) -> tuple[date, date]:
    """First and last day that were loaded, both inclusive.

    Raises
    ------
    ContractError
        Nothing has been loaded, or days in between were never made.
    """
    dated = [
        row
        for row in recorded(warehouse)
        if row["table_name"] in DATED_TABLES and row["first_date"] is not None
    ]
    if not dated:
        raise ContractError(f"{warehouse.root} holds no events: run generate or ingest first")
    for table in DATED_TABLES:
        _refuse_holes([row for row in dated if row["table_name"] == table])
    return min(row["first_date"] for row in dated), max(row["last_date"] for row in dated)


def is_gapless(warehouse: Warehouse) -> bool:
    """True where every loaded day is known to be whole, also one without rows."""
    dated = [row for row in recorded(warehouse) if row["table_name"] in DATED_TABLES]
    return all(row["covers_every_day"] for row in dated)


def _refuse_holes(rows: list[dict[str, Any]]) -> None:
    """A day that was never made would pass for a day on which nothing happened."""
    spans = sorted((r["first_date"], r["last_date"]) for r in rows if r["covers_every_day"])
    for (_, last), (following, _) in itertools.pairwise(spans):
        if following > last + ONE_DAY:
            raise ContractError(
                f"{last + ONE_DAY} to {following - ONE_DAY} were never made: "
                f"generate --from {last + ONE_DAY} --to {following} first"
            )


def _remove_unrecorded(warehouse: Warehouse, table_name: str, known: set[str]) -> None:
    if not warehouse.exists(table_name):
        return
    stored = warehouse.read(table_name).select("batch_id").distinct().collect()
    for orphan in sorted({row["batch_id"] for row in stored} - known):
        nothing = warehouse.read(table_name).limit(0)
        warehouse.replace_where(table_name, nothing, f"batch_id = '{orphan}'")


def _record(warehouse: Warehouse, batch: Batch, rows: int) -> None:
    row = (
        batch.batch_id,
        batch.table_name,
        batch.source,
        batch.first_date,
        batch.last_date,
        rows + batch.rows_quarantined,
        rows,
        batch.rows_quarantined,
        batch.covers_every_day,
        datetime.now(UTC),
        json.dumps(batch.detail or {}, default=str),
    )
    schema = all_tables()[LEDGER].schema
    warehouse.append(LEDGER, warehouse.spark.createDataFrame([row], schema))
