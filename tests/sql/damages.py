"""Ways to damage a table of the small shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Damage = Callable[["DataFrame"], "DataFrame"]


def twice(table: DataFrame) -> DataFrame:
    return table.unionAll(table)


def without(condition: str) -> Damage:
    return lambda table: table.where(f"NOT ({condition})")


def with_changed(column: str, value: str, where: str = "TRUE") -> Damage:
    changed = f"CASE WHEN {where} THEN {value} ELSE {column} END AS {column}"
    return lambda table: table.selectExpr(
        *(changed if name == column else f"`{name}`" for name in table.columns)
    )


def and_rows_of(query: str) -> Damage:
    return lambda table: table.unionAll(table.sparkSession.sql(query))


def only_rows_of(query: str) -> Damage:
    return lambda table: table.sparkSession.sql(query)


def and_again_with(*changes: str) -> Damage:
    """Every row once more, with other values: column and value in turn."""

    def damage(table: DataFrame) -> DataFrame:
        changed = table
        for column, value in zip(changes[::2], changes[1::2], strict=True):
            changed = with_changed(column, value)(changed)
        return table.unionAll(changed)

    return damage


TOTAL = "country = 'all' AND channel = 'all'"
