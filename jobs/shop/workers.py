"""Files of the synthetic shop, written by Spark's workers: one task makes one part of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from jobs.core.data_files import DataFile, DataFileWriter, FileLayout

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession

Work = TypeVar("Work")

_FILES_SCHEMA = "table STRING, name STRING, size BIGINT, rows BIGINT, statistics STRING"


@dataclass(frozen=True)
class Target:
    """A table to fill: where its files go, and the columns with one value in all rows."""

    layout: FileLayout
    constants: Mapping[str, str]

    def writer(self) -> DataFileWriter:
        """Begin a file of the table."""
        return DataFileWriter(self.layout, dict(self.constants))


def write_parts(
    spark: SparkSession,
    parts: Sequence[Work],
    write_part: Callable[[Work], list[DataFile]],
    written: Accumulator[int],
) -> list[DataFile]:
    """Have workers write all parts.

    Parameters
    ----------
    spark : SparkSession
    parts : sequence
        What each task makes.
    write_part : callable
        Writes one; runs on a worker, so what it needs travels with it.
    written : Accumulator
        Counts the rows of the longest table as tasks end.

    Returns
    -------
    list of DataFile
        Of all parts. No reader sees them before they are committed.
    """

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                files = write_part(parts[number])
                written.add(longest(files))
                columns = zip(*files, strict=True) if files else [[]] * len(DataFile._fields)
                yield pa.RecordBatch.from_arrays(
                    [pa.array(column) for column in columns], list(DataFile._fields)
                )

    # A partition per part, so a core that is done takes the next one.
    numbers = spark.range(0, len(parts), 1, max(1, len(parts)))
    return [DataFile(*row) for row in numbers.mapInArrow(write, _FILES_SCHEMA).collect()]


def longest(files: Iterable[DataFile]) -> int:
    """Rows of the longest table of some files; a table may have several."""
    rows: Counter[str] = Counter()
    for file in files:
        rows[file.table] += file.rows
    return max(rows.values(), default=0)
