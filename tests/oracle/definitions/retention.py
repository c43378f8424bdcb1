"""retention_cohorts: who of a cohort was active in a period, and without a break up to it."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_dates
from tests.oracle.definitions.retention_24_hours import retention_24_hours
from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
Span = tuple[dt.date, dt.date]
# Unit of the periods: that of the cohorts, and the parameter that says how far they go.
UNITS = {
    "day": ("day", "retention_max_days"),
    "week": ("week", "retention_max_weeks"),
    "calendar_week": ("week", "retention_max_weeks"),
    "month": ("month", "retention_max_months"),
    "bracket": ("day", ""),
}
BRACKETS = {1: 3, 4: 7, 8: 14, 15: 30}


def cohort_of(unit: str, date: dt.date) -> dt.date:
    """First date of the day, ISO week or month of a date."""
    if unit == "week":
        return dt.date.fromisocalendar(*date.isocalendar()[:2], 1)
    return date.replace(day=1) if unit == "month" else date


def span(unit: str, start: dt.date, number: int) -> Span:
    """First and last date of period `number` of a user whose day 0 is `start`."""
    if unit == "month":
        year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return dt.date(year, month + 1, 1), dt.date(year, month + 1, last)
    if unit == "bracket":
        first, length = start + dt.timedelta(number), BRACKETS[number] - number + 1
    elif unit == "day":
        first, length = start + dt.timedelta(number), 1
    else:
        begin = cohort_of("week", start) if unit == "calendar_week" else start
        first, length = begin + dt.timedelta(weeks=number), 7
    return first, first + dt.timedelta(length - 1)


def day_0(history: History, user: Row, column: str) -> dt.date | None:
    """Date from which the periods of a user count; None for one who is in no cohort."""
    if column == "signup_date":
        date: dt.date = user["signup_date"]
        return date if history.first_date <= date <= history.as_of else None
    return min(active_dates(history, user), default=None)


def retention_cohorts(history: History, params: dict[str, Any]) -> list[Row]:
    """All rows of the table."""
    rows = retention_24_hours(history, params["retention_max_days"])
    column = params["retention_cohort_date"]
    for segment in segments(history):
        users = [
            (start, active_dates(history, user))
            for user in members(history, segment)
            if (start := day_0(history, user, column))
        ]
        for unit, (cohort_unit, limit) in UNITS.items():
            numbers = list(BRACKETS) if unit == "bracket" else list(range(params[limit] + 1))
            for date in history.dates:
                if cohort_of(cohort_unit, date) == date:
                    cohort = [user for user in users if cohort_of(cohort_unit, user[0]) == date]
                    for number in numbers:
                        cell = _cell(history.as_of, unit, date, number, cohort)
                        key = {"cohort_unit": cohort_unit, "cohort_date": date}
                        rows.append(key | {"country": segment[0], "channel": segment[1]} | cell)
    return rows


def _cell(
    as_of: dt.date,
    unit: str,
    cohort_date: dt.date,
    number: int,
    cohort: list[tuple[dt.date, set[dt.date]]],
) -> Row:
    # Of an empty week the last user there could be signs up on its Sunday.
    latest = cohort_date + dt.timedelta(6) if unit == "week" else cohort_date
    end = max((span(unit, start, number)[1] for start, _ in cohort), default=None)
    end = end or span(unit, latest, number)[1]
    retained = streak = 0
    for start, active in cohort:
        first, last = span(unit, start, number)
        is_on = any(first <= day <= last for day in active)
        retained += is_on
        days = [start + dt.timedelta(n) for n in range(1, number + 1)]
        streak += all(day in active for day in days) if number else is_on
    is_complete = end <= as_of
    return {
        "period_unit": unit,
        "period": number,
        "cohort_size": len(cohort),
        "retained": retained if is_complete else None,
        "retention_rate": retained / len(cohort) if is_complete and cohort else None,
        "retained_streak": streak if is_complete and unit == "day" else None,
        "is_complete": is_complete,
        "period_end_date": end,
        "period_end_month": end.replace(day=1),
    }
