"""What users do: visits, carts and orders, as a hidden Markov model per user.

The state, dormant, on a mission, or on a mission with an open cart, sets how often a user visits
and what comes of a visit. It changes by the mission draws of each day (see walk.py), and at the end
of a day with an order or a filled cart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from jobs.shop.chances import chances
from jobs.shop.hashing import TWO_32, threshold
from jobs.shop.sessions import Sessions
from jobs.shop.users import Users
from jobs.shop.walk import Rules, Walkers, walk
from jobs.shop.world import World


def generate_sessions(world: World, users: Users, day_from: int, day_to: int) -> Sessions:
    """Generate the sessions of a block of users on the days [day_from, day_to).

    Parameters
    ----------
    world : World
    users : Users
    day_from, day_to : int
        Counted from the world's day 0.

    Returns
    -------
    Sessions
    """
    found, draws, _ = walk(_walkers(world, users), _rules(world), day_from, day_to)
    user, day, number, of_day, outcome = found.T
    return Sessions(
        user=user.copy(),
        day=day.copy(),
        number=number.copy(),
        of_day=of_day.copy(),
        outcome=outcome.astype(np.int8),
        draw=draws,
    )


def states_after(world: World, users: Users, day: int) -> NDArray[np.int8]:
    """Tell the state of a block of users at the end of a day.

    Parameters
    ----------
    world : World
    users : Users
    day : int
        Counted from the world's day 0.

    Returns
    -------
    array of int8, one entry per user
        `DORMANT`, `MISSION` or `OPEN_CART`; `DEAD` for whoever has left by then, and for whoever
        has not signed up yet.
    """
    return walk(_walkers(world, users), _rules(world), day, day + 1)[2]


def _walkers(world: World, users: Users) -> Walkers:
    channels, countries = len(world.segments.channel_names), len(world.segments.country_names)
    conversion = (users.conversion_slice * countries + users.country) * channels + users.channel
    return Walkers(
        key=users.key,
        signup_day=users.signup_day,
        last_day=users.last_day,
        rate=users.rate_slice * channels + users.channel,
        outcome=(users.arm * chances(world).conversions + conversion) * 3,
        starts_in_mission=users.starts_in_mission,
    )


@lru_cache(maxsize=4)
def _rules(world: World) -> Rules:
    table, behaviour = chances(world), world.settings.behaviour
    silent = np.exp(-np.outer(world.activity, table.visits))
    outcome = threshold(np.cumsum(table.outcome, axis=1))
    return Rules(
        first_epoch_day=world.first_epoch_day,
        start_below=threshold(table.mission_start.ravel()),
        end_from=int(TWO_32 * (1 - behaviour.mission_end)),
        visits=table.visits,
        activity=world.activity,
        silent=silent,
        no_visit=threshold(silent),
        most_sessions=behaviour.sessions_per_day_cap,
        first_outcome=world.regimes.of_day * (len(outcome) // world.regimes.count),
        outcome=outcome,
        after_order=int(threshold(behaviour.mission_after_order)),
        repeat_order=int(threshold(behaviour.repeat_order)),
    )
