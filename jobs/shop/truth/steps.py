"""The steps of a day on the mass of all groups at once: acting, and visits that bring no event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from jobs.shop.chances import DORMANT, MISSION, OPEN_CART
from jobs.shop.hashing import Float64Array
from jobs.shop.truth.process import STATES, Process


class Event(Enum):
    """What one may wait for: a visit, a cart filled in a visit, an order."""

    ACTIVE = "active"
    CART = "cart"
    ORDER = "order"


@dataclass(frozen=True, eq=False)
class Passage:
    """How a day without a given event passes on the mass of each state.

    Each array has the shape of the groups and one entry per state; what they lack to 1 is the
    chance of the event.

    Attributes
    ----------
    stay : array
        Nothing changes the state.
    ordered : array
        An order ends it.
    filled : array
        A cart is left open.
    """

    stay: Float64Array
    ordered: Float64Array
    filled: Float64Array


def act(process: Process, mass: Float64Array) -> Float64Array:
    """Let everybody act: start a mission, end the present one, or neither.

    Parameters
    ----------
    process : Process
    mass : array, shape (groups, ..., STATES)
        Any axes between the groups and the state are carried along.

    Returns
    -------
    array
        The new mass; starting and ending both forget the state before.
    """
    on = process.mission_start.reshape(*process.mission_start.shape, *(1,) * (mass.ndim - 4))
    off = process.world.settings.behaviour.mission_end
    total = mass.sum(axis=-1, keepdims=True)
    acted = mass * (1 - on - off)
    acted[..., MISSION : MISSION + 1] += on * total
    acted[..., DORMANT : DORMANT + 1] += off * total
    return acted


def day_visits(process: Process, day: int) -> Float64Array:
    """Sessions to expect on a day, shape (1, 1, channels, rates, 1, STATES)."""
    return process.visits[None, None, :, :, None, :] * process.world.activity[day]


def day_outcome(process: Process, day: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Chances of a session with cart and order, carried order, cart only.

    Returns
    -------
    tuple of arrays, shape (ARMS, countries, channels, 1, conversions, STATES)
    """
    outcome = process.outcome[process.world.regimes.of_day[day]][:, :, :, None]
    return outcome[..., 0], outcome[..., 1], outcome[..., 2]


def passage(process: Process, day: int, without: Event | None, is_signup: bool = False) -> Passage:
    """Tabulate how a day passes on the mass of each state if an event does not happen.

    With o, c, a the chances of a session with cart and order, carried order and cart only:
    no order: nothing stays, exp(-mu (o + c + a)), and exp(-mu (o + c)) less that fills a cart;
    no cart: nothing stays, and exp(-mu (o + a)) less that is a carried order without a cart;
    no visit: exp(-mu) stays. Whatever happens (None): all of it, the order going first. On the day
    of signup one session more must not bring the event either: exp(-mu p) becomes
    (1 - p) exp(-mu p).

    Parameters
    ----------
    process : Process
    day : int
    without : Event or None
    is_signup : bool
        For those who sign up on the day.

    Returns
    -------
    Passage
    """
    visits = day_visits(process, day)
    order, carried, cart = day_outcome(process, day)

    def none_of(chance: Float64Array) -> Float64Array:
        return (1 - chance * is_signup) * np.exp(-visits * chance)

    nothing = none_of(order + carried + cart)
    none = np.zeros_like(nothing)
    if without is Event.ACTIVE:
        return Passage(none_of(np.ones_like(cart)) + none, none, none)
    if without is Event.CART:
        return Passage(nothing, none_of(order + cart) - nothing, none)
    no_order = none_of(order + carried)
    return Passage(nothing, none if without is Event.ORDER else 1 - no_order, no_order - nothing)


def emit(process: Process, mass: Float64Array, through: Passage) -> Float64Array:
    """Pass the mass on through a day's visits; the last axis is the state.

    Parameters
    ----------
    process : Process
    mass : array, shape (groups, ..., STATES)
        As many axes as the passage has, or more between the groups and the state.
    through : Passage

    Returns
    -------
    array
        What is left in each state at the end of the day.
    """
    more = (1,) * (mass.ndim - through.stay.ndim)
    shape = (*through.stay.shape[:-1], *more, STATES)
    stay, ordered, filled = (
        part.reshape(shape) for part in (through.stay, through.ordered, through.filled)
    )
    goes_on = process.world.settings.behaviour.mission_after_order
    bought = (mass * ordered).sum(axis=-1)
    after = mass * stay
    after[..., DORMANT] += (1 - goes_on) * bought
    after[..., MISSION] += goes_on * bought
    after[..., OPEN_CART] += (mass * filled).sum(axis=-1)
    return after
