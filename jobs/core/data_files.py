"""Data files of a table, written by workers beside Spark.

Python fills Arrow's columns several times faster than Spark's own writer takes rows, so a worker
that makes rows writes them as Parquet itself, and the driver commits all files of a load as one
Delta version (see file_commits.py). Until then no reader sees them: what a run leaves that dies
before its commit are orphans, see orphans.py.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.core.columns import refuse_other_columns
from jobs.core.errors import ContractError, StorageError
from jobs.core.file_statistics import delta_statistics

if TYPE_CHECKING:
    from jobs.core.catalog import Table

ARROW_TYPES: dict[str, pa.DataType] = {
    "BIGINT": pa.int64(),
    "INT": pa.int32(),
    "DOUBLE": pa.float64(),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "STRING": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "BINARY": pa.binary(),
    "ARRAY<STRUCT<feature STRING, effect DOUBLE>>": pa.list_(
        pa.struct([("feature", pa.string()), ("effect", pa.float64())])
    ),
}

# Within a file a reader skips by row group: the smaller, the less it reads of one user. Below
# this size, headers and dictionaries begin to cost.
_ROW_GROUP_ROWS = 1 << 17


class DataFile(NamedTuple):
    """A finished file: its table, name in the table's folder, bytes, rows and statistics.

    The statistics are JSON as Delta keeps them per file: numRecords, minValues, maxValues and
    nullCount.
    """

    table: str
    name: str
    size: int
    rows: int
    statistics: str


@dataclass(frozen=True)
class FileLayout:
    """What a worker must know of a table, since it may not have the folder of the contracts.

    Attributes
    ----------
    table : str
        Name of the table.
    folder : str
        Where its data files lie; driver and workers must see the same folder.
    schema : pyarrow.Schema
        Columns of the contract in its order, with its NOT NULL and its comments.
    """

    table: str
    folder: str
    schema: pa.Schema


def file_layout(table: Table, folder: str) -> FileLayout:
    """Translate a contract into Arrow's types.

    Parameters
    ----------
    table
        Contract of an unpartitioned table.
    folder
        Folder of the Delta table.
    """
    if table.contract.partition_by:
        raise ValueError(f"{table.name} is partitioned: its files need a folder per value")
    return FileLayout(table.name, folder, arrow_schema(table))


def arrow_schema(table: Table) -> pa.Schema:
    """Columns of a contract as Arrow's, with its NOT NULL and its comments."""
    return pa.schema(
        pa.field(
            column.name, ARROW_TYPES[column.type], column.nullable, {"comment": column.comment}
        )
        for column in table.contract.columns
    )


class DataFileWriter:
    """Writes one Parquet file of a table; without rows there is no file.

    Parameters
    ----------
    layout
        The table.
    constants
        Columns with one value in all rows, which the batches need not have.
    """

    def __init__(self, layout: FileLayout, constants: dict[str, str] | None = None) -> None:
        self._layout = layout
        self._constants = constants or {}
        self._name = f"{uuid.uuid4()}.parquet"
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._footers: list[pq.FileMetaData] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows.

        Parameters
        ----------
        batch
            Columns of the contract; a column of few different strings best as dictionary.

        Raises
        ------
        ContractError
            A column is missing, new or of another type, or a NOT NULL column has nulls.
        """
        if not batch.num_rows:
            return
        self._waiting.append(self._conform(batch))
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _ROW_GROUP_ROWS:
            self._flush()

    def close(self) -> DataFile | None:
        """Finish the file; None if there was no row."""
        self._flush()
        if self._writer is None:
            return None
        self._writer.close()
        (footer,) = self._footers
        return DataFile(
            table=self._layout.table,
            name=self._name,
            size=self._path.stat().st_size,
            rows=footer.num_rows,
            statistics=delta_statistics(footer),
        )

    @property
    def _path(self) -> Path:
        return Path(self._layout.folder) / self._name

    def _conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name, text in self._constants.items():
            zeros = pa.array(bytearray(batch.num_rows), pa.int8())
            columns[name] = pa.DictionaryArray.from_arrays(zeros, [text])
        got = {name: str(_plain(column.type)) for name, column in columns.items()}
        refuse_other_columns(self._layout.table, _types(self._layout), got)
        for field in self._layout.schema:
            if not field.nullable and columns[field.name].null_count:
                raise ContractError(f"{self._layout.table}.{field.name} has nulls")
        ordered = [columns[name] for name in self._layout.schema.names]
        return pa.RecordBatch.from_arrays(ordered, self._layout.schema.names)

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = pa.Table.from_batches(self._waiting)
        self._waiting, self._waiting_rows = [], 0
        if self._writer is None:
            self._writer = self._open(rows.schema)
        self._writer.write_table(rows, row_group_size=rows.num_rows)

    def _open(self, schema: pa.Schema) -> pq.ParquetWriter:
        """Open the file with the encodings that were smallest and fastest on event logs.

        With zstd, differences for ids and times and dictionaries for strings alone, a row of
        bronze_events takes half of what the defaults take, and both ways are faster.
        """
        types = {name: _plain(self._layout.schema.field(name).type) for name in schema.names}
        packed = [
            name
            for name, kind in types.items()
            if pa.types.is_integer(kind) or pa.types.is_temporal(kind)
        ]
        return pq.ParquetWriter(
            self._path,
            schema,
            compression={
                # Times packed to the bit do not shrink any further, only take a quarter longer.
                name: "none" if pa.types.is_timestamp(kind) else "zstd"
                for name, kind in types.items()
            },
            use_dictionary=[name for name, kind in types.items() if pa.types.is_string(kind)],
            column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
            store_decimal_as_integer=True,
            # Arrow's own schema would say "dictionary" where every other reader sees strings.
            store_schema=False,
            metadata_collector=self._footers,
        )


def check_data_file(layout: FileLayout, file: DataFile) -> None:
    """Look at a finished file from here, before a commit that nothing else would check.

    Raises
    ------
    StorageError
        The file is not there, or not as its worker left it.
    ContractError
        Its columns differ from the contract's, or a NOT NULL column has nulls.
    """
    path = Path(layout.folder) / file.name
    try:
        size = path.stat().st_size
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StorageError(
            f"{path}, which a worker wrote, cannot be read here: driver and workers must see one "
            "folder; where they do not, set generate.writer: spark"
        ) from error
    if (size, footer.num_rows) != (file.size, file.rows):
        raise StorageError(f"{path} is not what its worker wrote: {size} of {file.size} bytes")
    got = {field.name: str(field.type) for field in footer.schema.to_arrow_schema()}
    refuse_other_columns(layout.table, _types(layout), got)
    nulls = json.loads(file.statistics)["nullCount"]
    for field in layout.schema:
        if not field.nullable and nulls[field.name]:
            raise ContractError(f"{layout.table}.{field.name} has {nulls[field.name]} nulls")


def _types(layout: FileLayout) -> dict[str, str]:
    return {field.name: str(field.type) for field in layout.schema}


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
