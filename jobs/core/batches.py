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

from jobs.core.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame

    from jobs.core.data_files import DataFile
    from jobs.core.tables import Warehouse

    WriteFiles = Callable[[Sequence["Batch"]], list[DataFile]]

LEDGER = "bronze_batches"
ONE_DAY = timedelta(days=1)
# Sources that begin so are synthetic shops; their world's id follows.
SHOP_PREFIX = "shop "
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
    return warehouse.rows(LEDGER)


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
    warehouse.append_rows(LEDGER, _records([(batch, rows)]))
    return rows


def load_files(warehouse: Warehouse, batches: Sequence[Batch], write: WriteFiles) -> dict[str, int]:
    """Load batches of several tables whose files one pass writes; returns rows by table.

    A batch that a run committed, but did not live to record, is recognised by its transaction in
    the table's log and only recorded.

    Parameters
    ----------
    batches
        At most one per table; those already recorded are left out of the result.
    write
        Called once, with the batches whose rows are not there; returns the files of their tables.
        They count from their commit on, one per table.
    """
    known = {(row["table_name"], row["batch_id"]) for row in recorded(warehouse)}
    missing = [b for b in batches if (b.table_name, b.batch_id) not in known]
    rows: dict[str, int] = {}
    for batch in missing:
        if found := _committed_rows(warehouse, batch):
            rows[batch.table_name] = found
        kept = {name for _, name in known} | ({batch.batch_id} if found else set())
        _remove_unrecorded(warehouse, batch.table_name, kept)
    wanted = [batch for batch in missing if batch.table_name not in rows]
    files = write(wanted) if wanted else []
    for batch in wanted:
        table = batch.table_name
        own = [file for file in files if file.table == table]
        rows[table] = warehouse.append_files(table, own, _transaction(batch.batch_id))
    warehouse.append_rows(LEDGER, _records([(b, rows[b.table_name]) for b in missing]))
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
    stored = warehouse.constants_by_file(table_name, "batch_id")
    if stored is None:
        rows = warehouse.read(table_name).select("batch_id").distinct().collect()
        stored = {row["batch_id"] for row in rows}
    for orphan in sorted(stored - known):
        nothing = warehouse.read(table_name).limit(0)
        warehouse.replace_where(table_name, nothing, f"batch_id = '{orphan}'")


def _transaction(batch_id: str) -> str:
    return f"glasshouse/{batch_id}"


def _committed_rows(warehouse: Warehouse, batch: Batch) -> int:
    """Rows of a batch that was committed whole; 0 where none was, or it was removed again."""
    if not warehouse.has_committed(batch.table_name, _transaction(batch.batch_id)):
        return 0
    stored = warehouse.read(batch.table_name)
    return stored.filter(F.col("batch_id") == batch.batch_id).count()


def _records(loaded: Sequence[tuple[Batch, int]]) -> list[dict[str, Any]]:
    """Rows of bronze_batches."""
    now = datetime.now(UTC)
    return [
        {
            "batch_id": batch.batch_id,
            "table_name": batch.table_name,
            "source": batch.source,
            "first_date": batch.first_date,
            "last_date": batch.last_date,
            "rows_read": count + batch.rows_quarantined,
            "rows_loaded": count,
            "rows_quarantined": batch.rows_quarantined,
            "covers_every_day": batch.covers_every_day,
            "loaded_at": now,
            "detail": json.dumps(batch.detail or {}, default=str),
        }
        for batch, count in loaded
    ]
