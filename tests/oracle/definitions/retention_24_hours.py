"""Periods of 24_hours in retention_cohorts: counted from the first active moment of each user."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
PERIOD = dt.timedelta(seconds=86_400)
BEFORE = dt.timedelta(microseconds=1)


def active_moments(history: History, user: Row) -> list[dt.datetime]:
    """Instants at which a user has an event or an order, the first one first."""
    rows = history.events + history.orders
    return sorted(row["ts"] for row in rows if row["user_id"] == user["user_id"])


def retention_24_hours(history: History, max_days: int) -> list[Row]:
    """All rows of the table in this unit."""
    rows = []
    for segment in segments(history):
        users = [active_moments(history, user) for user in members(history, segment)]
        for date in history.dates:
            cohort = [m for m in users if m and history.date_of(m[0]) == date]
            for number in range(max_days + 1):
                key = {"cohort_date": date, "country": segment[0], "channel": segment[1]}
                rows.append(key | _cell(history, date, number, cohort))
    return rows


def _cell(
    history: History, cohort_date: dt.date, number: int, cohort: list[list[dt.datetime]]
) -> Row:
    bounds = [(m[0] + number * PERIOD, m[0] + (number + 1) * PERIOD) for m in cohort]
    retained = sum(
        any(first <= moment < end for moment in moments)
        for moments, (first, end) in zip(cohort, bounds, strict=True)
    )
    last_dates = [history.date_of(end - BEFORE) for _, end in bounds]
    end_date = max(last_dates, default=cohort_date + dt.timedelta(number + 1))
    is_complete = end_date <= history.as_of
    return {
        "cohort_unit": "day",
        "period_unit": "24_hours",
        "period": number,
        "cohort_size": len(cohort),
        "retained": retained if is_complete else None,
        "retention_rate": retained / len(cohort) if is_complete and cohort else None,
        "retained_streak": None,
        "is_complete": is_complete,
        "period_end_date": end_date,
        "period_end_month": end_date.replace(day=1),
    }
