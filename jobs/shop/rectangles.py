"""The synthetic shop as data files: workers make rectangles of users and days and write them.

A task makes one part (see parts.py), a rectangle after the other: the rows never meet in one
place, and memory does not grow with the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from jobs.core.data_files import DataFile
from jobs.shop.arrow import event_rows, order_rows
from jobs.shop.dirt.arrow import label_rows
from jobs.shop.dirt.recorded import Recorded, recorded_rectangle
from jobs.shop.parts import Part, mouthfuls
from jobs.shop.workers import Target
from jobs.shop.world import World


@dataclass(frozen=True)
class Fill:
    """How a rectangle fills a table: its rows, and the column that dates them."""

    rows: Callable[[Recorded], pa.RecordBatch]
    time: str = "ts"


# What a rectangle is good for: the tables that one pass fills.
FILLS: dict[str, Fill] = {
    "bronze_events": Fill(event_rows),
    "bronze_orders": Fill(order_rows),
    "truth_dirt": Fill(label_rows, time="true_ts"),
}

_EPOCH = date(1970, 1, 1)
_DAY_MICROS = 86_400_000_000


def write_part(world: World, part: Part, targets: Iterable[Target]) -> list[DataFile]:
    """Make one part and write its files; a slice without rows gets none."""
    writers = {target.layout.table: [target.writer() for _ in part.cuts[1:]] for target in targets}
    for users in mouthfuls(part):
        rectangle = recorded_rectangle(world, users.start, users.stop, part.cuts[0], part.cuts[-1])
        for table, slices in writers.items():
            fill = FILLS[table]
            rows = fill.rows(rectangle)
            for writer, batch in zip(slices, _by_slice(rows, fill.time, part.cuts), strict=False):
                writer.write(batch)
    files = [writer.close() for slices in writers.values() for writer in slices]
    return [file for file in files if file is not None]


def _by_slice(rows: pa.RecordBatch, time: str, cuts: tuple[date, ...]) -> Iterator[pa.RecordBatch]:
    """Split rows into those of each slice; one outside all of them goes to the nearest."""
    if len(cuts) == 2:
        yield rows
        return
    inner = [(cut - _EPOCH).days * _DAY_MICROS for cut in cuts[1:-1]]
    place = np.searchsorted(inner, rows.column(time).view(pa.int64()).to_numpy(), side="right")
    for number in range(len(cuts) - 1):
        yield rows.take(pa.array(np.flatnonzero(place == number)))
