"""The synthetic shop as Spark DataFrames with the columns of the bronze and truth tables.

Tasks are ranges of user blocks, so nothing is shuffled and nothing collected; a task makes its
rows a few weeks at a time. Workers need the package `jobs` with numpy, scipy, numba, pyarrow and
pydantic, and read no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.shop.arrow import event_batch, order_batch, user_batch
from jobs.shop.dirt.arrow import LABELS_SCHEMA, label_batch, user_label_batch
from jobs.shop.ids import BLOCK_BITS
from jobs.shop.truth.arrow import TRUTH_USERS_SCHEMA, truth_batch
from jobs.shop.truth.outlook import check_campaign
from jobs.shop.world import World

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

USERS_SCHEMA = (
    "user_id BIGINT, signup_date DATE, country STRING, channel STRING, ingest_ts TIMESTAMP"
)
EVENTS_SCHEMA = (
    "event_id BIGINT, user_id BIGINT, ts TIMESTAMP, event_type STRING, value DOUBLE, "
    "ingest_ts TIMESTAMP"
)
ORDERS_SCHEMA = (
    "order_id BIGINT, user_id BIGINT, ts TIMESTAMP, amount DECIMAL(18,2), ingest_ts TIMESTAMP"
)
# Two id blocks at a time for 60 days: about 80,000 events and 15 MB of arrays with the settings
# given, and the days looked back to (four on average) cost little beside the 60.
_BLOCK_USERS = 2 << BLOCK_BITS
_CHUNK_DAYS = 60

Batches = Iterator[pa.RecordBatch]
MakeForDays = Callable[[World, int, int, date, date], pa.RecordBatch]
MakeForUsers = Callable[[World, int, int], Batches]


def events_frame(
    spark: SparkSession, world: World, day_from: date, day_to: date, partitions: int | None = None
) -> DataFrame:
    """Make the events of the days [day_from, day_to).

    Parameters
    ----------
    spark : SparkSession
    world : World
    day_from, day_to : date
        Within the world's days.
    partitions : int, optional
        Tasks to split the users into; Spark's default parallelism if not given. The rows do not
        depend on it.

    Returns
    -------
    DataFrame
        Columns of bronze_events without source and batch_id.

    Raises
    ------
    UsageError
        A day lies outside the world.
    """
    return _day_frame(spark, world, day_from, day_to, partitions, event_batch, EVENTS_SCHEMA)


def orders_frame(
    spark: SparkSession, world: World, day_from: date, day_to: date, partitions: int | None = None
) -> DataFrame:
    """Make the orders of the days [day_from, day_to); see `events_frame`.

    Returns
    -------
    DataFrame
        Columns of bronze_orders without source and batch_id; one row per purchase event.
    """
    return _day_frame(spark, world, day_from, day_to, partitions, order_batch, ORDERS_SCHEMA)


def users_frame(
    spark: SparkSession,
    world: World,
    signup_from: date,
    signup_to: date,
    partitions: int | None = None,
) -> DataFrame:
    """Make the users who sign up on the days [signup_from, signup_to); see `events_frame`.

    Returns
    -------
    DataFrame
        Columns of bronze_users without source and batch_id.
    """
    signups = signup_from, signup_to
    return _user_frame(spark, world, signups, partitions, user_batch, USERS_SCHEMA)


def truth_users_frame(
    spark: SparkSession,
    world: World,
    signup_from: date,
    signup_to: date,
    partitions: int | None = None,
) -> DataFrame:
    """Make the latent traits of the users who sign up on the days [signup_from, signup_to).

    Returns
    -------
    DataFrame
        Columns of truth_users without source and batch_id.

    Raises
    ------
    UsageError
        A day lies outside the world, or the campaign's days outside any.
    """
    check_campaign(world)
    signups = signup_from, signup_to
    return _user_frame(spark, world, signups, partitions, truth_batch, TRUTH_USERS_SCHEMA)


def labels_frame(
    spark: SparkSession, world: World, day_from: date, day_to: date, partitions: int | None = None
) -> DataFrame:
    """Label the dirty events and orders of the days [day_from, day_to); see `events_frame`.

    Returns
    -------
    DataFrame
        Columns of truth_dirt without source and batch_id.
    """
    if not world.is_dirty:
        return spark.createDataFrame([], LABELS_SCHEMA)
    return _day_frame(spark, world, day_from, day_to, partitions, label_batch, LABELS_SCHEMA)


def user_labels_frame(
    spark: SparkSession,
    world: World,
    signup_from: date,
    signup_to: date,
    partitions: int | None = None,
) -> DataFrame:
    """Label the dirty users among those who sign up on the days [signup_from, signup_to).

    Returns
    -------
    DataFrame
        Columns of truth_dirt without source and batch_id.
    """
    signups = signup_from, signup_to
    return _user_frame(spark, world, signups, partitions, user_label_batch, LABELS_SCHEMA)


def _user_frame(
    spark: SparkSession,
    world: World,
    signups: tuple[date, date],
    partitions: int | None,
    make: Callable[[World, int, int], pa.RecordBatch],
    schema: str,
) -> DataFrame:
    numbers = world.user_numbers(*signups)
    return _frame(spark, world, numbers, partitions, partial(_whole, make=make), schema)


def _day_frame(
    spark: SparkSession,
    world: World,
    day_from: date,
    day_to: date,
    partitions: int | None,
    make: MakeForDays,
    schema: str,
) -> DataFrame:
    world.day(day_from)  # a day outside the world is the caller's error, not a worker's
    numbers = world.user_numbers(world.warmup_start, day_to)
    chunked = partial(_chunks_of_days, make=make, day_from=day_from, day_to=day_to)
    return _frame(spark, world, numbers, partitions, chunked, schema)


def _frame(
    spark: SparkSession,
    world: World,
    numbers: range,
    partitions: int | None,
    make: MakeForUsers,
    schema: str,
) -> DataFrame:
    first_block = numbers.start // _BLOCK_USERS
    end_block = -(-numbers.stop // _BLOCK_USERS) if len(numbers) else first_block
    blocks = spark.range(first_block, end_block, 1, partitions)
    # Workers get the whole world with the function: a dozen kilobytes, no broadcast to manage.
    rows = partial(_rows_of_blocks, world=world, numbers=numbers, make=make)
    return blocks.mapInArrow(rows, schema)


def _rows_of_blocks(
    blocks: Iterable[pa.RecordBatch],
    *,
    world: World,
    numbers: range,
    make: MakeForUsers,
) -> Batches:
    for batch in blocks:
        for block in batch.column(0).to_pylist():
            user_from = max(numbers.start, block * _BLOCK_USERS)
            user_to = min(numbers.stop, (block + 1) * _BLOCK_USERS)
            yield from make(world, user_from, user_to)


def _chunks_of_days(
    world: World, user_from: int, user_to: int, *, make: MakeForDays, day_from: date, day_to: date
) -> Batches:
    while day_from < day_to:
        end = min(day_to, day_from + timedelta(days=_CHUNK_DAYS))
        # Users are numbered in order of signup: who comes later has no rows yet.
        signed_up = world.user_numbers(world.warmup_start, end).stop
        if user_from < signed_up:
            yield make(world, user_from, min(user_to, signed_up), day_from, end)
        day_from = end


def _whole(
    world: World,
    user_from: int,
    user_to: int,
    *,
    make: Callable[[World, int, int], pa.RecordBatch],
) -> Batches:
    yield make(world, user_from, user_to)
