"""The views over retention_cohorts against their definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from tests.oracle.definitions.retention_views import retention_curves, retention_on_or_after
from tests.oracle.histories import History, answer, histories, same
from tests.oracle.test_retention import ALWAYS, PARAMS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@given(history=histories(), params=PARAMS)
def test_users_of_a_period_or_later_are_those_of_the_definition(
    sail: SparkSession, history: History, params: dict[str, Any]
) -> None:
    rows = answer(sail, "retention_on_or_after", history, **params, **ALWAYS)
    found, expected = same(rows, retention_on_or_after(history, params))
    assert found == expected


@given(history=histories(), params=PARAMS)
def test_curves_are_those_of_the_definition(
    sail: SparkSession, history: History, params: dict[str, Any]
) -> None:
    rows = answer(sail, "retention_curves", history, **params, **ALWAYS)
    found, expected = same(rows, retention_curves(history, params))
    assert found == expected
