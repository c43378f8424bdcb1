"""growth_periods: each user looked at in each period and in the one before."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_dates
from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
Period = tuple[dt.date, dt.date]
DAY = dt.timedelta(days=1)
NOTHING = Decimal("0.00")
USERS = ["new_users", "retained_users", "resurrected_users", "churned_users"]
REVENUE = [
    "new_revenue",
    "resurrected_revenue",
    "expansion_revenue",
    "contraction_revenue",
    "churned_revenue",
]


def period_of(unit: str, date: dt.date) -> Period:
    """First and last date of the period that a date lies in, or that ends on it (rolling_28)."""
    if unit == "day":
        return date, date
    if unit == "rolling_28":
        return date - 27 * DAY, date
    if unit == "week":
        monday = next(day for n in range(7) if (day := date - n * DAY).isoweekday() == 1)
        return monday, monday + 6 * DAY
    _, days = calendar.monthrange(date.year, date.month)
    return date.replace(day=1), date.replace(day=days)


def growth_periods(history: History) -> list[Row]:
    """All rows of the table."""
    return [
        _row(history, unit, period, segment)
        for unit in ("day", "week", "month", "rolling_28")
        for period in sorted({period_of(unit, date) for date in history.dates})
        for segment in segments(history)
    ]


def _row(history: History, unit: str, period: Period, segment: tuple[str, str]) -> Row:
    # The period before ends on the date before this one begins, whatever its length.
    before = period_of(unit, period[0] - DAY)
    has_predecessor = before[0] >= history.first_date
    users = members(history, segment)
    now = [_active(history, user, period) for user in users]
    then = [_active(history, user, before) for user in users]
    ever = sum(any(date <= period[1] for date in active_dates(history, user)) for user in users)
    kinds = [_kind(history, user, period, before) for user in users]
    count = {name: kinds.count(name) for name in USERS}
    money = dict.fromkeys(REVENUE, NOTHING)
    for user in users:
        name, amount = _difference(history, user, period, before)
        if name:
            money[name] += amount
    revenue = sum((_spent(history, user, period) for user in users), NOTHING)
    arpu = float(revenue) / sum(now) if any(now) else None
    churn_rate = count["churned_users"] / sum(then) if any(then) else None
    compared = {
        "previous_active_users": sum(then),
        **count,
        "delta_users": sum(now) - sum(then),
        "quick_ratio": _ratio(
            count["new_users"] + count["resurrected_users"], count["churned_users"]
        ),
        "churn_rate": churn_rate,
        "previous_revenue": sum((_spent(history, user, before) for user in users), NOTHING),
        **money,
        "revenue_quick_ratio": _ratio(
            money["new_revenue"] + money["resurrected_revenue"] + money["expansion_revenue"],
            money["contraction_revenue"] + money["churned_revenue"],
        ),
        "ltv_proxy": arpu / churn_rate if arpu is not None and churn_rate else None,
    }
    return {
        "period_unit": unit,
        "period_start_date": period[0],
        "period_end_date": period[1],
        "country": segment[0],
        "channel": segment[1],
        "active_users": sum(now),
        "ever_active_users": ever,
        "dormant_users": ever - sum(now),
        "revenue": revenue,
        "arpu": arpu,
        **(compared if has_predecessor else dict.fromkeys(compared)),
        "is_complete": history.first_date <= period[0] and period[1] <= history.as_of,
        "has_predecessor": has_predecessor,
    }


def _kind(history: History, user: Row, period: Period, before: Period) -> str:
    """What a user is in a period, '' for a user who was active in neither."""
    is_active = _active(history, user, period)
    was_active = _active(history, user, before)
    if not is_active:
        return "churned_users" if was_active else ""
    if _within(min(active_dates(history, user)), period):
        return "new_users"
    return "retained_users" if was_active else "resurrected_users"


def _difference(history: History, user: Row, period: Period, before: Period) -> tuple[str, Decimal]:
    """What a user adds to the revenue of the period before, or takes from it."""
    now, then = _spent(history, user, period), _spent(history, user, before)
    orders = _order_dates(history, user)
    if not any(_within(date, period) for date in orders):
        return ("churned_revenue", then)
    if _within(min(orders), period):
        return ("new_revenue", now)
    if not any(_within(date, before) for date in orders):
        return ("resurrected_revenue", now)
    return ("expansion_revenue", now - then) if now > then else ("contraction_revenue", then - now)


def _order_dates(history: History, user: Row) -> list[dt.date]:
    return [o["ts"].date() for o in history.orders if o["user_id"] == user["user_id"]]


def _spent(history: History, user: Row, period: Period) -> Decimal:
    amounts = [
        order["amount"]
        for order in history.orders
        if order["user_id"] == user["user_id"] and _within(order["ts"].date(), period)
    ]
    return sum(amounts, NOTHING).quantize(NOTHING)


def _active(history: History, user: Row, period: Period) -> bool:
    return any(_within(date, period) for date in active_dates(history, user))


def _within(date: dt.date, period: Period) -> bool:
    return period[0] <= date <= period[1]


def _ratio(gained: int | Decimal, lost: int | Decimal) -> float | None:
    return float(gained) / float(lost) if lost else None
