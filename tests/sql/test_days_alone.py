"""A query that replaces days gives for some days what it gives for them among all.

Builds of single days rest on this: each query has to read, before and after its own days, all that
it depends on, and nothing of it may depend on the days asked for.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from jobs.core.catalog import build_order
from tests.sql.small_shop import LAYERS, PARAMS, build_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Tables that have rows of a few days only.
FEW = ("quarantine", "repeated_events", "bot_dates")


@pytest.mark.parametrize(
    ("first", "end"),
    [
        (date(2024, 1, 3), date(2024, 1, 4)),
        (date(2024, 1, 20), date(2024, 1, 26)),
        (date(2024, 1, 31), date(2024, 2, 1)),
    ],
)
def test_days_alone_equal_the_same_days_among_all(
    sail: SparkSession, shop: dict[str, DataFrame], first: date, end: date
) -> None:
    params = PARAMS | {"from_date": first, "to_date": end}
    for table in build_order(LAYERS):
        if table.contract.write == "view":
            build_table(sail, table, params)
            continue
        column = table.contract.date_column
        if column is None:
            continue
        whole = shop[table.name]
        alone = build_table(sail, table, params)
        whole.createOrReplaceTempView(table.name)
        wanted = whole.where(f"{column} >= DATE'{first}' AND {column} < DATE'{end}'")
        assert sorted(map(str, alone.collect())) == sorted(map(str, wanted.collect())), table.name
        assert table.name in FEW or not alone.isEmpty()
