"""kpi_daily: the headline figures of a date, each from its own definition."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_users_daily
from tests.oracle.definitions.revenue import revenue_daily
from tests.oracle.definitions.segments import members

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
WINDOW = dt.timedelta(days=7)
FROM_ACTIVES = (
    "metric_date",
    "country",
    "channel",
    "dau",
    "wau_7",
    "mau_28",
    "stickiness",
    "is_wau_7_complete",
    "is_mau_28_complete",
)
FROM_REVENUE = (
    "orders",
    "buyers",
    "revenue",
    "aov",
    "arpu",
    "revenue_7d",
    "is_revenue_7d_complete",
)


def kpi_daily(history: History) -> list[Row]:
    """All rows of the table."""
    money = {_key(row): row for row in revenue_daily(history)}
    rows = []
    for actives in active_users_daily(history):
        date, country, channel = key = _key(actives)
        users = members(history, (country, channel))
        is_mature = date + WINDOW <= history.as_of
        reached = [_steps(history, user, date) for user in users] if is_mature else []
        viewers, carters, buyers = (sum(steps > n for steps in reached) for n in range(3))
        rows.append(
            {name: actives[name] for name in FROM_ACTIVES}
            | {name: money[key][name] for name in FROM_REVENUE}
            | {
                "new_users": sum(user["signup_date"] == date for user in users),
                "mature_viewers": viewers,
                "mature_carters": carters,
                "mature_buyers": buyers,
                "overall_rate": buyers / viewers if viewers else None,
                "is_mature": is_mature,
            }
        )
    return rows


def _key(row: Row) -> tuple[dt.date, str, str]:
    return row["metric_date"], row["country"], row["channel"]


def _steps(history: History, user: Row, date: dt.date) -> int:
    """Steps of the funnel that a user who entered on a date reached: 0 without an entry, to 3."""
    own = [event for event in history.events if event["user_id"] == user["user_id"]]

    def moments(kind: str) -> list[dt.datetime]:
        return [event["ts"] for event in own if event["event_type"] == kind]

    entry = min((ts for ts in moments("view") if ts.date() == date), default=None)
    if entry is None:
        return 0
    carts = [ts for ts in moments("add_to_cart") if entry <= ts <= entry + WINDOW]
    bought = [
        ts
        for ts in moments("purchase")
        if any(cart <= ts for cart in carts) and ts <= entry + WINDOW
    ]
    return 3 if bought else 2 if carts else 1
