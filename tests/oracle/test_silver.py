"""Silver and its daily metrics against their definitions, from dirty rows on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tests.oracle.bronze import DEFINITIONS, Bronze, bronzes, expected_rows, found_rows
from tests.oracle.histories import same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("name", list(DEFINITIONS))
@given(bronze=bronzes())
def test_rows_are_those_of_the_definition(sail: SparkSession, name: str, bronze: Bronze) -> None:
    found, expected = same(found_rows(sail, name, bronze), expected_rows(name, bronze))
    assert found == expected
