"""kpi_daily against its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from tests.oracle.definitions.kpi import kpi_daily
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@given(history=histories(max_days=30))
def test_figures_are_those_of_the_definition(sail: SparkSession, history: History) -> None:
    found, expected = same(answer(sail, "kpi_daily", history), kpi_daily(history))
    assert found == expected
