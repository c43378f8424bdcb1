"""The inner loops of the expectation, and what it measures; see expectation.py."""

from __future__ import annotations

import numpy as np

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.jit import compiled
from jobs.shop.truth.compiled import Tables, acted, emitted, passages
from jobs.shop.truth.moments import (
    Triple,
    count_factorials,
    order_factorials,
    raw_moments,
    revenue_moments,
)

# What is expected of a day, in the order of the arrays. A user is alive from signup until leaving
# for good, active with a visit; carts are sessions with a cart filled.
MEASURES = ("signups", "alive", "dau", "sessions", "carts", "orders", "revenue")
SIGNUPS, ALIVE, DAU, SESSIONS, CARTS, ORDERS, REVENUE = range(len(MEASURES))


@compiled
def carry(
    old: Float64Array,
    new: Float64Array,
    mass: Float64Array,
    kept: IntArray,
    signups: Float64Array,
    tables: Tables,
    amounts: Float64Array,
) -> None:
    """Carry every group through all days; groups do not mix, so each is finished in turn.

    Parameters
    ----------
    old, new : arrays, shape (days, countries, channels, measures, 3)
        Sums to add to: see `Expectation`.
    mass : array, shape (days kept, ARMS, countries, channels, rates, conversions, hazards, 3)
        Receives the mass at the end of the days kept.
    kept : int array, shape (days,)
        Position of a day in `mass`, -1 for the others.
    signups : array, shape (days, ARMS)
    tables : Tables
    amounts : array
        From `amount_moments`.
    """
    days = len(signups)
    for arm in range(tables.arm_share.shape[1]):
        if not tables.arm_share[:, arm].any():
            continue
        for country in range(tables.share.shape[0]):
            for channel in range(tables.share.shape[1]):
                for rate in range(len(tables.rate_share)):
                    for conversion in range(len(tables.conversion_share)):
                        cell = np.zeros((len(tables.hazard), 3))
                        weight = tables.share[country, channel] * (
                            tables.rate_share[rate] * tables.conversion_share[conversion]
                        )
                        group = (arm, country, channel, rate, conversion)
                        for day in range(days):
                            fresh = signups[day] * tables.arm_share[day, arm] * weight
                            _day(
                                old[day, country, channel],
                                new[day, country, channel],
                                cell,
                                fresh,
                                day,
                                group,
                                tables,
                                amounts,
                            )
                            if kept[day] >= 0:
                                mass[kept[day], arm, country, channel, rate, conversion] = cell


@compiled
def _day(
    old: Float64Array,
    new: Float64Array,
    cell: Float64Array,
    fresh: float,
    day: int,
    group: tuple[int, int, int, int, int],
    tables: Tables,
    amounts: Float64Array,
) -> None:
    """Move one group, `cell` by hazard and state, on by a day, and add up what it does."""
    arm, country, channel, rate, conversion = group
    on = tables.mission_start[channel, rate]
    for j in range(len(cell)):
        keep = 1 - tables.hazard[j]
        state = acted((cell[j, 0], cell[j, 1], cell[j, 2]), on, tables.mission_end)
        for z in range(3):
            cell[j, z] = keep * state[z]
    outcome = tables.outcome[tables.regime[day], arm, country, channel, conversion]
    money = amounts[tables.regime[day], arm, country, rate]
    through = np.empty((2, 3, 3))
    for z in range(3):
        visits = tables.visits[channel, rate, z] * tables.activity[day]
        ordering, filling = outcome[z, 0] + outcome[z, 1], outcome[z, 0] + outcome[z, 2]
        users = 0.0
        for j in range(len(cell)):
            users += cell[j, z]
        chances = (visits, ordering, filling, tables.repeat_order)
        _add(old, users, 0.0, chances, money)
        _add(new, fresh * tables.start[z], 1.0, chances, money)
        for extra in range(2):
            stay, ordered, filled = passages(visits, outcome[z], extra == 1)
            through[extra, 0, z], through[extra, 1, z], through[extra, 2, z] = stay, ordered, filled
    started = _emit((tables.start[0], tables.start[1], tables.start[2]), through[1], tables.goes_on)
    for j in range(len(cell)):
        state = _emit((cell[j, 0], cell[j, 1], cell[j, 2]), through[0], tables.goes_on)
        for z in range(3):
            cell[j, z] = state[z] + fresh * tables.leave_share[j] * started[z]


@compiled
def _emit(mass: Triple, through: Float64Array, goes_on: float) -> Triple:
    return emitted(
        mass,
        (through[0, 0], through[0, 1], through[0, 2]),
        (through[1, 0], through[1, 1], through[1, 2]),
        (through[2, 0], through[2, 1], through[2, 2]),
        goes_on,
    )


@compiled
def _add(
    sums: Float64Array,
    users: float,
    extra: float,
    chances: tuple[float, float, float, float],
    money: Float64Array,
) -> None:
    """Add the moments of users in one state; `extra` is 1 on the day of signup, else 0."""
    visits, ordering, filling, stands = chances
    active = 1.0 if extra == 1.0 else 1 - np.exp(-visits)
    orders = order_factorials(extra * ordering, visits * ordering, stands)
    _add_moments(sums, ALIVE, users, (1.0, 1.0, 1.0))
    _add_moments(sums, DAU, users, (active, active, active))
    _add_moments(sums, SESSIONS, users, raw_moments(count_factorials(extra, visits)))
    carts = raw_moments(count_factorials(extra * filling, visits * filling))
    _add_moments(sums, CARTS, users, carts)
    _add_moments(sums, ORDERS, users, raw_moments(orders))
    _add_moments(sums, REVENUE, users, revenue_moments(orders, money))


@compiled
def _add_moments(sums: Float64Array, measure: int, users: float, moments: Triple) -> None:
    sums[measure, 0] += users * moments[0]
    sums[measure, 1] += users * moments[1]
    sums[measure, 2] += users * moments[2]
