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
    seed_prefix,
    threshold,
    unit,
)
from jobs.shop.ids import user_ids
from jobs.shop.population import Slices
from jobs.shop.regimes import CONTACTED, OTHER_PRICE
from jobs.shop.traits import habits, lives
from jobs.shop.world import World

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
    everybody = _lives(world, user_from, user_to)
    return _complete(world, everybody, _habits(world, everybody.key))


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
    living = _lives(world, user_from, min(user_to, signed_up), day_from)
    their = _habits(world, living.key)
    if day_to - day_from <= _FEW_DAYS:
        rows = _may_visit(world, living, their, range(day_from, day_to))
        living, their = living.take(rows), their.take(rows)
    return _complete(world, living, their)


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


def _lives(world: World, user_from: int, user_to: int, day_from: int = 0) -> _Lives:
    prefix, log_stay = seed_prefix(world.seed), np.log1p(-world.leave.values)
    inner = world.leave.edges[1:-1]
    users = user_from, user_to
    return _Lives(*lives(prefix, world.first_user, users, day_from, inner, log_stay))


def _habits(world: World, key: UInt64Array) -> _Habits:
    table = world.segments
    channel_edges = np.ascontiguousarray(table.channel_edges[:, 1:-1])
    return _Habits(*habits(key, world.rate.edges[1:-1], table.country_edges[1:-1], channel_edges))


def _may_visit(world: World, life: _Lives, habit: _Habits, days: range) -> NDArray[np.bool_]:
    """Tell who has a visit on some of the days if in the state with the most visits."""
    by_state = chances(world).visits.reshape(len(world.rate.values), -1, 2)
    mean = by_state.max(axis=2)[habit.rate_slice, habit.channel]
    may = (life.signup_day >= days.start) & (life.signup_day < days.stop)
    for day in days:
        counters = np.full(len(mean), counter(Stream.DAY, day + world.first_epoch_day))
        visit_draw = low_half(draw(life.key, np.arange(len(mean)), counters))
        # A shade low: whoever is kept in vain does no harm, whoever is left out would be missing.
        none = threshold(np.exp(-world.activity[day] * mean) * (1 - 1e-9))
        may |= (visit_draw >= none) & (life.signup_day <= day) & (life.last_day >= day)
    return may


def _complete(world: World, life: _Lives, habit: _Habits) -> Users:
    key, settings = life.key, world.settings
    rate_slice, country, channel = habit.rate_slice, habit.country, habit.channel
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
        user_id=user_ids(life.number, world.seed),
        key=key,
        signup_day=life.signup_day,
        last_day=life.last_day,
        rate_slice=rate_slice,
        leave_slice=life.leave_slice,
        conversion_slice=conversion_slice,
        country=country,
        channel=channel,
        arm=_arms(world, key, life.signup_day),
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
