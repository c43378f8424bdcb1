"""The tables of a process for compiled loops, and the steps of a day on one cell's three states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.jit import compiled
from jobs.shop.truth.moments import Triple
from jobs.shop.truth.process import Process, arm_shares


class Tables(NamedTuple):
    """What compiled loops need of a `Process` and its world; shapes as there.

    `arm_share` is by day and arm, `share` by country and channel, the other shares by slice.
    """

    activity: Float64Array
    regime: IntArray
    arm_share: Float64Array
    share: Float64Array
    rate_share: Float64Array
    conversion_share: Float64Array
    leave_share: Float64Array
    hazard: Float64Array
    visits: Float64Array
    mission_start: Float64Array
    outcome: Float64Array
    start: Float64Array
    mission_end: float
    goes_on: float
    repeat_order: float


def compiled_tables(process: Process) -> Tables:
    """Collect the tables of a process for the compiled loops."""
    world = process.world
    behaviour = world.settings.behaviour
    return Tables(
        activity=world.activity,
        regime=world.regimes.of_day,
        arm_share=arm_shares(world),
        share=world.segments.shares,
        rate_share=world.rate.shares,
        conversion_share=world.conversion.shares,
        leave_share=world.leave.shares,
        hazard=world.leave.values,
        visits=process.visits,
        mission_start=process.mission_start,
        outcome=process.outcome,
        start=process.start,
        mission_end=behaviour.mission_end,
        goes_on=behaviour.mission_after_order,
        repeat_order=behaviour.repeat_order,
    )


@compiled
def acted(mass: Triple, on: float, off: float) -> Triple:
    """Mass by state after a mission may have started or ended; see process.py."""
    dormant, mission, open_cart = mass
    total = dormant + mission + open_cart
    keep = 1 - on - off
    return keep * dormant + off * total, keep * mission + on * total, keep * open_cart


@compiled
def passages(visits: float, outcome: Float64Array, extra: bool) -> Triple:
    """Chances that a day leaves the state as it is, brings an order, or only fills a cart.

    Parameters
    ----------
    visits : float
        To expect in this state.
    outcome : array, shape (3,)
        Of a session: with cart and order, carried order, cart only.
    extra : bool
        The day of signup, with one session more.
    """
    order = outcome[0] + outcome[1]
    no_order = np.exp(-visits * order)
    nothing = np.exp(-visits * (order + outcome[2]))
    if extra:
        no_order *= 1 - order
        nothing *= 1 - order - outcome[2]
    return nothing, 1 - no_order, no_order - nothing


@compiled
def emitted(mass: Triple, stay: Triple, ordered: Triple, filled: Triple, goes_on: float) -> Triple:
    """Mass by state at the end of a day: an order closes the cart, a cart left full opens one."""
    bought = mass[0] * ordered[0] + mass[1] * ordered[1] + mass[2] * ordered[2]
    return (
        mass[0] * stay[0] + (1 - goes_on) * bought,
        mass[1] * stay[1] + goes_on * bought,
        mass[2] * stay[2] + mass[0] * filled[0] + mass[1] * filled[1] + mass[2] * filled[2],
    )
