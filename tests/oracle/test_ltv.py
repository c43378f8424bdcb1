"""ltv_cohorts against its definition, whole and for some days alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.core.config import load_config
from tests.oracle.definitions.ltv import ltv_cohorts
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = st.fixed_dictionaries(
    {
        "retention_cohort_date": st.sampled_from(["signup_date", "first_active_date"]),
        "ltv_horizon_days": st.sampled_from([(0, 2, 9), (7, 30), (40,)]),
    }
)
# With the reach that follows from them, so that the query is given no more room than it has.
PARAMS = SETTINGS.map(
    lambda settings: dataclasses.replace(load_config().metrics, **settings).parameters()
)
ALWAYS = {"to_date": dt.date(9999, 12, 31)}


@given(history=histories(), params=PARAMS)
def test_cells_are_those_of_the_definition(
    sail: SparkSession, history: History, params: dict[str, Any]
) -> None:
    rows = answer(sail, "ltv_cohorts", history, **params, **ALWAYS)
    found, expected = same(rows, ltv_cohorts(history, params))
    assert found == expected


@given(history=histories(max_days=120, max_users=3, max_events=20), params=PARAMS, data=st.data())
def test_days_alone_need_no_more_than_the_query_reads(
    sail: SparkSession, history: History, params: dict[str, Any], data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from(history.dates))
    end = first + dt.timedelta(days=data.draw(st.integers(1, 40)))
    rows = answer(sail, "ltv_cohorts", history, **params, from_date=first, to_date=end)
    whole = ltv_cohorts(history, params)
    found, expected = same(rows, [row for row in whole if first <= row["horizon_end_date"] < end])
    assert found == expected
