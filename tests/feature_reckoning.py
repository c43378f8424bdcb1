"""The features of a snapshot, reckoned user by user in Python from the rows known at T."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd

from tests.random_log import FIRST_DATE, RandomLog

NEVER = 9999
WINDOWS = {
    "active_days": (3, 7, 30, 90),
    "active_hours": (1, 3, 7, 30, 90),
    "views": (7, 30),
    "add_to_carts": (1, 3, 7, 30),
    "orders": (1, 3, 7, 30),
    "revenue": (30,),
}


def unknown_at(rows: pd.DataFrame, as_of: date) -> pd.Series:
    """Rows that T must not see: they happened at or after T, or arrived after it."""
    midnight = pd.Timestamp(as_of)
    return (rows["ts"] >= midnight) | (rows["ingest_ts"] > midnight)


def reckon(
    log: RandomLog, as_of: date, active_types: tuple[str, ...], population: str = "active"
) -> pd.DataFrame:
    """The rows of user_snapshots of a log in UTC, those of users active in 30 days or customers."""
    events = log.fact_events[~unknown_at(log.fact_events, as_of)]
    orders = log.fact_orders[~unknown_at(log.fact_orders, as_of)]
    by_user = [dict(iter(rows.groupby("user_id"))) for rows in (events, orders)]
    rows = []
    for user in log.dim_users.itertuples():
        own, bought = (
            found.get(user.user_id, whole.iloc[:0])
            for found, whole in zip(by_user, (events, orders), strict=True)
        )
        row = _of_user(user, own, bought, as_of, active_types)
        is_recent = row["days_since_last_active"] <= 30
        if (row["orders_lifetime"] > 0) if population == "customers" else is_recent:
            rows.append(row)
    return pd.DataFrame(rows).sort_values("user_id", ignore_index=True)


def _of_user(
    user: Any, events: pd.DataFrame, orders: pd.DataFrame, as_of: date, active: tuple[str, ...]
) -> dict[str, Any]:
    views, carts = (events[events["event_type"] == kind] for kind in ("view", "add_to_cart"))
    active_dates = {*events.loc[events["event_type"].isin(active), "event_date"]}
    active_dates |= {*orders["order_date"]}
    hours = {(day, ts.hour) for day, ts in zip(events["event_date"], events["ts"], strict=True)}
    count: dict[str, Callable[[date], float]] = {
        "active_days": lambda first: sum(day >= first for day in active_dates),
        "active_hours": lambda first: sum(day >= first for day, _ in hours),
        "views": lambda first: (views["event_date"] >= first).sum(),
        "add_to_carts": lambda first: (carts["event_date"] >= first).sum(),
        "orders": lambda first: (orders["order_date"] >= first).sum(),
        "revenue": lambda first: float(orders.loc[orders["order_date"] >= first, "amount"].sum()),
    }
    row: dict[str, Any] = {"user_id": user.user_id, "as_of": as_of}
    for name, windows in WINDOWS.items():
        for days in windows:
            row[f"{name}_{days}d"] = count[name](as_of - timedelta(days=days))
        if name != "views":
            row[f"{name}_lifetime"] = count[name](date.min)
    last_day = max(active_dates, default=None)
    row["active_hours_last_day"] = sum(day == last_day for day, _ in hours)
    row["add_to_carts_last_day"] = int((carts["event_date"] == last_day).sum())
    row["orders_last_day"] = int((orders["order_date"] == last_day).sum())
    row["order_days_lifetime"] = orders["order_date"].nunique()
    return row | _ages(user, views, carts, orders, sorted(active_dates), as_of, row)


def _ages(
    user: Any,
    views: pd.DataFrame,
    carts: pd.DataFrame,
    orders: pd.DataFrame,
    active: list[date],
    as_of: date,
    row: dict[str, Any],
) -> dict[str, Any]:
    def age(days: Any) -> int:
        return (as_of - max(days)).days if len(days) else NEVER

    recent = [day for day in active if (as_of - day).days <= 90]
    active_gap = (active[-1] - active[0]).days / (len(active) - 1) if len(active) > 1 else None
    bought = sorted(orders["order_date"])
    order_gap = (bought[-1] - bought[0]).days / (len(bought) - 1) if len(bought) > 1 else None
    since_active, since_order = age(active), age(bought)
    observed = max(1, (as_of - max(user.signup_date, FIRST_DATE)).days)
    day_rate, hours = row["active_days_lifetime"] / observed, row["active_hours_lifetime"]
    new_carts = carts[carts["event_date"] >= as_of - timedelta(days=30)]["ts"]
    return {
        "days_since_last_active": since_active,
        "days_since_second_last_active": age(recent[:-1]),
        "days_since_third_last_active": age(recent[:-2]),
        "days_since_last_view": age(views["event_date"]),
        "is_last_view_missing": views.empty,
        "days_since_last_cart": age(carts["event_date"]),
        "is_last_cart_missing": carts.empty,
        "days_since_last_order": since_order,
        "is_last_order_missing": orders.empty,
        "days_since_first_order": (as_of - bought[0]).days if bought else NEVER,
        "recency_to_active_gap": NEVER if active_gap is None else since_active / max(1, active_gap),
        "mean_order_gap_days": NEVER if order_gap is None else order_gap,
        "recency_to_order_gap": NEVER if order_gap is None else since_order / max(1, order_gap),
        "is_order_gap_missing": order_gap is None,
        "active_day_rate": day_rate,
        "active_hour_rate": hours / observed,
        "missed_active_days": day_rate * since_active if active else 0.0,
        "add_to_carts_per_hour": row["add_to_carts_lifetime"] / hours if hours else 0.0,
        "orders_per_hour": row["orders_lifetime"] / hours if hours else 0.0,
        "has_open_cart": len(new_carts) > 0
        and (orders.empty or new_carts.max() > orders["ts"].max()),
        "tenure_days": (as_of - user.signup_date).days,
        "observed_days": observed,
        "as_of_weekday": as_of.isoweekday(),
        "country": user.country,
        "channel": user.channel,
    }
