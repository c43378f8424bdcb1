"""What quarantine keeps of the rows that are turned away."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.checked import events_checked, orders_checked, users_checked

if TYPE_CHECKING:
    from tests.oracle.bronze import Bronze

Row = dict[str, Any]


def quarantine(bronze: Bronze) -> list[Row]:
    """All rows that a build writes, of every date."""
    tables = (
        (
            "bronze_users",
            users_checked(bronze),
            ("user_id", "signup_date", "country", "channel", "ingest_ts"),
        ),
        (
            "bronze_events",
            events_checked(bronze),
            ("event_id", "user_id", "ts", "event_type", "value", "ingest_ts"),
        ),
        (
            "bronze_orders",
            orders_checked(bronze),
            ("order_id", "user_id", "ts", "amount", "ingest_ts"),
        ),
    )
    dates = {"bronze_users": "signup_date", "bronze_events": "event_date"}
    return [
        {
            "stage": "build",
            "table_name": table,
            "row_date": row[dates.get(table, "order_date")],
            "row_id": row[columns[0]],
            "rule": row["rule"],
            "message": row["message"],
            "payload": _payload({name: row[name] for name in columns}),
            "batch_id": row["batch_id"],
        }
        for table, rows, columns in tables
        for row in rows
        if row["rule"] is not None
    ]


def _payload(row: Row) -> str:
    fields = {name: _in_json(value) for name, value in row.items() if value is not None}
    return json.dumps(fields, separators=(",", ":"))


def _in_json(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="microseconds") + "Z"
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value if isinstance(value, int | float | str) else str(value)
