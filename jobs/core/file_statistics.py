"""Statistics of a data file as Delta keeps them, by which a reader skips the file."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq


def delta_statistics(footer: pq.FileMetaData) -> str:
    """Gather the row groups' statistics, which the Parquet writer has taken anyway.

    Parameters
    ----------
    footer
        Of a file with at least one row and flat columns; a missing DOUBLE must be NULL, not NaN,
        since Parquet's bounds leave NaN out.

    Returns
    -------
    str
        JSON with numRecords, minValues, maxValues and nullCount (Delta protocol, "Per-file
        Statistics"); booleans have no bounds.
    """
    lowest: dict[str, str] = {}
    highest: dict[str, str] = {}
    nulls: dict[str, int] = {}
    for position, name in enumerate(footer.schema.names):
        groups = [
            footer.row_group(group).column(position).statistics
            for group in range(footer.num_row_groups)
        ]
        nulls[name] = sum(group.null_count for group in groups)
        bounded = [group for group in groups if group.has_min_max]
        if bounded and not isinstance(bounded[0].min, bool):
            lowest[name] = _json(min(group.min for group in bounded))
            highest[name] = _json(max(group.max for group in bounded))
    return (
        f'{{"numRecords":{footer.num_rows},"minValues":{_json_object(lowest)},'
        f'"maxValues":{_json_object(highest)},"nullCount":{json.dumps(nulls)}}}'
    )


def _json_object(texts: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in texts.items()) + "}"


def _json(value: Any) -> str:
    """Write a bound as Delta reads it; times down to the millisecond, also the highest.

    A reader of Delta adds a millisecond to the highest itself.
    """
    if isinstance(value, datetime):
        return json.dumps(f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z")
    if isinstance(value, date):
        return json.dumps(value.isoformat())
    return str(value) if isinstance(value, Decimal) else json.dumps(value)
