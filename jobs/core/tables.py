"""Every read and write of Delta tables in the project.

A write checks the frame against the contract first, and is one Delta commit: a reader sees the
table before or after it, never between. Replacing a range of days is idempotent, also where the
new content of a day is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructField, StructType

from jobs.core.catalog import Table, all_tables
from jobs.core.columns import columns_of, refuse_other_columns, stored_columns
from jobs.core.data_files import DataFile, DataFileWriter, FileLayout, file_layout
from jobs.core.errors import ContractError
from jobs.core.file_commits import commit_files, create_table, write_batches
from jobs.core.sail import batches_of, plain_folder
from jobs.core.spark_errors import storage_errors
from jobs.core.table_log import constants_by_file, has_committed, is_table, open_table, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame, Row, SparkSession


class Warehouse:
    """A folder of Delta tables, <root>/<layer>/<table>.

    Parameters
    ----------
    root
        Folder of the warehouse; made on the first write.
    spark
        Session to read and write with.
    run_id
        Identifies the run in the commit's userMetadata.
    engine
        What serves the session, "spark" or "sail".
    """

    def __init__(self, root: Path, spark: SparkSession, run_id: str, engine: str = "spark") -> None:
        self.root = root
        self.spark = spark
        self.run_id = run_id
        self.engine = engine

    def table(self, name: str) -> Table:
        """Contract of a table."""
        return all_tables()[name]

    def path(self, name: str) -> str:
        """Folder of a table."""
        return str(self.root / self.table(name).layer / name)

    def exists(self, name: str) -> bool:
        """True once the table holds a commit."""
        return is_table(self.path(name))

    def read(self, name: str, version: int | None = None) -> DataFrame:
        """Content of a stored table.

        `version` is an earlier Delta version, which only Spark reads here; None the latest.

        Raises
        ------
        ContractError
            The table has not been built yet.
        """
        if not self.exists(name):
            raise ContractError(f"{self.root} has no table {name}; {_hint(self.table(name))}")
        if self.engine == "spark":
            reader = self.spark.read.format("delta")
            if version is not None:
                reader = reader.option("versionAsOf", version)
            return reader.load(self.path(name))
        address = f"{plain_folder(str(self.root))}/{self.table(name).layer}/{name}"
        stored = self.spark.read.format("delta").load(address)
        if any(isinstance(field.dataType, ArrayType) for field in stored.schema):
            return stored  # under a schema of ours Sail cannot read lists
        # Sail refuses a union of columns whose comments differ, so it is not shown the comments.
        plain = StructType([StructField(f.name, f.dataType, f.nullable) for f in stored.schema])
        return self.spark.read.format("delta").schema(plain).load(address)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Content of a small stored table, without a Spark job; empty if it is not there."""
        return read_rows(self.path(name)) if self.exists(name) else []

    def constants_by_file(self, name: str, column: str) -> set[str] | None:
        """Values of a text column, where no file has more than one; see file_commits.py."""
        return constants_by_file(self.path(name), column)

    def register(
        self, names: Iterable[str] | None = None, versions: Mapping[str, int] | None = None
    ) -> list[str]:
        """Make stored tables known to SQL under their bare names; returns those that exist.

        `names` None means all; `versions` has the Delta version of those not to be read as now.
        """
        known = []
        for name in names if names is not None else all_tables():
            if not self.table(name).is_view and self.exists(name):
                self.read(name, (versions or {}).get(name)).createOrReplaceTempView(name)
                known.append(name)
        return known

    def append(self, name: str, frame: DataFrame) -> int:
        """Add rows; returns how many."""
        return self._write(name, frame, "append")

    def replace_table(self, name: str, frame: DataFrame) -> int:
        """Replace the whole content; returns the rows now in it."""
        return self._write(name, frame, "overwrite")

    def replace_days(self, name: str, frame: DataFrame, first: date, end: date) -> int:
        """Replace the days first <= day < end; returns the rows now in them.

        A row outside the range fails the write, and nothing is changed.
        """
        contract = self.table(name).contract
        column = contract.date_column
        parts = [f"{column} >= DATE'{first}'", f"{column} < DATE'{end}'"]
        if contract.replace_filter:
            parts.append(contract.replace_filter)
        return self.replace_where(name, frame, " AND ".join(parts))

    def replace_where(self, name: str, frame: DataFrame, predicate: str) -> int:
        """Replace the rows that satisfy `predicate`; returns the rows now satisfying it."""
        return self._write(name, frame, "overwrite", predicate)

    def layout(self, name: str) -> FileLayout:
        """What a writer of data files must know of a table; makes the table if need be."""
        layout = file_layout(self.table(name), self.path(name))
        self._create(name)
        return layout

    def append_files(self, name: str, files: Sequence[DataFile], transaction: str) -> int:
        """Add files that workers wrote by `layout`, in one commit; returns how many rows.

        See `commit_files` for the errors; `transaction` names the load for `has_committed`.
        """
        if not files:
            return 0
        handle = open_table(self.path(name))
        return commit_files(handle, self.layout(name), files, transaction, self.run_id)

    def append_rows(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Add a few rows, as a file too: a commit of Spark's takes longer than a million rows."""
        if not rows:
            return
        layout = self.layout(name)
        writer = DataFileWriter(layout)
        writer.write(pa.RecordBatch.from_pylist(list(rows), layout.schema))
        file = writer.close()
        assert file is not None
        self.append_files(name, [file], f"glasshouse/{file.name}")

    def has_committed(self, name: str, transaction: str) -> bool:
        """True where the table's log holds a load of this name."""
        return self.exists(name) and has_committed(self.path(name), transaction)

    def version(self, name: str) -> int:
        """Latest Delta version of a table."""
        return open_table(self.path(name)).version()

    def _write(
        self,
        name: str,
        frame: DataFrame,
        mode: Literal["append", "overwrite"],
        predicate: str | None = None,
    ) -> int:
        table, path = self.table(name), self.path(name)
        rows = conform(frame, table)
        with storage_errors(path):
            self._create(name)
            if self.engine == "sail" or table.is_aggregate:
                # Sail's own writes take rows outside the predicate without a word, and see NULLs in
                # rows that the query leaves out. Of a few rows each commit of Spark's takes a
                # second, this one some hundredths.
                pieces = batches_of(rows, self.engine)
                return write_batches(table, path, pieces, self.run_id, mode, predicate)
            if table.contract.partition_by:
                # One task per partition value where it is small, several where it is large: without
                # it every task would write a file into every day.
                rows = rows.hint("rebalance", *map(F.col, table.contract.partition_by))
            before = self.version(name)
            writer = rows.write.format("delta").mode(mode)
            if predicate:
                writer = writer.option("replaceWhere", predicate)
            writer.option("userMetadata", json.dumps({"run_id": self.run_id})).save(path)
            return self._rows_written(name, before)

    def _create(self, name: str) -> None:
        # Created explicitly so that comments and NOT NULL of the contract are in the table too.
        table, path = self.table(name), self.path(name)
        if not self.exists(name):
            create_table(table, path, self.run_id)
        elif (stored := stored_columns(path)) != columns_of(table.schema):
            changed = sorted(set(stored.items()) ^ set(columns_of(table.schema).items()))
            raise ContractError(
                f"{path} has the columns of another version of this project "
                f"({', '.join(dict.fromkeys(column for column, _ in changed))} differ): remove the "
                f"folder and {_hint(table)}"
            )

    def _rows_written(self, name: str, before: int) -> int:
        handle = open_table(self.path(name))
        if handle.version() == before:
            return 0  # nothing to remove and nothing to add: Delta makes no commit of that
        metrics = handle.history(1)[0].get("operationMetrics", {})
        return int(metrics.get("numOutputRows", 0))


def one_row(frame: DataFrame) -> Row:
    """The row of a frame that always has one, such as an aggregate without groups."""
    row = frame.first()
    assert row is not None
    return row


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """Put the columns in contract order, or refuse.

    Raises
    ------
    ContractError
        A column is missing, new, or of another type; the message lists expected and got.
    """
    expected = columns_of(table.schema)
    refuse_other_columns(table.name, expected, columns_of(frame.schema))
    return frame.select(list(expected))


def _hint(table: Table) -> str:
    first = {
        "bronze": "run generate or ingest first",
        "truth": "only a synthetic shop has it: run generate first",
        "features": "run train first",
        "ml": "run train first",
    }
    return first.get(table.layer, "run build first")
