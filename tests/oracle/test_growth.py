"""growth_periods against its definition, for all periods and for those from some day on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.definitions.growth import growth_periods
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BEGINNING, END = dt.date(1, 1, 1), dt.date(9999, 12, 31)
# Long enough for months and 28 dates with a period before them, and for users who come back.
LONG = histories(max_days=110, max_users=4, max_events=30)


@given(history=LONG, is_whole=st.booleans(), share=st.floats(0, 1))
def test_growth_is_that_of_the_definition(
    sail: SparkSession, history: History, is_whole: bool, share: float
) -> None:
    # A change on a day builds the periods that end from it on, and those alone.
    touched = history.dates[int(share * (len(history.dates) - 1))]
    first = BEGINNING if is_whole else touched
    found, expected = same(
        answer(sail, "growth_periods", history, from_date=first, to_date=END),
        [row for row in growth_periods(history) if row["period_end_date"] >= first],
    )
    assert found == expected
