"""active_users_daily: distinct users over windows of dates that end on the date."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def active_dates(history: History, user: Row) -> set[dt.date]:
    """Dates on which a user has an event or an order."""
    rows = history.events + history.orders
    return {history.date_of(row["ts"]) for row in rows if row["user_id"] == user["user_id"]}


def active_users_daily(history: History) -> list[Row]:
    """All rows of the table."""
    rows = []
    for segment in segments(history):
        users = [active_dates(history, user) for user in members(history, segment)]
        for date in history.dates:
            count = {
                days: sum(any(_within(day, date, days) for day in active) for active in users)
                for days in (1, 7, 28, 30)
            }
            observed = (date - history.first_date).days + 1
            mean_dau = sum(_within(day, date, 28) for active in users for day in active) / 28
            stickiness = mean_dau / count[28] if observed >= 28 and count[28] else None
            rows.append(
                {
                    "metric_date": date,
                    "country": segment[0],
                    "channel": segment[1],
                    "dau": count[1],
                    "wau_7": count[7],
                    "mau_28": count[28],
                    "mau_30": count[30],
                    "stickiness": stickiness,
                    "is_wau_7_complete": observed >= 7,
                    "is_mau_28_complete": observed >= 28,
                    "is_mau_30_complete": observed >= 30,
                }
            )
    return rows


def _within(day: dt.date, last: dt.date, days: int) -> bool:
    return 0 <= (last - day).days < days
