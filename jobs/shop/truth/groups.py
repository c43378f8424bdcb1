"""What the history oracle needs of one arm, country and channel, ready for its inner loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.jit import compiled
from jobs.shop.truth.compiled import passages
from jobs.shop.truth.process import Process


class Group(NamedTuple):
    """All the filter needs of one arm, country and channel; a cell is a rate and a conversion.

    Attributes
    ----------
    prior : array, shape (3, cells)
        Shares of newcomers by state and traits.
    visits, quiet : arrays, shape (days, 2, cells)
        Sessions to expect when dormant and on a mission, and the chance of none.
    regime : int array, shape (days,)
    outcome : array, shape (regimes, 3, 3, cells)
        Of a session by state: cart and order, carried order, cart only.
    hidden : array, shape (2, days before the log, 3, 3, cells)
        On other days and the day of signup, by state: chance that such a day leaves the state as
        it is, brings an order, only fills a cart.
    mission_start : array, shape (cells,)
    mission_end, goes_on, repeat_order : float
    """

    prior: Float64Array
    visits: Float64Array
    quiet: Float64Array
    regime: IntArray
    outcome: Float64Array
    hidden: Float64Array
    mission_start: Float64Array
    mission_end: float
    goes_on: float
    repeat_order: float


def group_tables(process: Process, arm: int, country: int, channel: int, hidden_days: int) -> Group:
    """Cut the tables of one arm, country and channel out of a process.

    Parameters
    ----------
    process : Process
    arm, country, channel : int
    hidden_days : int
        Days before the first one the log shows.

    Returns
    -------
    Group
    """
    world = process.world
    behaviour = world.settings.behaviour
    rate, conversion = np.indices((len(world.rate.values), len(world.conversion.values)))
    rate, conversion = rate.ravel(), conversion.ravel()
    share = world.rate.shares[rate] * world.conversion.shares[conversion]
    visits = np.multiply.outer(world.activity, process.visits[channel][rate, :2].T)
    outcome = process.outcome[:, arm, country, channel][:, conversion].transpose(0, 2, 3, 1)
    outcome = np.ascontiguousarray(outcome)
    hidden = np.empty((2, hidden_days, 3, 3, len(rate)))
    _fill_hidden(hidden, visits, world.regimes.of_day, outcome)
    return Group(
        prior=np.multiply.outer(process.start, share),
        visits=visits,
        quiet=np.exp(-visits),
        regime=world.regimes.of_day,
        outcome=outcome,
        hidden=hidden,
        mission_start=process.mission_start[channel][rate],
        mission_end=behaviour.mission_end,
        goes_on=behaviour.mission_after_order,
        repeat_order=behaviour.repeat_order,
    )


@compiled
def _fill_hidden(
    hidden: Float64Array, visits: Float64Array, regime: IntArray, outcome: Float64Array
) -> None:
    for day in range(hidden.shape[1]):
        for z in range(3):
            for cell in range(hidden.shape[4]):
                chances = outcome[regime[day], z, :, cell]
                for extra in range(2):
                    passed = passages(visits[day, min(z, 1), cell], chances, extra == 1)
                    hidden[extra, day, z, 0, cell] = passed[0]
                    hidden[extra, day, z, 1, cell] = passed[1]
                    hidden[extra, day, z, 2, cell] = passed[2]
