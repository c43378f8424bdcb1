"""revenue_daily: orders and revenue of a date and of the last seven."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_dates
from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def revenue_daily(history: History) -> list[Row]:
    """All rows of the table."""
    rows = []
    for segment in segments(history):
        users = members(history, segment)
        active = [active_dates(history, user) for user in users]
        ids = {user["user_id"] for user in users}
        own = [order for order in history.orders if order["user_id"] in ids]
        for date in history.dates:
            orders = [order for order in own if order["ts"].date() == date]
            revenue = sum((order["amount"] for order in orders), Decimal(0))
            buyers = len({order["user_id"] for order in orders})
            active_users = sum(date in dates for dates in active)
            week = [date - dt.timedelta(days=n) for n in range(7)]
            observed = sum(day in history.dates for day in week)
            revenue_7d = sum((o["amount"] for o in own if o["ts"].date() in week), Decimal(0))
            rows.append(
                {
                    "metric_date": date,
                    "country": segment[0],
                    "channel": segment[1],
                    "orders": len(orders),
                    "buyers": buyers,
                    "active_users": active_users,
                    "revenue": revenue,
                    "aov": _ratio(revenue, len(orders)),
                    "arpu": _ratio(revenue, active_users),
                    "arppu": _ratio(revenue, buyers),
                    "revenue_7d": revenue_7d,
                    "revenue_7d_mean": float(revenue_7d) / 7 if observed == 7 else None,
                    "days_observed_7d": observed,
                    "is_revenue_7d_complete": observed == 7,
                }
            )
    return rows


def _ratio(revenue: Decimal, count: int) -> float | None:
    return float(revenue) / count if count else None
