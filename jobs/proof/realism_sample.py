"""The sample whose figures `verify --realism` compares: a cohort of buyers and a year of traffic.

It follows from the settings and the seed alone, whatever the warehouse holds. Incidents are left
out: they are what happens to the shop, not what the shop is like. Blocks of users are made by the
workers, which hand back only what the figures need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyspark.sql import functions as F

from jobs.proof.realism_targets import SampleSettings
from jobs.shop.events import generate_orders, generate_rectangle
from jobs.shop.ids import BLOCK_BITS, POSITION_BITS
from jobs.shop.incident_settings import IncidentSettings
from jobs.shop.layout import ADD_TO_CART, PURCHASE, VIEW
from jobs.shop.settings import ShopSettings
from jobs.shop.users import generate_users
from jobs.shop.world import World, build_world

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NO_INCIDENTS = IncidentSettings(
    traffic=(),
    checkout_outages=(),
    campaign=None,
    price_test=None,
    drifts=(),
    tracking_outages=(),
    bot_waves=(),
)
# As CDNOW was observed: who first bought in a quarter, until a year and a quarter after it.
_COHORT_DAYS, _FOLLOWED_DAYS = 90, 545
# A year from July to June has the months before and after a Christmas in one piece.
_YEAR_BEGINS = (7, 1)

_BLOCK_USERS = 1 << BLOCK_BITS
_POSITION = (1 << POSITION_BITS) - 1
_MICROS_PER_HOUR = 3_600_000_000
_COUNTS = ("sessions", "views", "carts", "orders")
ORDERS_SCHEMA = "user_id BIGINT, day BIGINT, amount DOUBLE"
TRAFFIC_SCHEMA = (
    "country STRING, day BIGINT, hour BIGINT, sessions BIGINT, views BIGINT, carts BIGINT, "
    "orders BIGINT"
)


@dataclass(frozen=True)
class Window:
    """What is sampled: users numbered below `users`, days [first, end) of a world."""

    world: World
    users: int
    first: date
    end: date


def cohort_window(settings: ShopSettings, sample: SampleSettings, seed: int) -> Window:
    """Lay out the shop whose first buyers of one quarter are followed.

    Parameters
    ----------
    settings : ShopSettings
    sample : SampleSettings
        `cohort_users` sign up in the warm-up and the quarter; some tenth of them first buy in it.
    seed : int

    Returns
    -------
    Window
        The days of the quarter; the world reaches on to the end of the observation.
    """
    calm = replace(settings, incidents=NO_INCIDENTS)
    first = calm.first_date
    until = first + timedelta(days=_FOLLOWED_DAYS)
    world = build_world(calm, sample.cohort_users, _COHORT_DAYS, seed, until)
    end = first + timedelta(days=_COHORT_DAYS)
    return Window(world, world.user_numbers(world.warmup_start, end).stop, first, end)


def traffic_window(settings: ShopSettings, sample: SampleSettings, seed: int) -> Window:
    """Lay out the shop whose traffic of one year is counted; see `cohort_window`."""
    calm = replace(settings, incidents=NO_INCIDENTS)
    first = date(calm.first_date.year, *_YEAR_BEGINS)
    if first < calm.first_date:
        first = date(first.year + 1, *_YEAR_BEGINS)
    end = date(first.year + 1, *_YEAR_BEGINS)
    world = build_world(calm, sample.traffic_users, (end - calm.first_date).days, seed, end)
    return Window(world, world.user_count, first, end)


def cohort_orders(window: Window, user_from: int, user_to: int) -> pd.DataFrame:
    """Make all orders of those users whose first one lies in the window.

    Parameters
    ----------
    window : Window
    user_from, user_to : int
        User numbers, half-open.

    Returns
    -------
    DataFrame
        user_id, day (since 1970-01-01) and amount.
    """
    world = window.world
    orders = generate_orders(world, user_from, user_to, world.warmup_start, world.until)
    frame = pd.DataFrame(
        {
            "user_id": orders.user_id,
            "day": orders.ts // (24 * _MICROS_PER_HOUR),
            "amount": orders.amount_cents / 100,
        }
    )
    first = frame.groupby("user_id")["day"].transform("min") - world.first_epoch_day
    in_window = (first >= world.day(window.first)) & (first < world.day(window.end))
    return frame[in_window]


def traffic_counts(window: Window, user_from: int, user_to: int) -> pd.DataFrame:
    """Count what those users do on the days of the window.

    Parameters
    ----------
    window : Window
    user_from, user_to : int
        User numbers, half-open.

    Returns
    -------
    DataFrame
        One row per country, day (since 1970-01-01, UTC) and local hour with any event: sessions,
        views, carts, orders.
    """
    world = window.world
    events = generate_rectangle(world, user_from, user_to, window.first, window.end).events
    users = generate_users(world, user_from, user_to)
    by_id = np.argsort(users.user_id)
    row = by_id[np.searchsorted(users.user_id, events.user_id, sorter=by_id)]
    country = users.country[row]
    offset = world.segments.utc_offset_seconds // 3600
    hour = (events.ts // _MICROS_PER_HOUR + offset[country]) % 24
    frame = pd.DataFrame(
        {
            "country": world.segments.country_names[country],
            "day": events.ts // (24 * _MICROS_PER_HOUR),
            "hour": hour,
            "sessions": (events.event_id & _POSITION) == 0,
            "views": events.event_type == VIEW,
            "carts": events.event_type == ADD_TO_CART,
            "orders": events.event_type == PURCHASE,
        }
    )
    return frame.groupby(["country", "day", "hour"], as_index=False).sum()


def sampled_orders(spark: SparkSession, window: Window) -> pd.DataFrame:
    """Make the cohort's orders on the workers; see `cohort_orders`."""
    return _on_workers(spark, window, cohort_orders, ORDERS_SCHEMA).toPandas()


def sampled_traffic(spark: SparkSession, window: Window) -> pd.DataFrame:
    """Count the traffic on the workers; see `traffic_counts`, but `day` is a Timestamp."""
    counts = _on_workers(spark, window, traffic_counts, TRAFFIC_SCHEMA)
    sums = [F.sum(name).alias(name) for name in _COUNTS]
    frame = counts.groupBy("country", "day", "hour").agg(*sums).toPandas()
    return frame.assign(day=pd.to_datetime(frame["day"], unit="D"))


def _on_workers(
    spark: SparkSession,
    window: Window,
    make: Callable[[Window, int, int], pd.DataFrame],
    schema: str,
) -> DataFrame:
    blocks = spark.range(-(-window.users // _BLOCK_USERS))
    return blocks.mapInPandas(partial(_blocks, window=window, make=make), schema)


def _blocks(
    blocks: Iterable[pd.DataFrame],
    *,
    window: Window,
    make: Callable[[Window, int, int], pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    for frame in blocks:
        for block in frame["id"]:
            user_from = int(block) * _BLOCK_USERS
            yield make(window, user_from, min(user_from + _BLOCK_USERS, window.users))
