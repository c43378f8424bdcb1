"""The tables of RFM against their definitions, also for a look-back shorter than the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.definitions import rfm
from tests.oracle.histories import History, Row, answer, histories, same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Definition = Callable[[History, int], list[Row]]


@pytest.mark.parametrize(
    "definition",
    [rfm.rfm_measures, rfm.rfm_cut_points, rfm.rfm_users, rfm.rfm_segments],
    ids=lambda definition: definition.__name__,
)
@given(
    history=histories(max_days=20, max_users=12, max_events=40, max_orders=40),
    lookback_days=st.sampled_from([365, 1, 7]),
)
def test_rows_are_those_of_the_definition(
    sail: SparkSession, definition: Definition, history: History, lookback_days: int
) -> None:
    found = answer(sail, definition.__name__, history, rfm_lookback_days=lookback_days)
    found, expected = same(found, definition(history, lookback_days))
    assert found == expected
