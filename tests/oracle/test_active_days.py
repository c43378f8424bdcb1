"""active_days_daily against its definition."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.definitions.active_days import active_days_daily
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Few users who come often, and long enough that days leave the window again.
BUSY = histories(max_days=70, max_users=3, max_events=80)


@given(history=BUSY, share=st.floats(0, 1), days=st.integers(1, 80))
def test_active_days_are_those_of_the_definition(
    sail: SparkSession, history: History, share: float, days: int
) -> None:
    first = history.dates[int(share * (len(history.dates) - 1))]
    end = first + dt.timedelta(days=days)
    found, expected = same(
        answer(sail, "active_days_daily", history, from_date=first, to_date=end),
        [row for row in active_days_daily(history) if first <= row["metric_date"] < end],
    )
    assert found == expected
