"""The synthetic shop as data files: workers make rectangles of users and days and write them.

A task makes one part (see parts.py), a rectangle after the other: the rows never meet in one
place, and memory does not grow with the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jobs.core.data_files import DataFile, DataFileWriter, FileLayout
from jobs.shop.arrow import event_rows, order_rows
from jobs.shop.dirt.arrow import label_rows
from jobs.shop.dirt.recorded import Recorded, recorded_rectangle
from jobs.shop.parts import Part, mouthfuls
from jobs.shop.world import World

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Fill:
    """How a rectangle fills a table: its rows, and the column that says to which day one belongs.

    Without such a column, all rows go to the file of the first slice.
    """

    rows: Callable[[Recorded], pa.RecordBatch]
    time: str | None = "ts"


# What a rectangle is good for: the tables that one pass fills.
FILLS: dict[str, Fill] = {
    "bronze_events": Fill(event_rows),
    "bronze_orders": Fill(order_rows),
    "truth_dirt": Fill(label_rows, time="true_ts"),
}

_EPOCH = date(1970, 1, 1)
_DAY_MICROS = 86_400_000_000
_FILES_SCHEMA = "table STRING, name STRING, size BIGINT, rows BIGINT, statistics STRING"


@dataclass(frozen=True)
class Target:
    """A table to fill: where its files go, and the columns with one value in all rows."""

    layout: FileLayout
    constants: Mapping[str, str]


def write_rectangles(
    spark: SparkSession,
    world: World,
    parts: list[Part],
    targets: Iterable[Target],
    written: Accumulator[int],
) -> dict[str, list[DataFile]]:
    """Make the rows of some users and days and write them into the folders of their tables.

    Parameters
    ----------
    spark : SparkSession
    world : World
    parts : list of Part
        One task each; see `plan`.
    targets : iterable of Target
        Tables of `FILLS`.
    written : Accumulator
        Counts the rows of the longest table, the events, as tasks end.

    Returns
    -------
    dict
        Files by table. No reader sees them before they are committed.
    """
    chosen = list(targets)

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                files = write_part(world, parts[number], chosen)
                written.add(max((file.rows for file in files), default=0))
                columns = zip(*files, strict=True) if files else [[]] * len(DataFile._fields)
                yield pa.RecordBatch.from_arrays(
                    [pa.array(column) for column in columns], list(DataFile._fields)
                )

    files: dict[str, list[DataFile]] = {target.layout.table: [] for target in chosen}
    # A partition per part, so a core that is done takes the next one.
    numbers = spark.range(0, len(parts), 1, max(1, len(parts)))
    for row in numbers.mapInArrow(write, _FILES_SCHEMA).collect():
        files[row["table"]].append(DataFile(*row))
    return files


def write_part(world: World, part: Part, targets: Iterable[Target]) -> list[DataFile]:
    """Make one part and write its files; a slice without rows gets none."""
    writers = {
        target.layout.table: [
            DataFileWriter(target.layout, dict(target.constants)) for _ in part.cuts[1:]
        ]
        for target in targets
    }
    for users in mouthfuls(part):
        rectangle = recorded_rectangle(world, users.start, users.stop, part.cuts[0], part.cuts[-1])
        for table, slices in writers.items():
            fill = FILLS[table]
            rows = fill.rows(rectangle)
            for writer, batch in zip(slices, _by_slice(rows, fill.time, part.cuts), strict=False):
                writer.write(batch)
    files = [writer.close() for slices in writers.values() for writer in slices]
    return [file for file in files if file is not None]


def _by_slice(
    rows: pa.RecordBatch, time: str | None, cuts: tuple[date, ...]
) -> Iterator[pa.RecordBatch]:
    """Split rows into those of each slice; one outside all of them goes to the nearest."""
    if time is None or len(cuts) == 2:
        yield rows
        return
    inner = [(cut - _EPOCH).days * _DAY_MICROS for cut in cuts[1:-1]]
    place = np.searchsorted(inner, rows.column(time).view(pa.int64()).to_numpy(), side="right")
    for number in range(len(cuts) - 1):
        yield rows.take(pa.array(np.flatnonzero(place == number)))
