"""growth_periods against its definition, built at once and day by day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.definitions.growth import growth_periods
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Long enough for months and 28 dates with a period before them, and for users who come back.
LONG = histories(max_days=130, max_users=5, max_events=40)
NEVER = dt.date(9999, 12, 31)


@given(history=LONG)
def test_growth_is_that_of_the_definition(sail: SparkSession, history: History) -> None:
    found, expected = same(
        answer(sail, "growth_periods", history, from_date=dt.date(1, 1, 1), to_date=NEVER),
        growth_periods(history),
    )
    assert found == expected


@given(history=LONG, share=st.floats(0, 1))
def test_periods_that_end_from_a_day_on_are_those_among_all(
    sail: SparkSession, history: History, share: float
) -> None:
    touched = history.dates[int(share * (len(history.dates) - 1))]
    found, expected = same(
        answer(sail, "growth_periods", history, from_date=touched, to_date=NEVER),
        [row for row in growth_periods(history) if row["period_end_date"] >= touched],
    )
    assert found == expected
