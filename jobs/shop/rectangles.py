"""The synthetic shop as data files: workers make rectangles of users and days and write them.

A file is a group of users by a slice of days. There are about as many slices as groups, so a
query of one day and a query of one user each read the square root of the files. A group is made
of id blocks that are neighbours by public id, so that its file has a narrow range of user ids.

A task makes one file of each table it fills, a block of users at a time: the rows never meet in
one place, and memory does not grow with the shop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jobs.core.data_files import DataFile, DataFileWriter, FileLayout
from jobs.shop.arrow import event_rows, order_rows
from jobs.shop.events import Rectangle, generate_rectangle
from jobs.shop.ids import BLOCK_BITS, user_ids
from jobs.shop.world import World

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession

# What a rectangle is good for: the tables that one pass fills.
FILLS: dict[str, Callable[[Rectangle], pa.RecordBatch]] = {
    "bronze_events": event_rows,
    "bronze_orders": order_rows,
}

_BLOCK_USERS = 1 << BLOCK_BITS
# A slice of fewer days would spend more on the days looked back to, four on average, and on the
# users themselves than on its own days.
_SHORTEST_SLICE = 15
# More tasks than files are wanted, for all cores to have one; but none smaller than this.
_FEWEST_ROWS = 100_000
# Estimate the rows from so many runs of so many users.
_SAMPLE_RUNS, _SAMPLE_USERS = 16, 256
_FILES_SCHEMA = "table STRING, name STRING, size BIGINT, rows BIGINT, statistics STRING"


@dataclass(frozen=True)
class Part:
    """What one task makes: runs of user numbers by the days [first, end)."""

    users: tuple[range, ...]
    first: date
    end: date


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
    """Make one part and write its files; a table without rows gets none."""
    writers = {
        target.layout.table: DataFileWriter(target.layout, dict(target.constants))
        for target in targets
    }
    for users in part.users:
        rectangle = generate_rectangle(world, users.start, users.stop, part.first, part.end)
        for table, writer in writers.items():
            writer.write(FILLS[table](rectangle))
    files = [writer.close() for writer in writers.values()]
    return [file for file in files if file is not None]


def expected_rows(world: World, day_from: date, day_to: date) -> int:
    """Estimate the events of the days [day_from, day_to) from a few thousand users.

    Within a few per cent for any large shop: good for a plan and for the time left, not for
    more. For a small shop it is exact.
    """
    numbers = world.user_numbers(world.warmup_start, day_to)
    runs = [numbers]
    if len(numbers) > _SAMPLE_RUNS * _SAMPLE_USERS:
        starts = np.linspace(0, len(numbers) - _SAMPLE_USERS, _SAMPLE_RUNS).astype(int).tolist()
        runs = [numbers[start : start + _SAMPLE_USERS] for start in starts]
    rows = sum(
        len(generate_rectangle(world, run.start, run.stop, day_from, day_to).events.event_id)
        for run in runs
    )
    return round(rows * len(numbers) / max(1, sum(map(len, runs))))


def plan(
    world: World, day_from: date, day_to: date, rows: int, rows_per_file: int, tasks: int
) -> list[Part]:
    """Divide users and days into parts, each a file.

    Parameters
    ----------
    world : World
    day_from, day_to : date
        Half-open, within the world's days.
    rows : int
        Events to expect, from `expected_rows`.
    rows_per_file : int
        Events wanted per file, about.
    tasks : int
        Cores to keep busy.

    Returns
    -------
    list of Part
        Together each user and day once; parts before whose end nobody signed up are left out.
    """
    files = max(math.ceil(rows / rows_per_file), min(tasks, rows // _FEWEST_ROWS), 1)
    days = (day_to - day_from).days
    slices = max(1, min(round(math.sqrt(files)), days // _SHORTEST_SLICE))
    cuts = [day_from + timedelta(days=days * cut // slices) for cut in range(slices + 1)]
    groups = _groups(world, day_to, math.ceil(files / slices))
    parts = []
    for first, end in zip(cuts, cuts[1:], strict=False):
        # Users are numbered in order of signup: who comes later has no rows yet.
        signed_up = world.user_numbers(world.warmup_start, end).stop
        for group in groups:
            users = [range(run.start, min(run.stop, signed_up)) for run in group]
            part = Part(tuple(run for run in users if len(run)), first, end)
            if part.users:
                parts.append(part)
    return parts


def _groups(world: World, day_to: date, count: int) -> list[list[range]]:
    """Share out the id blocks in order of their public ids, as evenly as whole blocks allow."""
    users = world.user_numbers(world.warmup_start, day_to).stop
    starts = np.arange(0, users, _BLOCK_USERS)
    starts = starts[np.argsort(user_ids(starts, world.seed))]
    return [
        [range(start, min(start + _BLOCK_USERS, users)) for start in group.tolist()]
        for group in np.array_split(starts, max(1, min(count, len(starts))))
    ]
