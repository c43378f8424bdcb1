"""Users: everything about a person that is fixed at signup."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import special

from jobs.shop.chances import chances
from jobs.shop.hashing import (
    Float64Array,
    IntArray,
    Stream,
    UInt64Array,
    counter,
    draw,
    draw_per_user,
    high_half,
    low_half,
    threshold,
    unit,
    user_keys,
)
from jobs.shop.ids import user_ids
from jobs.shop.population import Slices
from jobs.shop.regimes import CONTACTED, OTHER_PRICE
from jobs.shop.world import World

# Users whose hazard is near zero would outlive any calendar; 82 years is for good.
LONGEST_LIFETIME_DAYS = 30_000

# Over more days than these nearly everybody alive may visit, and looking costs more than it saves.
_FEW_DAYS = 3


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
    arm : int array
        Of the experiments: `CONTACTED` + `OTHER_PRICE`, see regimes.py.
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
    arm: IntArray
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
    lives = _lives(world, np.arange(user_from, user_to, dtype=np.int64))
    return _complete(world, lives, _habits(world, lives.key))


def generate_visitors(
    world: World, user_from: int, user_to: int, day_from: int, day_to: int
) -> Users:
    """Generate those of the users [user_from, user_to) who can have a visit on [day_from, day_to).

    After years most users have left, and on a single day most of the others do nothing: what is
    computed of them all is no more than that.

    Parameters
    ----------
    world : World
    user_from, user_to : int
        Within [0, `world.user_count`].
    day_from, day_to : int
        Counted from the world's day 0.

    Returns
    -------
    Users
        In order of signup. Whoever is left out has no session on these days.
    """
    signed_up = int(world.first_user[min(max(day_to, 0), len(world.first_user) - 1)])
    numbers = np.arange(user_from, max(user_from, min(user_to, signed_up)), dtype=np.int64)
    lives = _lives(world, numbers)
    lives = lives.take(lives.last_day >= day_from)
    habits = _habits(world, lives.key)
    if day_to - day_from <= _FEW_DAYS:
        rows = _may_visit(world, lives, habits, range(day_from, day_to))
        lives, habits = lives.take(rows), habits.take(rows)
    return _complete(world, lives, habits)


@dataclass(frozen=True, eq=False)
class _Lives:
    """When users come and go: what decides whether anything else of them is needed."""

    number: IntArray
    key: UInt64Array
    signup_day: IntArray
    last_day: IntArray
    leave_slice: IntArray

    def take(self, rows: NDArray[np.bool_]) -> _Lives:
        return _Lives(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class _Habits:
    """What sets how often users visit."""

    rate_slice: IntArray
    country: IntArray
    channel: IntArray

    def take(self, rows: NDArray[np.bool_]) -> _Habits:
        return _Habits(*(getattr(self, field.name)[rows] for field in fields(self)))


def _lives(world: World, numbers: IntArray) -> _Lives:
    key = user_keys(world.seed, numbers)
    # Numbers run on from day to day, so the users of each day are a stretch of them.
    first = np.clip(world.first_user, numbers[0], numbers[-1] + 1) if len(numbers) else [0]
    signup_day = np.repeat(np.arange(len(first) - 1), np.diff(first))
    leave_slice = _slice(world.leave, unit(draw_per_user(key, Stream.LEAVE)))
    survival = np.log(unit(draw_per_user(key, Stream.LIFETIME)))
    lifetime = np.floor(survival / np.log1p(-world.leave.values)[leave_slice])
    last_day = signup_day + np.minimum(lifetime, LONGEST_LIFETIME_DAYS).astype(np.int64)
    return _Lives(numbers, key, signup_day, last_day, leave_slice)


def _habits(world: World, key: UInt64Array) -> _Habits:
    rate_slice = _slice(world.rate, unit(draw_per_user(key, Stream.RATE)))
    return _Habits(rate_slice, *_segments(world, key))


def _may_visit(world: World, lives: _Lives, habits: _Habits, days: range) -> NDArray[np.bool_]:
    """Tell who has a visit on some of the days if in the state with the most visits."""
    by_state = chances(world).visits.reshape(len(world.rate.values), -1, 2)
    mean = by_state.max(axis=2)[habits.rate_slice, habits.channel]
    may = (lives.signup_day >= days.start) & (lives.signup_day < days.stop)
    for day in days:
        counters = np.full(len(mean), counter(Stream.DAY, day + world.first_epoch_day))
        visit_draw = low_half(draw(lives.key, np.arange(len(mean)), counters))
        # A shade low: whoever is kept in vain does no harm, whoever is left out would be missing.
        none = threshold(np.exp(-world.activity[day] * mean) * (1 - 1e-9))
        may |= (visit_draw >= none) & (lives.signup_day <= day) & (lives.last_day >= day)
    return may


def _complete(world: World, lives: _Lives, habits: _Habits) -> Users:
    key, settings = lives.key, world.settings
    rate_slice, country, channel = habits.rate_slice, habits.country, habits.channel
    conversion_slice = _slice(world.conversion, unit(draw_per_user(key, Stream.CONVERSION)))
    orders = settings.orders
    log_rate = np.minimum(np.log(world.rate.values), orders.log_rate_cap)[rate_slice]
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
        user_id=user_ids(lives.number, world.seed),
        key=key,
        signup_day=lives.signup_day,
        last_day=lives.last_day,
        rate_slice=rate_slice,
        leave_slice=lives.leave_slice,
        conversion_slice=conversion_slice,
        country=country,
        channel=channel,
        arm=_arms(world, key, lives.signup_day),
        starts_in_mission=starts,
        order_level=order_level,
    )


def _arms(world: World, key: UInt64Array, signup_day: IntArray) -> IntArray:
    """Flip the coins of the experiments; whoever signs up after the campaign began is not in it."""
    arm = np.zeros(len(key), dtype=np.int64)
    incidents = world.settings.incidents
    if incidents.campaign is not None:
        first_day = (incidents.campaign.first - world.warmup_start).days
        coin = high_half(draw_per_user(key, Stream.CAMPAIGN_ARM))
        contacted = coin < threshold(incidents.campaign.treated_share)
        arm[contacted & (signup_day < first_day)] |= CONTACTED
    if incidents.price_test is not None:
        coin = high_half(draw_per_user(key, Stream.PRICE_ARM))
        arm[coin < threshold(incidents.price_test.treated_share)] |= OTHER_PRICE
    return arm


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
