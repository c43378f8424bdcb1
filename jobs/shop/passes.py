"""The passes over the synthetic shop: each makes its rows once and fills several tables.

Every table of a pass can also be had as a frame, for Spark to write where Python must not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from jobs.core.data_files import DataFile
from jobs.shop import bronze, parts
from jobs.shop.rectangles import write_part
from jobs.shop.truth.daily import daily_frame, write_daily
from jobs.shop.user_files import write_group
from jobs.shop.workers import Target, Work, write_parts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.entry import Run
    from jobs.core.progress import Step
    from jobs.shop.world import World

# Writes the rows of the days [first, end) for the targets, and shows how far it is as a step.
WriteFiles = Callable[["Run", "World", date, date, list[Target], "Step"], list[DataFile]]


@dataclass(frozen=True)
class Pass:
    """A way through the shop that fills several tables at once.

    Attributes
    ----------
    name : str
        Of its step.
    frames : dict
        By table, what makes its rows where Spark shall write them.
    write : callable
        Has the workers write the files of all tables.
    """

    name: str
    frames: dict[str, Callable[[SparkSession, World, date, date], DataFrame]]
    write: WriteFiles


def _write_users(
    run: Run, world: World, first: date, end: date, targets: list[Target], step: Step
) -> list[DataFile]:
    numbers = world.user_numbers(first, end)
    per_file, tasks = run.config.generate.rows_per_file, run.spark.sparkContext.defaultParallelism
    groups = parts.plan_users(numbers, world.seed, per_file, tasks)
    write = partial(write_group, world, targets=targets)
    return _write_counted(run, step, groups, write, len(numbers))


def _write_days(
    run: Run, world: World, first: date, end: date, targets: list[Target], step: Step
) -> list[DataFile]:
    rows = parts.expected_rows(world, first, end)
    per_file, tasks = run.config.generate.rows_per_file, run.spark.sparkContext.defaultParallelism
    planned = parts.plan(world, first, end, rows, per_file, tasks)
    return _write_counted(run, step, planned, partial(write_part, world, targets=targets), rows)


def _write_counted(
    run: Run,
    step: Step,
    planned: Sequence[Work],
    write: Callable[[Work], list[DataFile]],
    expected: int,
) -> list[DataFile]:
    written = run.spark.sparkContext.accumulator(0)
    with run.progress.counting(step, lambda: written.value, expected):
        return write_parts(run.spark, planned, write, written)


def _write_daily(
    run: Run, world: World, first: date, end: date, targets: list[Target], step: Step
) -> list[DataFile]:
    files = [write_daily(world, first, end, target) for target in targets]
    return [file for file in files if file is not None]


USERS = Pass(
    "users",
    {
        "truth_dirt": bronze.user_labels_frame,
        "bronze_users": bronze.users_frame,
        "truth_users": bronze.truth_users_frame,
    },
    _write_users,
)
DAYS = Pass(
    "events and orders",
    {
        "bronze_events": bronze.events_frame,
        "bronze_orders": bronze.orders_frame,
        "truth_dirt": bronze.labels_frame,
    },
    _write_days,
)
TRUTH = Pass("truth_daily", {"truth_daily": daily_frame}, _write_daily)
