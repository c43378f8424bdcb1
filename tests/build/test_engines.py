"""Spark and Sail make the same tables, and read each other's, row for row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.core.catalog import build_order
from jobs.core.building.changes import LAYERS
from jobs.proof.engines import compare_engines
from tests.build.logs import Lakehouse, pieces, random_log, stored

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_every_table_is_the_same_on_both_engines(tmp_path: Path, spark: SparkSession) -> None:
    lakehouse = Lakehouse(tmp_path, spark, "spark")
    lakehouse.load("all", random_log(7))
    findings = compare_engines(lakehouse.run())
    assert [finding for finding in findings if not finding.passed] == []
    stored_tables = [table for table in build_order(LAYERS) if not table.is_view]
    assert len(findings) == len(stored_tables)
    # Nothing is the same for being empty.
    assert [f.name for f in findings if f.expected.startswith("0 ")] == []


def test_engines_may_take_turns_on_one_warehouse(
    tmp_path: Path, spark: SparkSession, sail: SparkSession
) -> None:
    first, second = pieces(3, random_log(3), 2)
    by_spark = Lakehouse(tmp_path / "turns", spark, "spark")
    by_spark.load("first", first)
    by_spark.build()
    by_spark.load("second", second)
    by_sail = Lakehouse(tmp_path / "turns", sail)
    assert not by_sail.build().full
    whole = Lakehouse(tmp_path / "whole", sail)
    whole.load("first", first)
    whole.load("second", second)
    whole.build()
    found, expected = by_sail.content(), whole.content()
    assert {name for name in stored() if found[name] != expected[name]} == set()
