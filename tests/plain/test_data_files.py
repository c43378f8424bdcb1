"""Data files that workers write: what a reader learns of them, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.core.catalog import all_tables
from jobs.core.data_files import (
    DataFile,
    DataFileWriter,
    FileLayout,
    check_data_file,
    file_layout,
)
from jobs.core.errors import ContractError, StorageError

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("ts", pa.timestamp("us", tz="UTC")),
        pa.field("day", pa.date32()),
        pa.field("amount", pa.decimal128(18, 2)),
        pa.field("is_new", pa.bool_()),
        pa.field("source", pa.string(), nullable=False),
    ]
)
MOMENT = datetime(2024, 3, 1, 12, 0, 0, 123_987, UTC)


def layout(folder: Path) -> FileLayout:
    return FileLayout("a_table", str(folder), SCHEMA)


def batch(ids: list[int], **changes: pa.Array) -> pa.RecordBatch:
    count = len(ids)
    columns = {
        "id": pa.array(ids, pa.int64()),
        "kind": pa.array(["view", "cart"] * count).slice(0, count).dictionary_encode(),
        "value": pa.array([None, 2.5] * count, pa.float64()).slice(0, count),
        "ts": pa.array([MOMENT] * count, pa.timestamp("us", tz="UTC")),
        "day": pa.array([date(2024, 3, 1)] * count),
        "amount": pa.array([Decimal("-0.07"), Decimal("12345678901234.56")] * count)
        .slice(0, count)
        .cast(pa.decimal128(18, 2)),
        "is_new": pa.array([True] * count),
    }
    return pa.record_batch(columns | changes)


def written(folder: Path, *batches: pa.RecordBatch) -> DataFile | None:
    writer = DataFileWriter(layout(folder), {"source": "shop"})
    for rows in batches:
        writer.write(rows)
    return writer.close()


def test_the_file_holds_the_rows_in_contract_order_as_plain_types(tmp_path: Path) -> None:
    file = written(tmp_path, batch([3, 1]), batch([2]))
    assert file is not None
    table = pq.read_table(tmp_path / file.name)
    assert [(f.name, f.type) for f in table.schema] == [(f.name, f.type) for f in SCHEMA]
    assert table.column("id").to_pylist() == [3, 1, 2]
    assert table.column("kind").to_pylist() == ["view", "cart", "view"]
    assert table.column("value").to_pylist() == [None, 2.5, None]
    assert table.column("amount").to_pylist()[1] == Decimal("12345678901234.56")
    assert set(table.column("source").to_pylist()) == {"shop"}
    assert (file.rows, file.size) == (3, (tmp_path / file.name).stat().st_size)


def test_statistics_bound_every_row_group(tmp_path: Path) -> None:
    big = 1 << 17  # rows of one row group
    file = written(tmp_path, batch(list(range(5, big + 5))), batch([-2, 1, 4]))
    assert file is not None
    assert pq.read_metadata(tmp_path / file.name).num_row_groups == 2
    # Decimals as they stand: a float would round the bounds, and a bound may not.
    found = json.loads(file.statistics, parse_float=Decimal)
    assert found["numRecords"] == big + 3
    low, high, nulls = found["minValues"], found["maxValues"], found["nullCount"]
    assert (low["id"], high["id"]) == (-2, big + 4)
    assert (low["kind"], high["kind"]) == ("cart", "view")
    assert (low["value"], high["value"], nulls["value"]) == (Decimal("2.5"),) * 2 + (big // 2 + 2,)
    assert (low["amount"], high["amount"]) == (Decimal("-0.07"), Decimal("12345678901234.56"))
    assert (low["day"], high["day"]) == ("2024-03-01", "2024-03-01")
    assert low["ts"] == high["ts"] == "2024-03-01T12:00:00.123Z"  # down, both of them
    assert "is_new" not in low and nulls["is_new"] == 0


def test_a_column_without_values_has_no_bounds(tmp_path: Path) -> None:
    file = written(tmp_path, batch([1], value=pa.array([None], pa.float64())))
    assert file is not None
    found = json.loads(file.statistics)
    assert "value" not in found["minValues"] and found["nullCount"]["value"] == 1


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    assert written(tmp_path) is None
    assert written(tmp_path, batch([])) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": pa.array([1], pa.int32())}, "id: expected int64, got int32"),
        ({"extra": pa.array([1])}, "extra: expected no such column, got int64"),
        ({"id": pa.array([None], pa.int64())}, "a_table.id has nulls"),
    ],
)
def test_rows_that_break_the_contract_are_refused(
    tmp_path: Path, changes: dict[str, pa.Array], complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        written(tmp_path, batch([1], **changes))


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    writer = DataFileWriter(layout(tmp_path))
    with pytest.raises(ContractError, match="source: expected string, got none"):
        writer.write(batch([1]))


def test_the_driver_looks_at_what_it_commits(tmp_path: Path) -> None:
    file = written(tmp_path, batch([1, 2]))
    assert file is not None
    check_data_file(layout(tmp_path), file)
    fewer = pa.schema(list(SCHEMA)[:-1])
    with pytest.raises(ContractError, match="source: expected no such column"):
        check_data_file(FileLayout("a_table", str(tmp_path), fewer), file)
    strict = pa.schema([field.with_nullable(False) for field in SCHEMA])
    with pytest.raises(ContractError, match="a_table.value has 1 nulls"):
        check_data_file(FileLayout("a_table", str(tmp_path), strict), file)
    path = tmp_path / file.name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StorageError, match="must see one folder"):
        check_data_file(layout(tmp_path), file)
    path.unlink()
    with pytest.raises(StorageError, match="generate.writer: spark"):
        check_data_file(layout(tmp_path), file)


def test_a_contract_becomes_arrow_types(tmp_path: Path) -> None:
    found = file_layout(all_tables()["bronze_orders"], str(tmp_path)).schema
    assert found.field("amount") == pa.field("amount", pa.decimal128(18, 2), nullable=False)
    assert found.field("ts").type == pa.timestamp("us", tz="UTC")
    with pytest.raises(ValueError, match="partitioned"):
        file_layout(all_tables()["fact_events"], str(tmp_path))
