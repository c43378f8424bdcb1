"""Which days of a table a touched day reaches."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from jobs.core.building.days import EVERY_DAY, ONE_DAY, Days, merged

if TYPE_CHECKING:
    from jobs.core.catalog import Table
    from jobs.core.config import MetricSettings

# Its reach is a setting: with attempts, or one entry per period, any day may change with another.
FUNNEL = "funnel_daily"


def days_of(
    table: Table, ranges: dict[str, list[Days]], days: list[Days], metrics: MetricSettings
) -> list[Days]:
    """Days of a table to replace: those touched, those of its inputs, and those that look at them.

    Parameters
    ----------
    ranges
        Days of the tables before it in the build order.
    days
        Days touched in its layer.
    """
    ahead = metrics.funnel_days_ahead
    if table.name == FUNNEL and (ahead is None or ahead > table.contract.depends_ahead):
        return [EVERY_DAY]
    inputs = [ranges[name] for name in table.inputs(set(ranges))]
    touched = merged([*days, *(each for found in inputs for each in found)])
    contract = table.contract
    if contract.write != "replace_day":
        return touched
    return merged(each.widened(contract.depends_back, contract.depends_ahead) for each in touched)


def with_days_added(touched: list[Days], built: date, as_of: date) -> list[Days]:
    """Touched days, and those after the last one built: without rows they are still ones to write.

    Parameters
    ----------
    built, as_of
        Last day built so far, and last day of the log.
    """
    added = [Days(built + ONE_DAY, as_of + ONE_DAY)] if as_of > built else []
    return merged([*touched, *added])
