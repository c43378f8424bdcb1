from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError
from jobs.ingestion.contract import check_columns
from jobs.ingestion.inputs import fingerprint
from jobs.ingestion.intake import take_in
from jobs.ingestion.load import nanoseconds_readable
from jobs.ingestion.mapping import OrdersSource, Source, UsersSource
from jobs.ingestion.normalise import Clock
from jobs.ingestion.readers import Rows, read_parquet, read_text
from jobs.ingestion.request import Input

WHITESPACE = OrdersSource(format="whitespace", columns={"user_id": 1, "ts": 2, "amount": 3})


def rows_of(spark: SparkSession, path: Path, source: Source, name: str = "orders") -> Rows:
    inputs = fingerprint(path, source)
    layout = check_columns(inputs, name, source)
    if source.is_text:
        return read_text(spark, inputs, name, source, layout)
    return read_parquet(spark, inputs, name, source)


def cells(rows: Rows, *columns: str) -> list[tuple]:
    found = rows.frame.orderBy("file_name", "line_number").collect()
    assert len(found) == rows.rows_read
    return [tuple(row[column] for column in columns) for row in found]


def csv_of(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(["order_id,user_id,ts,amount", *lines]).encode())
    return path


def test_line_numbers_are_exact_however_the_files_are_split(
    spark: SparkSession, tmp_path: Path
) -> None:
    lines = {}
    for name, count in (("a.txt", 90), ("b.txt", 7), ("odd [1]{2} %20 #ü*?.txt", 40)):
        # Lines of changing length, so that blocks begin anywhere in them, and a blank one.
        texts = [f"u{n} 2024-01-01 {'9' * (n % 13 + 1)}" if n % 11 else " " for n in range(count)]
        lines[name] = texts
        (tmp_path / name).write_text("\r\n".join(["# - -", *texts]), encoding="utf-8")
    before = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "64")
    try:
        rows = rows_of(spark, tmp_path, WHITESPACE)
        assert rows.frame.rdd.getNumPartitions() > 20
        actual = cells(rows, "file_name", "line_number", "user_id", "line_sha256")
    finally:
        spark.conf.set("spark.sql.files.maxPartitionBytes", before)
    expected = [
        (name, n, text.split()[0], hashlib.sha256(text.encode()).hexdigest())
        for name, texts in sorted(lines.items())
        for n, text in enumerate(["# - -", *texts], start=1)
        if text != " "
    ]
    assert actual == expected
    assert rows.blank_lines == 9 + 1 + 4


def test_csv_knows_quotes_order_of_columns_and_marks_of_editors(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "o.csv"
    text = '\ufeffamount;x;"user id";day\r\n1.5;,;"a ""b"";c";2024-01-01\r\n\r\n;;"";\r\n'
    path.write_bytes(text.encode())
    columns = {"user_id": "user id", "ts": "day", "amount": "amount"}
    rows = rows_of(spark, path, OrdersSource(delimiter=";", columns=columns))
    assert cells(rows, "line_number", "fault", "user_id", "ts", "amount") == [
        (2, None, 'a "b";c', "2024-01-01", "1.5"),
        (4, None, None, None, None),
    ]
    assert rows.blank_lines == 1


def test_a_line_that_cannot_be_taken_apart_is_kept_as_a_fault(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_of(tmp_path / "o.csv", "1,2,3", "1,2,3,4,5", '1,2,3,"4', "1,2,3,4", "1,2,3,\x004")
    with path.open("ab") as handle:
        handle.write(b"\n1,2,3,\xff\n1,\xf0\x9f\x98\x80,3,4")
    rows = rows_of(spark, path, OrdersSource())
    fields = "not 4 fields, or a quote left open"
    assert cells(rows, "line_number", "fault") == [
        (2, fields),
        (3, fields),
        (4, fields),
        (5, None),
        (6, "holds a control character"),
        (7, "not UTF-8"),
        (8, None),
    ]
    assert cells(rows, "user_id")[-1] == ("\U0001f600",)


JSON_FAULT = ("not one JSON object", None, None)
JSON_LINES = [
    ('{"order_id": 7, "user_id": "a", "ts": "t", "amount": 1.50}', (None, "7", "1.5")),
    (
        '{"amount": 10000000000000000.01, "order_id": 12345678901234567890}',
        (None, "12345678901234567890", "10000000000000000.01"),
    ),
    (' {"order_id": null, "amount": "1"} ', (None, None, "1")),
    ('{"order_id": "\\ud83d\\ude00"}', (None, "\U0001f600", None)),
    ('{"order_id": "1", "amount": "1"', JSON_FAULT),
    ('{"order_id": "1"}{"order_id": "2"}', JSON_FAULT),
    ('{"order_id": "1"}, {"order_id": "2"}', JSON_FAULT),
    ('{"order_id": "1"}, null', JSON_FAULT),
    ('{"order_id": "1"} junk', JSON_FAULT),
    ('{"order_id": "1", "order_id": "2"}', JSON_FAULT),
    ('[{"order_id": "1"}]', JSON_FAULT),
    ("null", JSON_FAULT),
    ("order_id,user_id", JSON_FAULT),
]


def test_json_lines_hold_one_object_each(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    text = "\n".join(line for line, _ in JSON_LINES)
    path.write_text(f"\ufeff{text}", encoding="utf-8")
    rows = rows_of(spark, path, OrdersSource(format="jsonl"))
    found = cells(rows, "fault", "order_id", "amount")
    assert found == [expected for _, expected in JSON_LINES]


def test_a_key_that_no_json_line_has_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text('{"order_id": 1, "user": 2, "ts": 3, "amount": 4}\n', encoding="utf-8")
    with pytest.raises(ContractError, match=r"expected user_id; got amount, order_id, ts"):
        rows_of(spark, path, OrdersSource(format="jsonl"))


def test_gzip_is_read_through(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "o.csv.gz"
    path.write_bytes(gzip.compress(b"order_id,user_id,ts,amount\n1,2,3,4\n\n5,6,7,8\n"))
    rows = rows_of(spark, path, OrdersSource())
    assert cells(rows, "line_number", "order_id") == [(2, "1"), (4, "5")]


def test_a_file_that_grows_meanwhile_stops_the_ingest(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "o.csv", "1,2,3,4")
    inputs = fingerprint(path, OrdersSource())
    csv_of(path, "1,2,3,4", "1,2,3,4")
    with pytest.raises(UsageError, match="changed while it was read"):
        read_text(spark, inputs, "orders", OrdersSource(), ["order_id", "user_id", "ts", "amount"])


@pytest.mark.parametrize(
    ("tz", "stored", "hour"), [(None, "timestamp_ntz", 10), ("Europe/Berlin", "timestamp", 9)]
)
def test_parquet_of_pandas_keeps_types_and_row_numbers(
    spark: SparkSession, tmp_path: Path, tz: str | None, stored: str, hour: int
) -> None:
    moments = pd.Series(pd.to_datetime(["2024-01-01 10:00:00.123456789", "2024-01-02 00:00:00.0"]))
    frame = pd.DataFrame({"u": [1, 2], "d": moments.dt.tz_localize(tz)})
    frame.to_parquet(tmp_path / "a b.parquet")
    source = UsersSource(format="parquet", columns={"user_id": "u", "signup_date": "d"})
    with nanoseconds_readable(spark):
        rows = rows_of(spark, tmp_path, source, "users")
        assert dict(rows.frame.dtypes)["signup_date"] == stored
        # Text in the session's time zone, which is UTC.
        moment = F.col("signup_date").cast("string").alias("moment")
        rows = Rows(rows.frame.withColumn("moment", moment), rows.rows_read, 0)
        actual = cells(rows, "file_name", "line_number", "user_id", "moment")
    assert actual[0] == ("a b.parquet", 1, 1, f"2024-01-01 {hour:02}:00:00.123456")
    assert actual[1][:3] == ("a b.parquet", 2, 2)
    assert spark.conf.get("spark.sql.legacy.parquet.nanosAsLong") == "false"


def test_parquet_siblings_must_agree_on_types(spark: SparkSession, tmp_path: Path) -> None:
    pd.DataFrame({"u": ["1"], "d": ["2024-01-01"]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"u": [1], "d": ["2024-01-01"]}).to_parquet(tmp_path / "b.parquet")
    source = UsersSource(format="parquet", columns={"user_id": "u", "signup_date": "d"})
    with pytest.raises(ContractError, match=r"b\.parquet .*column u expected .*string; got int64"):
        check_columns(fingerprint(tmp_path, source), "users", source)


def test_a_parquet_file_damaged_inside_is_named(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "in" / "u.parquet"
    path.parent.mkdir()
    pd.DataFrame({"u": [str(n) for n in range(999)], "d": "2024-01-01"}).to_parquet(path)
    source = UsersSource(format="parquet", columns={"user_id": "u", "signup_date": "d"})
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(596)  # the footer stays whole
    path.write_bytes(content)
    files = fingerprint(path.parent, source)
    part = Input("users", source, files, tuple(check_columns(files, "users", source)), "id")
    clock = Clock("UTC", datetime(2024, 6, 1, tzinfo=UTC))
    with pytest.raises(UsageError, match=r"in/u\.parquet is damaged"):
        take_in(spark, part, clock, date(1990, 1, 1), b"a key of more than sixteen bytes")


def test_columns_spark_cannot_tell_apart_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "u.parquet"
    pd.DataFrame({"u": ["1"], "U": ["1"], "d": ["2024-01-01"]}).to_parquet(path)
    source = UsersSource(format="parquet", columns={"user_id": "u", "signup_date": "d"})
    files = fingerprint(path, source)
    part = Input("users", source, files, tuple(check_columns(files, "users", source)), "id")
    clock = Clock("UTC", datetime(2024, 6, 1, tzinfo=UTC))
    with pytest.raises(UsageError, match=r"u\.parquet: Spark cannot read it"):
        take_in(spark, part, clock, date(1990, 1, 1), b"a key of more than sixteen bytes")
