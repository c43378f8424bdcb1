"""The next build in words: which days, why, and which days of which table."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from jobs.core import batches
from jobs.core.building.changes import LAYERS, Changes
from jobs.core.building.days import BEGINNING, END, Days
from jobs.core.building.reach import days_of, with_days_added
from jobs.core.catalog import build_order

if TYPE_CHECKING:
    from jobs.core.entry import Run

MEANINGS = {
    "new": "after the last day built",
    "late": "rows for a day already built",
    "user": "a user of its rows arrived or changed",
    "copy": "another copy of one of its rows arrived",
}


def render_plan(
    run: Run, changes: Changes, first: date | None = None, end: date | None = None
) -> str:
    """Tell what a build would do.

    Parameters
    ----------
    first, end
        Only days first <= day < end are listed; the sums below are of all days.
    """
    first_date, as_of = batches.coverage(run.warehouse)
    lines = [f"the log covers {first_date} to {as_of}", _last_build(changes)]
    if changes.full:
        return "\n".join([*lines, f"to build: every day of every table, since {changes.full}"])
    if changes.is_nothing:
        return "\n".join([*lines, "to build: nothing, the tables hold all that was loaded"])
    lines += ["", *_days_shown(changes, Days(first or BEGINNING, end or END)), ""]
    for why, count in sorted(Counter(changes.reasons.values()).items()):
        lines.append(f"{count} days {why}: {MEANINGS[why]}")
    lines += ["", "table                    days replaced, as far as the segments stay the same"]
    lines += [f"{name:<24} {days}" for name, days in _table_days(run, changes, as_of).items()]
    return "\n".join(lines)


def _days_shown(changes: Changes, asked: Days) -> list[str]:
    if not changes.reasons:
        return ["no day is to be built: what was loaded has no rows"]
    shown = [f"{day}  {why}" for day, why in changes.reasons.items() if day in asked]
    if shown:
        return ["day         why", *shown]
    first = "" if asked.first == BEGINNING else f" from {asked.first} on"
    end = "" if asked.end == END else f" before {asked.end}"
    days = list(changes.reasons)
    return [f"no day{first}{end} is to be built; those that are lie in {days[0]} to {days[-1]}"]


def _last_build(changes: Changes) -> str:
    before = changes.before
    if before is None:
        return "nothing is built yet"
    moment = before["built_at"].isoformat(sep=" ", timespec="seconds")
    return f"built through {before['as_of']} by run {before['run_id']} ({moment})"


def _table_days(run: Run, changes: Changes, as_of: date) -> dict[str, str]:
    assert changes.before is not None
    touched = changes.days
    gold = with_days_added(touched, changes.before["as_of"], as_of)
    by_layer = {"silver": touched, "gold": gold}
    ranges: dict[str, list[Days]] = {}
    told = {}
    for table in build_order(LAYERS):
        ranges[table.name] = days_of(table, ranges, by_layer[table.layer], run.config.metrics)
        if not table.is_view:
            whole = table.contract.write == "replace_table"
            told[table.name] = "all" if whole else ", ".join(map(_shown, ranges[table.name]))
    return told


def _shown(days: Days) -> str:
    return f"{days.first} on" if days.end == END else str(days)
