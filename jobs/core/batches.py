"""Loading into bronze: append-only, and idempotent by batch id.

A batch id is a hash of what the batch holds, so loading the same thing again finds itself already
there. The rows go in first and their record second; a run that dies in between is mended by the
next, which finds the id in the bronze table itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.tables import Warehouse

LEDGER = "bronze_batches"
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
    detail
        What else identifies the batch.
    """

    table_name: str
    batch_id: str
    source: str
    first_date: date | None
    last_date: date | None
    rows_quarantined: int = 0
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
    rows = _rows_of(warehouse, batch)
    if rows is None:
        marked = frame.withColumns(
            {"source": F.lit(batch.source), "batch_id": F.lit(batch.batch_id)}
        )
        rows = warehouse.append(batch.table_name, marked)
    _record(warehouse, batch, rows)
    return rows


def coverage(warehouse: Warehouse) -> tuple[date, date]:
    """First and last day the log covers, both inclusive.

    Raises
    ------
    ContractError
        Nothing has been loaded.
    """
    days = [
        (row["first_date"], row["last_date"])
        for row in recorded(warehouse)
        if row["table_name"] in DATED_TABLES and row["first_date"] is not None
    ]
    if not days:
        raise ContractError(f"{warehouse.root} holds no events: run generate or ingest first")
    return min(first for first, _ in days), max(last for _, last in days)


def _rows_of(warehouse: Warehouse, batch: Batch) -> int | None:
    """Rows of a batch that was appended but never recorded, or None."""
    if not warehouse.exists(batch.table_name):
        return None
    stored = warehouse.read(batch.table_name).where(F.col("batch_id") == batch.batch_id)
    return stored.count() or None


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
        datetime.now(UTC),
        json.dumps(batch.detail or {}, default=str),
    )
    schema = all_tables()[LEDGER].schema
    warehouse.append(LEDGER, warehouse.spark.createDataFrame([row], schema))
