"""ltv_cohorts: what the users of a cohort had spent by a day after their own day 0."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.retention import cohort_of, day_0
from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def ltv_cohorts(history: History, params: dict[str, Any]) -> list[Row]:
    """All rows of the table."""
    rows = []
    for segment in segments(history):
        users = [
            (start, user)
            for user in members(history, segment)
            if (start := day_0(history, user, params["retention_cohort_date"]))
        ]
        for unit in ("day", "week", "month"):
            for date in history.dates:
                if cohort_of(unit, date) != date:
                    continue
                cohort = [each for each in users if cohort_of(unit, each[0]) == date]
                key = {"cohort_unit": unit, "cohort_date": date}
                key |= {"country": segment[0], "channel": segment[1]}
                for days in params["ltv_horizon_days"]:
                    rows.append(key | _cell(history, unit, date, days, cohort))
    return rows


def _cell(
    history: History, unit: str, cohort_date: dt.date, days: int, cohort: list[tuple[dt.date, Row]]
) -> Row:
    closes = cohort_date
    while cohort_of(unit, closes + dt.timedelta(1)) == cohort_date:
        closes += dt.timedelta(1)
    last_start = max((start for start, _ in cohort), default=closes)
    end = max(last_start + dt.timedelta(days), closes)
    spent = [_spent(history, user, start, days) for start, user in cohort]
    revenue = sum((sum(amounts, Decimal(0)) for amounts in spent), Decimal(0))
    is_complete = end <= history.as_of
    return {
        "horizon_days": days,
        "cohort_size": len(cohort),
        "buyers": sum(bool(amounts) for amounts in spent) if is_complete else None,
        "revenue": revenue if is_complete else None,
        "ltv": float(revenue) / len(cohort) if is_complete and cohort else None,
        "is_complete": is_complete,
        "horizon_end_date": end,
        "horizon_end_month": end.replace(day=1),
    }


def _spent(history: History, user: Row, start: dt.date, days: int) -> list[Decimal]:
    return [
        order["amount"]
        for order in history.orders
        if order["user_id"] == user["user_id"]
        and 0 <= (history.date_of(order["ts"]) - start).days <= days
    ]
