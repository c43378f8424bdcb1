"""What stands on the judged rows: facts, sessions, users and what they did on a date."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.checked import events_checked, known_users, orders_checked

if TYPE_CHECKING:
    from tests.oracle.bronze import Bronze

Row = dict[str, Any]
GAP = dt.timedelta(minutes=30)


def fact_events(bronze: Bronze) -> list[Row]:
    """All rows of the table: a session is ended by a gap of more than 30 minutes or a new date."""
    columns = ("event_id", "user_id", "ts", "event_type", "value", "ingest_ts", "event_date")
    valid = [row for row in events_checked(bronze) if row["rule"] is None]
    rows = []
    for row in valid:
        earlier = sorted(
            (other["ts"], other["event_id"])
            for other in valid
            if (other["user_id"], other["event_date"]) == (row["user_id"], row["event_date"])
            and (other["ts"], other["event_id"]) <= (row["ts"], row["event_id"])
        )
        gaps = [after[0] - before[0] for before, after in zip(earlier, earlier[1:], strict=False)]
        session_no = 1 + sum(gap > GAP for gap in gaps)
        starts = len(earlier) == 1 or gaps[-1] > GAP
        rows.append(
            {name: row[name] for name in columns}
            | {"session_no": session_no, "is_session_start": starts}
        )
    return rows


def fact_orders(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    columns = ("order_id", "user_id", "ts", "amount", "ingest_ts", "order_date")
    return [
        {name: row[name] for name in columns}
        for row in orders_checked(bronze)
        if row["rule"] is None
    ]


def sessions(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    visits: dict[tuple[int, dt.date, int], list[Row]] = {}
    for event in fact_events(bronze):
        key = event["user_id"], event["event_date"], event["session_no"]
        visits.setdefault(key, []).append(event)
    rows = []
    for (user, date, number), events in visits.items():
        first = min(events, key=lambda event: (event["ts"], event["event_id"]))
        last = max(event["ts"] for event in events)
        kinds = [event["event_type"] for event in events]
        rows.append(
            {
                "user_id": user,
                "session_date": date,
                "session_no": number,
                "started_at": first["ts"],
                "ended_at": last,
                "duration_seconds": (last - first["ts"]) // dt.timedelta(seconds=1),
                "events": len(events),
                "views": kinds.count("view"),
                "add_to_carts": kinds.count("add_to_cart"),
                "purchases": kinds.count("purchase"),
                "entry_event_type": first["event_type"],
                "has_cart": "add_to_cart" in kinds,
                "has_purchase": "purchase" in kinds,
            }
        )
    return rows


def dim_users(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    events, orders = fact_events(bronze), fact_orders(bronze)
    rows = []
    for user in known_users(bronze):
        own = user["user_id"]
        bought = [order for order in orders if order["user_id"] == own]
        active = [
            event
            for event in events
            if event["user_id"] == own and event["event_type"] in bronze.active_event_types
        ]
        ordered = [order["order_date"] for order in bought]
        dates = ordered + [event["event_date"] for event in active]
        rows.append(
            {
                **user,
                "first_active_at": min((row["ts"] for row in active + bought), default=None),
                "first_active_date": min(dates, default=None),
                "last_active_date": max(dates, default=None),
                "first_order_date": min(ordered, default=None),
            }
        )
    return rows


def user_daily_metrics(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    events, orders = fact_events(bronze), fact_orders(bronze)
    days = {(row["user_id"], row["event_date"]) for row in events}
    days |= {(row["user_id"], row["order_date"]) for row in orders}
    rows = []
    for user, date in days:
        own = [e for e in events if (e["user_id"], e["event_date"]) == (user, date)]
        bought = [o["amount"] for o in orders if (o["user_id"], o["order_date"]) == (user, date)]
        kinds = [event["event_type"] for event in own]
        if not bought and not set(kinds) & set(bronze.active_event_types):
            continue
        rows.append(
            {
                "user_id": user,
                "metric_date": date,
                "sessions": len({event["session_no"] for event in own}),
                "events": len(own),
                "views": kinds.count("view"),
                "add_to_carts": kinds.count("add_to_cart"),
                "purchases": kinds.count("purchase"),
                "orders": len(bought),
                "revenue": sum(bought, Decimal(0)),
            }
        )
    return rows
