"""Users: everything about a person that is fixed at signup."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from jobs.shop.hashing import (
    Float64Array,
    IntArray,
    Stream,
    UInt64Array,
    draw_per_user,
    high_half,
    threshold,
    unit,
    user_keys,
)
from jobs.shop.ids import user_ids
from jobs.shop.population import Slices
from jobs.shop.world import World

# Users whose hazard is near zero would outlive any calendar; 82 years is for good.
LONGEST_LIFETIME_DAYS = 30_000


@dataclass(frozen=True, eq=False)
class Users:
    """A block of users, one entry per user in order of signup.

    Attributes
    ----------
    user_id : int array
        Public id.
    key : array of uint64
        Prefix of all draws of the user.
    signup_day, last_day : int arrays
        First and last day alive, counted from the world's day 0.
    rate_slice, leave_slice, conversion_slice, country, channel : int arrays
        Positions in the world's tables.
    starts_in_mission : bool array
    order_level : array
        Mean logarithm of the user's order values.
    """

    user_id: IntArray
    key: UInt64Array
    signup_day: IntArray
    last_day: IntArray
    rate_slice: IntArray
    leave_slice: IntArray
    conversion_slice: IntArray
    country: IntArray
    channel: IntArray
    starts_in_mission: NDArray[np.bool_]
    order_level: Float64Array


def generate_users(world: World, user_from: int, user_to: int) -> Users:
    """Generate the users numbered [user_from, user_to).

    Parameters
    ----------
    world : World
    user_from, user_to : int
        Within [0, `world.user_count`].

    Returns
    -------
    Users
    """
    settings = world.settings
    numbers = np.arange(user_from, user_to, dtype=np.int64)
    key = user_keys(world.seed, numbers)
    signup_day = np.searchsorted(world.first_user, numbers, side="right") - 1
    rate_slice = _slice(world.rate, unit(draw_per_user(key, Stream.RATE)))
    leave_slice = _slice(world.leave, unit(draw_per_user(key, Stream.LEAVE)))
    conversion_slice = _slice(world.conversion, unit(draw_per_user(key, Stream.CONVERSION)))
    survival = np.log(unit(draw_per_user(key, Stream.LIFETIME)))
    lifetime = np.floor(survival / np.log1p(-world.leave.values[leave_slice]))
    country, channel = _segments(world, key)
    orders = settings.orders
    log_rate = np.minimum(np.log(world.rate.values[rate_slice]), orders.log_rate_cap)
    taste = special.ndtri(unit(draw_per_user(key, Stream.ORDER_LEVEL)))
    order_level = (
        orders.log_value
        + orders.log_value_sd_between * taste
        + orders.log_value_per_log_rate * log_rate
        + world.segments.log_amount_effect[country]
    )
    starts = high_half(draw_per_user(key, Stream.START_STATE)) < threshold(
        settings.behaviour.starts_in_mission
    )
    return Users(
        user_id=user_ids(numbers, world.seed),
        key=key,
        signup_day=signup_day,
        last_day=signup_day + np.minimum(lifetime, LONGEST_LIFETIME_DAYS).astype(np.int64),
        rate_slice=rate_slice,
        leave_slice=leave_slice,
        conversion_slice=conversion_slice,
        country=country,
        channel=channel,
        starts_in_mission=starts,
        order_level=order_level,
    )


def _slice(slices: Slices, chances: Float64Array) -> IntArray:
    return np.searchsorted(slices.edges[1:-1], chances, side="right")


def _segments(world: World, key: UInt64Array) -> tuple[IntArray, IntArray]:
    """Draw the country, then the channel by that country's shares."""
    table = world.segments
    country_chance = unit(draw_per_user(key, Stream.COUNTRY))
    country = np.searchsorted(table.country_edges[1:-1], country_chance, side="right")
    channel_chance = unit(draw_per_user(key, Stream.CHANNEL))
    inner_edges = table.channel_edges[country, 1:-1]
    return country, (inner_edges <= channel_chance[:, None]).sum(axis=1)
