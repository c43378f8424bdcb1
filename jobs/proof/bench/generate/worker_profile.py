"""Where one worker's time goes: making rows and writing them, timed by Python's own profiler."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from jobs.core.catalog import all_tables
from jobs.core.data_files import DataFileWriter, file_layout
from jobs.core.file_commits import commit_files
from jobs.core.table_log import open_table
from jobs.shop import events, parts, rectangles
from jobs.shop.dirt.recorded import recorded_rectangle
from jobs.shop.events import generate_rectangle
from jobs.shop.world import World

# Rows are made a block of thousands of users at a time, so what the profiler adds per call is
# nothing beside what a call does.
Stages = list[tuple[str, float, float]]


def profile_worker(world: World, folder: Path, rows_per_file: int) -> tuple[int, Stages]:
    """Make and write all files of a shop in this process, and commit them.

    Parameters
    ----------
    world : World
        Small: one core makes everything.
    folder : Path
        For the tables.
    rows_per_file : int
        Events per file, about.

    Returns
    -------
    int
        Events made.
    list of (stage, seconds, CPU seconds)
        In the order in which a row passes them; both are CPU time, since what else the machine
        does shall not count.
    """
    targets = [_target(name, folder / name) for name in rectangles.FILLS]
    started = time.process_time()
    first_use = recorded_rectangle(world, 0, 1, world.first_date, world.until)
    for fill in rectangles.FILLS.values():
        fill.rows(first_use)
    start = time.process_time() - started
    rows = parts.expected_rows(world, world.first_date, world.until)
    planned = parts.plan(world, world.first_date, world.until, rows, rows_per_file, tasks=1)
    profiler = cProfile.Profile(time.process_time)
    started = time.process_time()
    files = [
        file
        for part in planned
        for file in profiler.runcall(rectangles.write_part, world, part, targets)
    ]
    whole = time.process_time() - started
    made = sum(file.rows for file in files if file.table == "bronze_events")
    started = time.process_time()
    for target in targets:
        own = [file for file in files if file.table == target.layout.table]
        handle = open_table(target.layout.folder)
        commit_files(handle, target.layout, own, transaction="bench", run_id="bench")
    commit = time.process_time() - started
    seconds = {
        "start: what libraries load at first use": start,
        **_stages(pstats.Stats(profiler), whole),
        "check and commit the files": commit,
    }
    return made, [(stage, spent, spent) for stage, spent in seconds.items()]


def _stages(stats: pstats.Stats, whole: float) -> dict[str, float]:
    def spent(*functions: Callable[..., Any]) -> float:
        return sum(_seconds_within(stats, function) for function in functions)

    recorded = spent(recorded_rectangle)
    rows = spent(generate_rectangle)
    sessions = spent(events.generate_sessions)
    users = spent(events.generate_visitors)
    parquet = spent(DataFileWriter.write, DataFileWriter.close)
    columns = spent(*(fill.rows for fill in rectangles.FILLS.values()))
    return {
        "users: traits of who may visit": users,
        "states and sessions": sessions,
        "events: pages, baskets, times and ids": rows - users - sessions,
        "dirt: faults, copies, bots, labels": recorded - rows,
        "columns for Arrow": columns,
        "Parquet: encode, compress, write": parquet,
        "sharing out among files, and the rest": whole - recorded - columns - parquet,
    }


def _seconds_within(stats: pstats.Stats, function: Callable[..., Any]) -> float:
    """Time in a function and all that it called."""
    code = function.__code__
    key = (code.co_filename, code.co_firstlineno, code.co_name)
    # Absent where a small shop never came to call it.
    return float(stats.stats[key][3]) if key in stats.stats else 0.0  # type: ignore[attr-defined]


def _target(name: str, folder: Path) -> rectangles.Target:
    layout = file_layout(all_tables()[name], str(folder))
    DeltaTable.create(str(folder), schema=layout.schema)
    return rectangles.Target(layout, {"source": "bench", "batch_id": "bench"})
