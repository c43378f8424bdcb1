"""active_users_daily against its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from tests.oracle.definitions.active_users import active_users_daily
from tests.oracle.histories import History, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@given(history=histories())
def test_active_users_are_those_of_the_definition(sail: SparkSession, history: History) -> None:
    found, expected = same(answer(sail, "active_users_daily", history), active_users_daily(history))
    assert found == expected
