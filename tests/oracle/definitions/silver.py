"""The tables under the metrics, for a history that is clean already."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
GAP = dt.timedelta(minutes=30)


def fact_events(history: History) -> list[Row]:
    """Events with the number of their session on the date."""
    rows = []
    for user in history.users:
        for date in history.dates:
            own = [
                event
                for event in history.events
                if event["user_id"] == user["user_id"] and history.date_of(event["ts"]) == date
            ]
            session_no, previous = 0, None
            for event in sorted(own, key=lambda e: (e["ts"], e["event_id"])):
                if previous is None or event["ts"] - previous > GAP:
                    session_no += 1
                previous = event["ts"]
                rows.append(
                    event
                    | {
                        "event_date": date,
                        "session_no": session_no,
                        "value": None,
                        "ingest_ts": event["ts"],
                    }
                )
    return rows


def fact_orders(history: History) -> list[Row]:
    """Orders with their date."""
    return [
        order | {"order_date": history.date_of(order["ts"]), "ingest_ts": order["ts"]}
        for order in history.orders
    ]


def dim_users(history: History) -> list[Row]:
    """Users with the first and last dates of their activity."""
    rows = []
    for user in history.users:
        bought = [o["ts"] for o in history.orders if o["user_id"] == user["user_id"]]
        moments = [e["ts"] for e in history.events if e["user_id"] == user["user_id"]] + bought
        ordered = [history.date_of(moment) for moment in bought]
        active = [history.date_of(moment) for moment in moments]
        rows.append(
            user
            | {
                "first_active_at": min(moments, default=None),
                "first_active_date": min(active, default=None),
                "last_active_date": max(active, default=None),
                "first_order_date": min(ordered, default=None),
            }
        )
    return rows


def user_daily_metrics(history: History) -> list[Row]:
    """What a user did on a date."""
    rows = []
    events = fact_events(history)
    for user in history.users:
        for date in history.dates:
            own = [e for e in events if e["user_id"] == user["user_id"] and e["event_date"] == date]
            bought = [
                o["amount"]
                for o in history.orders
                if o["user_id"] == user["user_id"] and history.date_of(o["ts"]) == date
            ]
            if own or bought:
                kinds = [e["event_type"] for e in own]
                rows.append(
                    {
                        "user_id": user["user_id"],
                        "metric_date": date,
                        "sessions": len({e["session_no"] for e in own}),
                        "events": len(own),
                        "views": kinds.count("view"),
                        "add_to_carts": kinds.count("add_to_cart"),
                        "purchases": kinds.count("purchase"),
                        "orders": len(bought),
                        "revenue": sum(bought, Decimal(0)),
                    }
                )
    return rows
