"""Chances: how the traits of a user and the state of a day turn into probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jobs.shop.hashing import Float64Array
from jobs.shop.world import World

# The states of a user: the columns of every table by state.
DORMANT, MISSION, OPEN_CART = 0, 1, 2
# Whoever has left for good is in none of them.
DEAD = -1


@dataclass(frozen=True, eq=False)
class Chances:
    """A world's chances, flat for look-up in one step.

    Attributes
    ----------
    visits : array, shape (rates * 2,)
        Sessions to expect on an average day, by rate (slice x channel) and dormant or not.
    mission_start : array, shape (rates,)
        Daily chance of a fresh mission.
    outcome : array, shape (regimes * ARMS * conversions * 3, 3)
        By regime, arm, conversion (slice x country x channel) and state: chance of a session with
        cart and order, with a carried-over order, with a cart only.
    conversions : int
        How many conversions there are.
    """

    visits: Float64Array
    mission_start: Float64Array
    outcome: Float64Array
    conversions: int


@lru_cache(maxsize=4)
def chances(world: World) -> Chances:
    """Tabulate the chances of everything a user may do."""
    behaviour = world.settings.behaviour
    rate = rate_multipliers(world).ravel()
    root = np.sqrt(rate)
    on_mission = np.minimum(behaviour.mission_sessions * root, behaviour.mission_sessions_cap)
    # By regime, arm, slice, country, channel, state.
    conversion = np.einsum(
        "rah,kch->rakch", world.regimes.conversion, conversion_multipliers(world)
    )[..., None]
    completed = world.regimes.completed[:, None, None, None, None, None]
    cap = behaviour.chance_cap
    fills = np.minimum(cap, np.array(behaviour.cart_or_order) * conversion)
    order = fills * np.array(behaviour.order_share) * completed
    carried = (1 - fills) * np.minimum(cap, behaviour.carried_order * conversion) * completed
    carried[..., [DORMANT, MISSION]] = 0.0
    return Chances(
        visits=np.stack([behaviour.dormant_sessions * rate, on_mission], axis=1).ravel(),
        mission_start=np.minimum(behaviour.mission_start * root, behaviour.mission_start_cap),
        outcome=np.stack([order, carried, fills - order], axis=-1).reshape(-1, 3),
        conversions=fills[0, 0, ..., 0].size,
    )


def rate_multipliers(world: World) -> Float64Array:
    """Tabulate visit rates: latent rate x effect of the channel, shape (slices, channels).

    A user's visits grow in proportion to it in the long run: dormant visits with the multiplier
    itself, missions and visits on a mission with its square root each.
    """
    return np.multiply.outer(world.rate.values, world.segments.rate_effect)


def conversion_multipliers(world: World) -> Float64Array:
    """Tabulate conversion: latent readiness x effect, shape (slices, countries, channels)."""
    return np.multiply.outer(world.conversion.values, world.segments.conversion_effect)
