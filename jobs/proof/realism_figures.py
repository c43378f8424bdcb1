"""The figures by which shops are compared, each measured the same way on any log.

`order_figures` takes the orders of a cohort; the targets of conf/realism.yaml were found by
applying it to the CDNOW log, and the tests do so again. `traffic_figures` takes counts per hour.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

# CDNOW's file says days, so a month is 30 of them, counted from the customer's own first order.
_MONTH_DAYS = 30
MONTHS = range(1, 10)
REPEATS = range(1, 8)
GAP_PERCENTILES = (10, 25, 50, 75, 90)
TOP_PERCENTS = (1, 10, 20)
# November and December are compared with the two months before and after, so that a shop's
# growth, which is there on both sides, does not pass for a season.
_SEASON, _AROUND = (11, 12), (9, 10, 1, 2)
_EVENING_MIDDLE = 20


def order_figures(orders: pd.DataFrame) -> dict[str, float]:
    """Measure how a cohort of buyers goes on.

    Parameters
    ----------
    orders : DataFrame, one row per order
        All orders of the cohort from each member's first one on: user_id, day (days since any
        fixed day) and amount. Orders of one user and day count as one, except for the same-day
        repeats, the amounts and the revenue.

    Returns
    -------
    dict
        one_time_buyers; order_<n+1>_after_<n>, the share of those with n buying days who have one
        more; gap_p<percent>, days between buying days; same_day_repeats, share of the orders;
        top_<percent>_revenue, share of the revenue; value_mean, _median, _p90, _p99 of all orders;
        value_log_sd, of the orders that cost something; frequency_value_correlation, of a user's
        orders and mean order value; active_month_<m>, share with an order on the days
        [30 m, 30 m + 30) after the first.
    """
    days = orders[["user_id", "day"]].drop_duplicates().sort_values(["user_id", "day"])
    per_user = days.groupby("user_id")["day"]
    count = per_user.size().to_numpy()
    gaps = per_user.diff().dropna().to_numpy()
    month = (days["day"] - per_user.transform("min")) // _MONTH_DAYS
    active = days.assign(month=month).groupby("month")["user_id"].nunique() / len(count)
    found = {"one_time_buyers": float((count == 1).mean())}
    for n in REPEATS:
        found[f"order_{n + 1}_after_{n}"] = _ratio((count > n).sum(), (count >= n).sum())
    for percent in GAP_PERCENTILES:
        found[f"gap_p{percent}"] = float(np.quantile(gaps, percent / 100)) if len(gaps) else np.nan
    found["same_day_repeats"] = 1 - len(days) / len(orders)
    found |= _value_figures(orders)
    return found | {f"active_month_{m}": float(active.get(m, 0.0)) for m in MONTHS}


def _value_figures(orders: pd.DataFrame) -> dict[str, float]:
    amount = orders["amount"].to_numpy(dtype=np.float64)
    by_user = orders.groupby("user_id")["amount"].agg(["sum", "size"])
    revenue = np.sort(by_user["sum"].to_numpy(dtype=np.float64))[::-1]
    found = {
        f"top_{percent}_revenue": revenue[: len(revenue) * percent // 100].sum() / revenue.sum()
        for percent in TOP_PERCENTS
    }
    found["value_mean"] = amount.mean()
    for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        found[f"value_{name}"] = np.quantile(amount, share)
    found["value_log_sd"] = np.log(amount[amount > 0]).std(ddof=1)
    mean_value = by_user["sum"] / by_user["size"]
    varies = by_user["size"].nunique() > 1 and mean_value.nunique() > 1
    correlation = np.corrcoef(by_user["size"], mean_value)[0, 1] if varies else np.nan
    found["frequency_value_correlation"] = correlation
    return {name: float(value) for name, value in found.items()}


def traffic_figures(traffic: pd.DataFrame) -> dict[str, float]:
    """Measure the traffic of a shop over whole years.

    Parameters
    ----------
    traffic : DataFrame, one row per country, day and local hour
        country, day (Timestamp, UTC), hour (0 to 23, local time of the country), sessions, views,
        carts, orders.

    Returns
    -------
    dict
        view_share, cart_share, purchase_share of the events; orders_per_session;
        orders_per_cart; weekday_high and weekday_low, sessions of the busiest and the calmest
        weekday relative to the 7 days around; busiest_hour, local, in the country where it is
        farthest from the evening; season_months, mean day of November and December relative to
        the two months before and after; season_week, the same of the busiest week.
    """
    total = traffic[["sessions", "views", "carts", "orders"]].sum()
    events = total[["views", "carts", "orders"]].sum()
    hours = traffic.pivot_table("sessions", "country", "hour", "sum", fill_value=0)
    busiest = hours.idxmax(axis=1).to_numpy()
    found = {
        "view_share": total["views"] / events,
        "cart_share": total["carts"] / events,
        "purchase_share": total["orders"] / events,
        "orders_per_session": _ratio(total["orders"], total["sessions"]),
        "orders_per_cart": _ratio(total["orders"], total["carts"]),
        "busiest_hour": busiest[np.abs(busiest - _EVENING_MIDDLE).argmax()],
    }
    daily = traffic.groupby("day")["sessions"].sum().asfreq("D", fill_value=0)
    found |= _calendar_figures(daily)
    return {name: float(value) for name, value in found.items()}


def _calendar_figures(daily: pd.Series) -> dict[str, float]:
    around = daily.rolling(7, center=True).mean()
    weekday = (daily / around).dropna().groupby(lambda day: day.weekday()).mean()
    month = pd.DatetimeIndex(daily.index).month
    usual = daily[np.isin(month, _AROUND)].mean()
    season = np.isin(month, _SEASON)
    return {
        "weekday_high": weekday.max(),
        "weekday_low": weekday.min(),
        "season_months": daily[season].mean() / usual,
        "season_week": around[season].max() / usual,
    }


def _ratio(part: float, whole: float) -> float:
    """Share of a count; nothing can be said where there is nothing."""
    return float(part) / float(whole) if whole else float("nan")
