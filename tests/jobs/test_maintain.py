"""maintain: shows or removes what no version names, and nothing where a log is damaged."""

from __future__ import annotations

import argparse
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.maintain import add_arguments, execute
from tests.jobs.commands import run_in

NOON = dt.datetime(2024, 1, 1, 12)


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def test_it_shows_then_removes_then_finds_nothing(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_in(spark, tmp_path)
    table = run.warehouse.table("bronze_orders")
    rows = [(1, 7, NOON, Decimal("1.00"), NOON, "file", "b0")]
    # One task: Spark's own writer leaves a file behind for each task without rows.
    frame = spark.createDataFrame(rows, table.schema).coalesce(1)
    run.warehouse.append("bronze_orders", frame)
    left = Path(run.warehouse.path("bronze_orders")) / "left.parquet"
    left.write_bytes(b"1234567")
    assert execute(run, options("--list")) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["bronze_orders", "1", "file", "7", "bytes"]
    assert shown[1] == "1 file could be removed" and left.exists()
    assert execute(run, options("--older-than", "1")) == 0
    assert capsys.readouterr().out == "no file is left over\n" and left.exists()
    execute(run, options())
    assert capsys.readouterr().out.splitlines()[1] == "1 file removed" and not left.exists()
    assert run.warehouse.read("bronze_orders").count() == 1


@pytest.mark.parametrize("hours", ["-1", "nan", "inf", "soon"])
def test_hours_are_a_number_from_zero_on(hours: str) -> None:
    with pytest.raises(SystemExit):
        options("--older-than", hours)
