"""The table truth_daily: what to expect of every day made, stored beside what came of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jobs.core.data_files import DataFile
from jobs.shop.truth.expectation import Expectation, expectation
from jobs.shop.truth.recursion import MEASURES
from jobs.shop.workers import Target
from jobs.shop.world import World

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE = "truth_daily"


def daily_frame(spark: SparkSession, world: World, first: date, end: date) -> DataFrame:
    """Make the rows of the days [first, end) for Spark to write; see `daily_rows`."""
    rows = daily_rows(expectation(world), first, end)
    return spark.createDataFrame(pa.Table.from_batches([rows]))


def write_daily(world: World, first: date, end: date, target: Target) -> DataFile | None:
    """Write the rows of the days [first, end) here: reckoning them is the work of one process."""
    writer = target.writer()
    writer.write(daily_rows(expectation(world), first, end))
    return writer.close()


def daily_rows(expected: Expectation, first: date, end: date) -> pa.RecordBatch:
    """Lay out the expectations of the days [first, end).

    A day's expectation does not depend on how far the world reaches.

    Parameters
    ----------
    expected : Expectation
    first, end : date
        Within the days of its world.

    Returns
    -------
    pyarrow.RecordBatch
        Columns of truth_daily without source and batch_id, in order of date, country and channel.
    """
    world = expected.world
    start, stop = world.day(first), world.day(end)
    mean, sd = expected.mean[start:stop], expected.sd[start:stop]
    shape = mean.shape[:3]
    day, country, channel = (axis.ravel() for axis in np.indices(shape, dtype=np.int32))
    epoch_day = day + np.int32(start + world.first_epoch_day)
    names = world.segments
    columns = {
        "metric_date": pa.array(epoch_day).cast(pa.date32()),
        "country": pa.array(names.country_names.tolist()).take(pa.array(country)),
        "channel": pa.array(names.channel_names.tolist()).take(pa.array(channel)),
    }
    for place, name in enumerate(MEASURES):
        columns[f"expected_{name}"] = pa.array(mean[..., place].ravel())
        columns[f"sd_{name}"] = pa.array(sd[..., place].ravel())
    return pa.record_batch(columns)
