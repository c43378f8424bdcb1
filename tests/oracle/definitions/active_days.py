"""active_days_daily: for each user and date, the active dates among the last 28, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_dates
from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def active_days_daily(history: History) -> list[Row]:
    """All rows of the table."""
    rows = []
    for country, channel in segments(history):
        users = [active_dates(history, user) for user in members(history, (country, channel))]
        for date in history.dates:
            counts = [sum(0 <= (date - day).days <= 27 for day in active) for active in users]
            rows += [
                {
                    "metric_date": date,
                    "country": country,
                    "channel": channel,
                    "active_days": number,
                    "users": counts.count(number),
                    "is_complete": (date - history.first_date).days >= 27,
                }
                for number in range(1, 29)
            ]
    return rows
