"""The users of the synthetic shop as data files: what the log and what the truth knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from jobs.core.data_files import DataFile
from jobs.shop.arrow import user_rows
from jobs.shop.dirt.arrow import user_label_rows
from jobs.shop.parts import pieces
from jobs.shop.truth.arrow import truth_rows
from jobs.shop.users import Users, generate_users
from jobs.shop.workers import Target
from jobs.shop.world import World

# What users are good for: the tables that one pass over them fills.
USER_FILLS: dict[str, Callable[[World, Users], pa.RecordBatch]] = {
    "truth_dirt": user_label_rows,
    "bronze_users": user_rows,
    "truth_users": truth_rows,
}

# Made at once: as many as fit the cache with all that is known of them.
_MOST_USERS = 1 << 16


def write_group(world: World, group: list[range], targets: Iterable[Target]) -> list[DataFile]:
    """Make one group of users, see `plan_users`, and write a file of each table."""
    writers = {target.layout.table: target.writer() for target in targets}
    for run in group:
        for piece in pieces(run, _MOST_USERS):
            users = generate_users(world, piece.start, piece.stop)
            for table, writer in writers.items():
                writer.write(USER_FILLS[table](world, users))
    files = [writer.close() for writer in writers.values()]
    return [file for file in files if file is not None]
