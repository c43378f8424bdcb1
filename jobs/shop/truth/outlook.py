"""What to expect of a user whose traits and state are known: orders and visits in days to come.

From the end of day T-1 on, each day is leave, act, visit (process.py). Let S_n(z) be the chance
that a user in state z has had no event by the end of day T+n-1, leaving aside that users leave:
the mass that starts at 1 in z and passes n times through `act` and a day without the event. The
event then falls first on day T+n with chance f_n = S_n - S_{n+1}, and since a lifetime is
independent of all behaviour, and the user must be alive on that day,

    P(event on the days [T, T+H) | traits, state) = sum_{n < H} (1 - theta)^{n+1} f_n.

The **true uplift** of a campaign on a user signed up before it is the difference of two such
numbers for the same traits and the same state at the end of the day before it: P(an order while it
runs) contacted, less the same not contacted. Nobody observes it: a user is one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jobs.shop.behaviour import states_after
from jobs.shop.chances import DEAD
from jobs.shop.hashing import Float64Array
from jobs.shop.regimes import CONTACTED, has
from jobs.shop.truth.process import STATES, known_until, process
from jobs.shop.truth.steps import Event, act, emit, passage
from jobs.shop.users import Users
from jobs.shop.world import World


@dataclass(frozen=True, eq=False)
class CampaignTruth:
    """What a campaign does to users, one entry per user.

    Attributes
    ----------
    uplift : array
        What contacting the user adds to the chance of an order while the campaign runs.
    held_out : array
        That chance if the user is not contacted. Both are NaN for whoever is not in the audience.
    """

    uplift: Float64Array
    held_out: Float64Array


def first_event_days(world: World, day: int, horizon: int, event: Event) -> Float64Array:
    """P(the first event falls on day `day` + n | group and state, alive until then).

    Parameters
    ----------
    world : World
    day : int
        The first day ahead, counted from the world's day 0; the state is that at the end of the
        day before.
    horizon : int
        Days ahead.
    event : Event

    Returns
    -------
    array, shape (ARMS, countries, channels, rates, conversions, STATES, horizon)
        The f_n of this module.
    """
    tables = process(world)
    # One mass for each state to start from: the last but one axis.
    mass = np.broadcast_to(np.eye(STATES), (*tables.group_shape, STATES, STATES))
    left = [np.ones(mass.shape[:-1])]
    for ahead in range(horizon):
        mass = emit(tables, act(tables, mass), passage(tables, day + ahead, without=event))
        left.append(mass.sum(axis=-1))
    return -np.diff(np.stack(left, axis=-1), axis=-1)


def outlook(world: World, day: int, horizon: int, event: Event) -> Float64Array:
    """P(event on the days [day, day + horizon) | traits and state at the end of day - 1).

    Parameters
    ----------
    world : World
        Must know those days: see `known_until`.
    day, horizon : int
    event : Event

    Returns
    -------
    array, shape (ARMS, countries, channels, rates, conversions, hazards, STATES)
    """
    first = first_event_days(world, day, horizon, event)
    alive = np.power.outer(1 - world.leave.values, np.arange(1, horizon + 1))
    return np.einsum("...zn,jn->...jz", first, alive)


def clairvoyant(
    world: World, users: Users, day: int, horizon: int, event: Event = Event.ORDER
) -> Float64Array:
    """P(event on the days [day, day + horizon)) of users whose traits and state are known.

    No log shows those, so no model attains it; the attainable is `oracle`.

    Parameters
    ----------
    world : World
    users : Users
    day, horizon : int
        The days ahead, within the world's days.
    event : Event

    Returns
    -------
    array, one entry per user
        0 for whoever has left by then; NaN for whoever has not signed up yet.
    """
    chance = _of_users(outlook(world, day, horizon, event), world, users, day - 1, users.arm)
    return np.where(users.signup_day < day, chance, np.nan)


def campaign_truth(world: World, users: Users) -> CampaignTruth:
    """True uplift of the campaign in the settings on each user; see the top of the module.

    It does not depend on how far the world is known, so rows made early never change.

    Parameters
    ----------
    world : World
    users : Users

    Returns
    -------
    CampaignTruth
        With the arm of the price test as drawn; 0 for whoever has left before the campaign.
    """
    outside = np.full(len(users.key), np.nan)
    campaign = world.settings.incidents.campaign
    if campaign is None or campaign.first <= world.warmup_start:
        return CampaignTruth(outside, outside)
    reaching, table = _campaign_outlook(world)
    day = reaching.day(campaign.first)
    in_audience = users.signup_day < day
    state = states_after(reaching, users, day - 1)
    chance = [
        np.where(in_audience, _look_up(table, users, arm, state), np.nan)
        for arm in (users.arm & ~CONTACTED, users.arm | CONTACTED)
    ]
    return CampaignTruth(uplift=chance[1] - chance[0], held_out=chance[0])


def check_campaign(world: World) -> None:
    """Refuse a campaign whose truth cannot be told, before a worker meets it.

    Raises
    ------
    UsageError
        It runs on days that no id could hold.
    """
    campaign = world.settings.incidents.campaign
    if campaign is not None:
        known_until(world, campaign.end)


def campaign_arms(world: World, users: Users) -> list[str | None]:
    """Name each user's arm of the campaign: contacted, held_out, or None outside its audience."""
    campaign = world.settings.incidents.campaign
    if campaign is None:
        return [None] * len(users.key)
    in_audience = users.signup_day < (campaign.first - world.warmup_start).days
    names = np.where(has(CONTACTED)[users.arm], "contacted", "held_out")
    return [name if inside else None for name, inside in zip(names, in_audience, strict=True)]


# Workers make users a block at a time: one world, and the same table for all its blocks.
@lru_cache(maxsize=1)
def _campaign_outlook(world: World) -> tuple[World, Float64Array]:
    campaign = world.settings.incidents.campaign
    if campaign is None:
        raise ValueError("this world has no campaign")
    reaching = known_until(world, campaign.end)
    day = reaching.day(campaign.first)
    return reaching, outlook(reaching, day, campaign.days, Event.ORDER)


def _of_users(
    table: Float64Array, world: World, users: Users, day: int, arm: np.ndarray
) -> Float64Array:
    return _look_up(table, users, arm, states_after(world, users, day))


def _look_up(table: Float64Array, users: Users, arm: np.ndarray, state: np.ndarray) -> Float64Array:
    chance = table[
        arm,
        users.country,
        users.channel,
        users.rate_slice,
        users.conversion_slice,
        users.leave_slice,
        np.maximum(state, 0),
    ]
    return np.where(state == DEAD, 0.0, chance)
