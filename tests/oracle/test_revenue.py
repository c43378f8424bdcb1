"""revenue_daily against its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from tests.oracle.definitions.revenue import revenue_daily
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@given(history=histories(max_days=14))
def test_revenue_is_that_of_the_definition(sail: SparkSession, history: History) -> None:
    found, expected = same(answer(sail, "revenue_daily", history), revenue_daily(history))
    assert found == expected
