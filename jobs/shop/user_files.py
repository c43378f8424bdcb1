"""The users of the synthetic shop as data files: what the log and what the truth knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.core.data_files import DataFile, DataFileWriter
from jobs.shop.arrow import user_rows
from jobs.shop.dirt.arrow import user_label_rows
from jobs.shop.parts import pieces
from jobs.shop.truth.arrow import truth_rows
from jobs.shop.users import Users, generate_users
from jobs.shop.workers import Target, write_parts
from jobs.shop.world import World

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession

# What users are good for: the tables that one pass over them fills.
USER_FILLS: dict[str, Callable[[World, Users], pa.RecordBatch]] = {
    "truth_dirt": user_label_rows,
    "bronze_users": user_rows,
    "truth_users": truth_rows,
}

# Made at once: as many as fit the cache with all that is known of them.
_MOST_USERS = 1 << 16


def write_users(
    spark: SparkSession,
    world: World,
    groups: list[list[range]],
    targets: Iterable[Target],
    written: Accumulator[int],
) -> list[DataFile]:
    """Make users and write them into the folders of their tables.

    Parameters
    ----------
    spark : SparkSession
    world : World
    groups : list of lists of ranges
        User numbers; one task and one file of each table for each group. See `plan_users`.
    targets : iterable of Target
        Tables of `USER_FILLS`.
    written : Accumulator
        Counts the users as tasks end.

    Returns
    -------
    list of DataFile
        No reader sees them before they are committed.
    """
    chosen = list(targets)
    return write_parts(
        spark, len(groups), lambda number: _write_group(world, groups[number], chosen), written
    )


def _write_group(world: World, group: list[range], targets: list[Target]) -> list[DataFile]:
    writers = {
        target.layout.table: DataFileWriter(target.layout, dict(target.constants))
        for target in targets
    }
    for run in group:
        for piece in pieces(run, _MOST_USERS):
            users = generate_users(world, piece.start, piece.stop)
            for table, writer in writers.items():
                writer.write(USER_FILLS[table](world, users))
    files = [writer.close() for writer in writers.values()]
    return [file for file in files if file is not None]
