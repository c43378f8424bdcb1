"""active_users_daily against its definition."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.definitions.active_users import active_users_daily
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# Ranges begin anywhere in the log and may reach beyond its end.
@given(history=histories(max_days=75), share=st.floats(0, 1), days=st.integers(1, 90))
def test_active_users_are_those_of_the_definition(
    sail: SparkSession, history: History, share: float, days: int
) -> None:
    first = history.dates[int(share * (len(history.dates) - 1))]
    end = first + dt.timedelta(days=days)
    found, expected = same(
        answer(sail, "active_users_daily", history, from_date=first, to_date=end),
        [row for row in active_users_daily(history) if first <= row["metric_date"] < end],
    )
    assert found == expected
