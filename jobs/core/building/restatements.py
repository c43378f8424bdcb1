"""Figures that were final and that a build changes: what they were and what they are now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.core.building.days import Days
    from jobs.core.catalog import Table
    from jobs.core.tables import Warehouse

TABLE = "restatements"
# A table with one of these columns holds unfinished rows, which are expected to change.
FINAL = ("is_complete", "is_mature")

Rows = dict[tuple[Any, ...], dict[str, Any]]


def keeps_figures(table: Table) -> bool:
    """True for metrics by date: for these a change is worth a word."""
    return table.is_aggregate and table.contract.write == "replace_day"


def whole_shop(warehouse: Warehouse, table: Table, days: Days) -> Rows:
    """Stored rows of the whole shop on some days, by key; none before the table is there."""
    if not warehouse.exists(table.name):
        return {}
    column = table.contract.date_column
    frame = warehouse.read(table.name).where(
        f"country = 'all' AND channel = 'all' AND {column} >= DATE'{days.first}' "
        f"AND {column} < DATE'{days.end}'"
    )
    keys = table.contract.key
    return {tuple(row[k] for k in keys): row for row in frame.toArrow().to_pylist()}


def restatements(table: Table, before: Rows, after: Rows, run_id: str) -> list[dict[str, Any]]:
    """Rows of the table `restatements` for what differs.

    A row that was not final before, and a figure that was NULL, is left out: they were no figures
    yet.
    """
    now = datetime.now(UTC)
    date_column = table.contract.date_column
    assert date_column is not None
    others = [key for key in table.contract.key if key not in ("country", "channel", date_column)]
    names = {column.name for column in table.contract.columns}
    final = next((name for name in FINAL if name in names), None)
    figures = [name for name in sorted(names - set(table.contract.key)) if name[:3] != "is_"]
    found = []
    for key, old in before.items():
        if final is not None and not old[final]:
            continue
        new = after.get(key, {})
        found += [
            {
                "run_id": run_id,
                "table_name": table.name,
                "metric": name,
                "metric_date": old[date_column],
                "detail": ", ".join(f"{other}={old[other]}" for other in others),
                "old_value": str(old[name]),
                "new_value": None if new.get(name) is None else str(new[name]),
                "restated_at": now,
            }
            for name in figures
            if old[name] is not None and old[name] != new.get(name)
        ]
    return found
