"""retention_on_or_after and retention_curves, both from all the cells of retention_cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.definitions.active_users import active_dates
from tests.oracle.definitions.retention import UNITS, cohort_of, day_0, retention_cohorts, span
from tests.oracle.definitions.segments import members

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
CELL = ("cohort_unit", "cohort_date", "country", "channel", "period_unit", "period")


def retention_on_or_after(history: History, params: dict[str, Any]) -> list[Row]:
    """All rows of the view: who has an active date from the first one of the period on."""
    rows = []
    column = params["retention_cohort_date"]
    starts = {user["user_id"]: day_0(history, user, column) for user in history.users}
    active = {user["user_id"]: active_dates(history, user) for user in history.users}
    for cell in retention_cohorts(history, params):
        if cell["period_unit"] not in ("day", "week", "calendar_week", "month"):
            continue
        retained = 0
        for user in members(history, (cell["country"], cell["channel"])):
            start = starts[user["user_id"]]
            if start and cohort_of(UNITS[cell["period_unit"]][0], start) == cell["cohort_date"]:
                first, _ = span(cell["period_unit"], start, cell["period"])
                retained += any(day >= first for day in active[user["user_id"]])
        size, is_complete = cell["cohort_size"], cell["is_complete"]
        rows.append(
            {name: cell[name] for name in CELL}
            | {
                "cohort_size": size,
                "retained": retained if is_complete else None,
                "retention_rate": retained / size if is_complete and size else None,
                "is_complete": is_complete,
                "period_end_date": cell["period_end_date"],
            }
        )
    return rows


def retention_curves(history: History, params: dict[str, Any]) -> list[Row]:
    """All rows of the view."""
    cells = retention_cohorts(history, params)
    curves: dict[tuple[Any, ...], list[Row]] = {}
    for cell in cells:
        curves.setdefault((cell["period_unit"], cell["country"], cell["channel"]), []).append(cell)
    rows = []
    for (unit, country, channel), own in curves.items():
        finished = [cell for cell in own if cell["is_complete"] and cell["cohort_size"]]
        last_period = max((cell["period"] for cell in finished), default=None)
        fixed = {c["cohort_date"] for c in finished if c["period"] == last_period}
        for period in sorted({cell["period"] for cell in own}):
            key = {"period_unit": unit, "period": period, "country": country, "channel": channel}
            every = [cell for cell in finished if cell["period"] == period]
            rows.append(
                key
                | _average("", every)
                | _average("fixed_", [cell for cell in every if cell["cohort_date"] in fixed])
                | {"last_period": last_period}
            )
    return rows


def _average(prefix: str, cells: list[Row]) -> Row:
    users = sum(cell["cohort_size"] for cell in cells)
    retained = sum(cell["retained"] for cell in cells)
    return {
        f"{prefix}cohorts": len(cells),
        f"{prefix}eligible_users": users,
        f"{prefix}retained": retained,
        f"{prefix}retention_rate": retained / users if users else None,
    }
