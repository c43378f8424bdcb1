"""RFM: recency, frequency and monetary value of buyers, scores by value, and named segments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
MEASURES = ("recency_days", "frequency", "monetary")
NAMES = (
    "champions",
    "loyal",
    "big_spenders",
    "promising",
    "fading",
    "at_risk",
    "hibernating",
    "no_recent_order",
)


def rfm_measures(history: History, lookback_days: int) -> list[Row]:
    """All rows of the view."""
    rows = []
    first = history.as_of - dt.timedelta(days=lookback_days - 1)
    for user in history.users:
        orders = [
            order
            for order in history.orders
            if order["user_id"] == user["user_id"] and first <= order["ts"].date() <= history.as_of
        ]
        if orders:
            last = max(order["ts"].date() for order in orders)
            rows.append(
                {
                    "user_id": user["user_id"],
                    "last_order_date": last,
                    "recency_days": (history.as_of - last).days,
                    "frequency": len(orders),
                    "monetary": sum((order["amount"] for order in orders), Decimal(0)),
                }
            )
    return rows


def cut_point(values: list[Any], percent: int) -> Any:
    """The smallest value that at least so many percent of the values do not exceed."""
    for value in sorted(values):
        if 100 * sum(other <= value for other in values) >= percent * len(values):
            return value
    return None


def bin_of(value: Any, values: list[Any]) -> int:
    """1 for the smallest values to 5: one more than the cut points that are smaller."""
    return 1 + sum(cut_point(values, percent) < value for percent in (20, 40, 60, 80))


def rfm_cut_points(history: History, lookback_days: int) -> list[Row]:
    """All rows of the table."""
    buyers = rfm_measures(history, lookback_days)
    rows = []
    for measure in MEASURES:
        values = [buyer[measure] for buyer in buyers]
        for number in range(1, 6):
            rows.append(
                {
                    "as_of": history.as_of,
                    "measure": measure,
                    "score": 6 - number if measure == "recency_days" else number,
                    "percent": 20 * number,
                    "above": _money(cut_point(values, 20 * number - 20)) if number > 1 else None,
                    "up_to": _money(cut_point(values, 20 * number)) if number < 5 else None,
                    "users": sum(bin_of(value, values) == number for value in values),
                }
            )
    return rows


def _money(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(Decimal("0.01"))


def segment_of(recency: int, frequency: int, monetary: int) -> str:
    """Name for three scores."""
    if recency >= 3:
        if recency >= 4 and frequency >= 4 and monetary >= 4:
            return "champions"
        if frequency >= 3:
            return "loyal"
        if monetary >= 4:
            return "big_spenders"
        return "fading" if recency == 3 else "promising"
    return "at_risk" if frequency >= 3 or monetary >= 4 else "hibernating"


def rfm_users(history: History, lookback_days: int) -> list[Row]:
    """All rows of the table."""
    buyers = rfm_measures(history, lookback_days)
    values = {measure: [buyer[measure] for buyer in buyers] for measure in MEASURES}
    people = {user["user_id"]: user for user in history.users}
    rows = []
    for buyer in buyers:
        recency, frequency, monetary = (
            bin_of(buyer[measure], values[measure]) for measure in MEASURES
        )
        rows.append(
            buyer
            | {
                "as_of": history.as_of,
                "country": people[buyer["user_id"]]["country"],
                "channel": people[buyer["user_id"]]["channel"],
                "r_score": 6 - recency,
                "f_score": frequency,
                "m_score": monetary,
                "segment": segment_of(6 - recency, frequency, monetary),
            }
        )
    return rows


def rfm_segments(history: History, lookback_days: int) -> list[Row]:
    """All rows of the table."""
    scored = {row["user_id"]: row for row in rfm_users(history, lookback_days)}
    rows = []
    for segment in segments(history):
        for name in NAMES:
            users = [
                user["user_id"]
                for user in members(history, segment)
                if scored.get(user["user_id"], {"segment": "no_recent_order"})["segment"] == name
            ]
            buyers = [scored[user] for user in users if user in scored]
            recency = sum(buyer["recency_days"] for buyer in buyers)
            rows.append(
                {
                    "as_of": history.as_of,
                    "segment": name,
                    "country": segment[0],
                    "channel": segment[1],
                    "users": len(users),
                    "orders": sum(buyer["frequency"] for buyer in buyers),
                    "revenue": sum((buyer["monetary"] for buyer in buyers), Decimal(0)),
                    "recency_days_mean": recency / len(buyers) if buyers else None,
                }
            )
    return rows
