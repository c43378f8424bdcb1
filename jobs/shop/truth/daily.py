"""The table truth_daily: what to expect of every day made, stored beside what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.core.tables import one_row

if TYPE_CHECKING:
    from jobs.core.entry import Run
    from jobs.shop.truth.expectation import Expectation
    from jobs.shop.world import World

TABLE = "truth_daily"


def load_daily_truth(run: Run, world: World) -> None:
    """Store the expectations of the days from the shop's first one to the last one made.

    A day's expectation does not depend on how far the world reaches, so the table is left alone
    if it goes as far, and replaced as a whole if not.
    """
    warehouse = run.warehouse
    if warehouse.exists(TABLE):
        stored = one_row(warehouse.read(TABLE).agg(F.max("metric_date").alias("last")))
        if stored["last"] is not None and stored["last"] >= world.until - timedelta(days=1):
            return
    # The compiler behind it takes a while to start, and most runs have the table already.
    from jobs.shop.truth.expectation import expectation

    with run.progress.step(f"generate {TABLE}") as step:
        rows = daily_table(expectation(world))
        step.rows = warehouse.replace_table(TABLE, run.spark.createDataFrame(rows))


def daily_table(expected: Expectation) -> pa.Table:
    """Lay out the expectations of all days shown; columns of truth_daily.

    Parameters
    ----------
    expected : Expectation

    Returns
    -------
    pyarrow.Table
        In order of date, country and channel.
    """
    from jobs.shop.truth.recursion import MEASURES

    world = expected.world
    first = world.day(world.first_date)
    mean, sd = expected.mean[first:], expected.sd[first:]
    days, countries, channels = mean.shape[:3]
    day, country, channel = (axis.ravel() for axis in np.indices((days, countries, channels)))
    epoch_day = day + first + world.first_epoch_day
    columns = {
        "metric_date": pa.array(epoch_day.astype(np.int32)).cast(pa.date32()),
        "country": pa.array(world.segments.country_names[country].tolist(), pa.string()),
        "channel": pa.array(world.segments.channel_names[channel].tolist(), pa.string()),
    }
    for place, name in enumerate(MEASURES):
        columns[f"expected_{name}"] = pa.array(mean[..., place].ravel())
        columns[f"sd_{name}"] = pa.array(sd[..., place].ravel())
    return pa.table(columns)
