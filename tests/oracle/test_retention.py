"""retention_cohorts against its definition, whole and for some days alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.core.config import load_config
from tests.oracle.definitions.retention import retention_cohorts
from tests.oracle.histories import History, answer, histories, in_zone, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = st.fixed_dictionaries(
    {
        "retention_cohort_date": st.sampled_from(["signup_date", "first_active_date"]),
        "retention_max_days": st.sampled_from([2, 8]),
        "retention_max_weeks": st.sampled_from([1, 3]),
        "retention_max_months": st.sampled_from([0, 2]),
    }
)
# With those that follow from them, so that a query is given no more room than it has.
PARAMS = SETTINGS.map(
    lambda settings: dataclasses.replace(load_config().metrics, **settings).parameters()
)
# One that skips an hour and one that has an hour twice, on the date after the first ones here.
ZONES = ["Europe/Berlin", "America/New_York"]
CLOCK_CHANGES = [dt.date(2024, 3, day) for day in (9, 29)] + [
    dt.date(2024, 10, 26),
    dt.date(2024, 11, 2),
]
# The query builds what ends on these dates, also after the log.
ALWAYS = {"to_date": dt.date(9999, 12, 31)}


@given(history=histories(), params=PARAMS)
def test_cells_are_those_of_the_definition(
    sail: SparkSession, history: History, params: dict[str, Any]
) -> None:
    rows = answer(sail, "retention_cohorts", history, **params, **ALWAYS)
    found, expected = same(rows, retention_cohorts(history, params))
    assert found == expected


@given(history=histories(max_days=120, max_users=2, max_events=20), params=PARAMS, data=st.data())
def test_days_alone_need_no_more_than_the_query_reads(
    sail: SparkSession, history: History, params: dict[str, Any], data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from(history.dates))
    end = first + dt.timedelta(days=data.draw(st.integers(1, 40)))
    rows = answer(sail, "retention_cohorts", history, **params, from_date=first, to_date=end)
    whole = retention_cohorts(history, params)
    found, expected = same(rows, [row for row in whole if first <= row["period_end_date"] < end])
    assert found == expected


@given(
    history=histories(max_days=9, max_users=4, starts=CLOCK_CHANGES),
    tz=st.sampled_from(ZONES),
    max_days=st.sampled_from([0, 3]),
    data=st.data(),
)
def test_24_hours_are_no_dates_where_clocks_change(
    sail: SparkSession, history: History, tz: str, max_days: int, data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from(history.dates))
    end = data.draw(st.sampled_from([first + dt.timedelta(days=1), ALWAYS["to_date"]]))
    changed = dataclasses.replace(
        load_config().metrics,
        tz=tz,
        retention_max_days=max_days,
        retention_max_weeks=0,
        retention_max_months=0,
    )
    local = in_zone(history, tz)
    days = {"from_date": first, "to_date": end}
    rows = answer(sail, "retention_cohorts", local, **changed.parameters(), **days)
    whole = retention_cohorts(local, changed.parameters())
    found, expected = same(rows, [row for row in whole if first <= row["period_end_date"] < end])
    assert found == expected
