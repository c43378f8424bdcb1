from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.core.errors import UsageError
from jobs.ingestion.mapping import OrdersSource
from jobs.ingestion.moments import check_pattern
from tests.ingestion_rows import csv_of, normalised, rows_of

AMOUNTS = [
    ("12.5", Decimal("12.50")),
    ("0", Decimal("0.00")),
    (" 7 ", Decimal("7.00")),
    ("-3.10", Decimal("-3.10")),  # a rule of silver
    ("1e3", Decimal("1000.00")),
    ("19.989999999999998", Decimal("19.99")),
    ("9999999999999999.99", Decimal("9999999999999999.99")),
    ("10000000000000000.00", None),
    ("12.345", None),
    ("NaN", None),
    ("Infinity", None),
    ("1e308", None),
    ("1d", None),
    ("0x10", None),
    ("１２", None),
    ('"1,234.50"', None),
    ("", None),
]


def test_amounts_are_exact_or_quarantined(spark: SparkSession, tmp_path: Path) -> None:
    lines = [f"{n},u,2024-01-01,{text}" for n, (text, _) in enumerate(AMOUNTS)]
    path = csv_of(tmp_path / "o.csv", "order_id,user_id,ts,amount", *lines)
    rows = rows_of(normalised(spark, path, "orders", OrdersSource()))
    found = [None if row.rule else row.amount for row in rows]
    assert found == [amount for _, amount in AMOUNTS]
    assert {row.rule for row in rows} == {None, "unparseable_amount"}
    rounded = rows_of(normalised(spark, path, "orders", OrdersSource(round_amounts=True)))
    changed = [
        (a.line_number, b.amount) for a, b in zip(rows, rounded, strict=True) if a.rule != b.rule
    ]
    assert changed == [(10, Decimal("12.35"))]


MOMENTS = [
    # text, read in UTC, read in Berlin
    ("2024-01-05", "2024-01-05 00:00:00.000000", "2024-01-04 23:00:00.000000"),
    ("2024-01-05 10:20", "2024-01-05 10:20:00.000000", "2024-01-05 09:20:00.000000"),
    ("2024-01-05T10:20:30.123456789", "2024-01-05 10:20:30.123456", "2024-01-05 09:20:30.123456"),
    ("2024-01-05T10:20Z", "2024-01-05 10:20:00.000000", "2024-01-05 10:20:00.000000"),
    ("2024-01-05T10:20:30+0200", "2024-01-05 08:20:30.000000", "2024-01-05 08:20:30.000000"),
    ("2024-01-05 10:20:30 -03", "2024-01-05 13:20:30.000000", "2024-01-05 13:20:30.000000"),
    # An hour the clock skipped, and one that came twice.
    ("2024-03-31 02:30:00", "2024-03-31 02:30:00.000000", "2024-03-31 01:30:00.000000"),
    ("2023-10-29 02:30:00", "2023-10-29 02:30:00.000000", "2023-10-29 00:30:00.000000"),
    ("12:00:00", None, None),
    ("2024", None, None),
    ("2024-02-30", None, None),
    ("2024-01-05T25:00:00", None, None),
    ("05/01/2024", None, None),
    ("now", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("timezone", "place"), [("UTC", 1), ("Europe/Berlin", 2)])
def test_moments_follow_iso_8601(
    spark: SparkSession, tmp_path: Path, timezone: str, place: int
) -> None:
    lines = [f"{n},u,{moment[0]},1" for n, moment in enumerate(MOMENTS)]
    path = csv_of(tmp_path / "o.csv", "order_id,user_id,ts,amount", *lines)
    rows = rows_of(normalised(spark, path, "orders", OrdersSource(timezone=timezone)))
    assert [row.ts for row in rows] == [moment[place] for moment in MOMENTS]
    assert [row.rule for row in rows] == [
        None if moment[place] else "unparseable_ts" for moment in MOMENTS
    ]


@pytest.mark.parametrize(
    ("ts_format", "text", "expected"),
    [
        ("yyyyMMdd", "19970105", "1997-01-05 00:00:00.000000"),
        ("dd/MM/yyyy HH:mm", "05/01/2024 10:20", "2024-01-05 09:20:00.000000"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-01-05T10:20:00+05:00", "2024-01-05 05:20:00.000000"),
        ("yyyy-MM-dd 'X' HH", "2024-01-05 X 10", "2024-01-05 09:00:00.000000"),
        ("epoch_seconds", "1704448800.5", "2024-01-05 10:00:00.500000"),
        ("epoch_millis", "1704448800123", "2024-01-05 10:00:00.123000"),
        ("epoch_seconds", "1704448800123", None),
        ("yyyyMMdd", "1997-01-05", None),
    ],
)
def test_moments_follow_the_format_of_the_mapping(
    spark: SparkSession, tmp_path: Path, ts_format: str, text: str, expected: str | None
) -> None:
    timezone = "UTC" if ts_format == "yyyyMMdd" else "Europe/Berlin"
    source = OrdersSource(ts_format=ts_format, timezone=timezone)
    check_pattern(spark, source, "orders")
    path = csv_of(tmp_path / "o.csv", "order_id,user_id,ts,amount", f"1,u,{text},1")
    row = rows_of(normalised(spark, path, "orders", source))[0]
    assert (row.ts, row.rule) == (expected, None if expected else "unparseable_ts")


@pytest.mark.parametrize("ts_format", ["bogus{", "YYYY-MM-dd", "yyyy-MM-dd'T", "epoch"])
def test_a_pattern_spark_does_not_know_is_refused(spark: SparkSession, ts_format: str) -> None:
    with pytest.raises(UsageError, match=r"orders\.ts_format"):
        check_pattern(spark, OrdersSource(ts_format=ts_format), "orders")
