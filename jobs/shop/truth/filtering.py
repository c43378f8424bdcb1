"""The inner loops of the history oracle: one user's log, day by day; see oracle.py."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.jit import compiled, compiled_in_vectors
from jobs.shop.sessions import CARRIED_ORDER, CART, ORDER
from jobs.shop.truth.compiled import acted, emitted
from jobs.shop.truth.groups import Group


@compiled
def filter_users(
    result: Float64Array,
    users: IntArray,
    signup_day: IntArray,
    first_session: IntArray,
    session_day: IntArray,
    session_outcome: NDArray[np.int8],
    days: IntArray,
    group: Group,
    order_ahead: Float64Array,
    active_ahead: Float64Array,
    alive: Float64Array,
) -> None:
    """Run through the logs of users of one group, and look ahead on each of the days.

    Parameters
    ----------
    result : array, shape (2, all users, days)
        Receives P(order) and P(active) of those users.
    users : int array
        Positions of the group's users.
    signup_day, first_session, session_day, session_outcome : arrays
        Of all users: a `History`.
    days : int array
    group : Group
    order_ahead, active_ahead : arrays, shape (days, horizon, 3, cells)
        `first_event_days` of the group.
    alive : array
        P(alive after n days of life).
    """
    hidden_days = group.hidden.shape[1]
    weight = np.empty_like(group.prior)
    chance = np.empty_like(group.prior)
    for user in users:
        signup = signup_day[user]
        at, end = first_session[user], first_session[user + 1]
        weight[:] = group.prior
        total, left, asked = 1.0, 0.0, np.searchsorted(days, signup, side="right")
        for day in range(signup, days[-1]):
            lived = day - signup
            if lived:
                scale = 1 / (alive[lived - 1] * total + left)
                left = (left + (alive[lived - 1] - alive[lived]) * total) * scale
                _act(weight, scale, group)
            until = at
            while until < end and session_day[until] == day:
                until += 1
            if day < hidden_days:
                _pass_hidden(weight, group.hidden[0 if lived else 1, day], group.goes_on)
                total = weight.sum()
            elif until == at:
                total = _see_nothing(weight, group.quiet[day])
            else:
                left = 0.0
                outcomes = session_outcome[at:until]
                table = group.outcome[group.regime[day]]
                _session_chances(chance, outcomes, table, group.repeat_order)
                visits = until - at - (0 if lived else 1)
                _see_sessions(weight, chance, visits, group.visits[day], group.quiet[day])
                _settle(weight, outcomes, group.goes_on)
                total = weight.sum()
            at = until
            while asked < len(days) and days[asked] == day + 1:
                everything = alive[lived] * total + left
                later = alive[lived + 1 :]
                result[0, user, asked] = _ahead(weight, order_ahead[asked], later) / everything
                result[1, user, asked] = _ahead(weight, active_ahead[asked], later) / everything
                asked += 1


@compiled_in_vectors
def _act(weight: Float64Array, scale: float, group: Group) -> None:
    off = group.mission_end
    for cell in range(weight.shape[1]):
        on = group.mission_start[cell]
        weight[0, cell], weight[1, cell], weight[2, cell] = acted(
            (scale * weight[0, cell], scale * weight[1, cell], scale * weight[2, cell]), on, off
        )


@compiled_in_vectors
def _pass_hidden(weight: Float64Array, hidden: Float64Array, goes_on: float) -> None:
    for cell in range(weight.shape[1]):
        weight[0, cell], weight[1, cell], weight[2, cell] = emitted(
            (weight[0, cell], weight[1, cell], weight[2, cell]),
            (hidden[0, 0, cell], hidden[1, 0, cell], hidden[2, 0, cell]),
            (hidden[0, 1, cell], hidden[1, 1, cell], hidden[2, 1, cell]),
            (hidden[0, 2, cell], hidden[1, 2, cell], hidden[2, 2, cell]),
            goes_on,
        )


@compiled_in_vectors
def _see_nothing(weight: Float64Array, quiet: Float64Array) -> float:
    total = 0.0
    for cell in range(weight.shape[1]):
        weight[0, cell] *= quiet[0, cell]
        weight[1, cell] *= quiet[1, cell]
        weight[2, cell] *= quiet[1, cell]
        total += weight[0, cell] + weight[1, cell] + weight[2, cell]
    return total


@compiled_in_vectors
def _session_chances(
    chance: Float64Array, outcomes: NDArray[np.int8], table: Float64Array, stands: float
) -> None:
    """Chance of what came of a day's sessions, by state and cell."""
    chance[:] = 1.0
    share = 1.0
    for outcome in outcomes:
        for z in range(3):
            order, carried, cart = table[z, 0], table[z, 1], table[z, 2]
            if outcome == ORDER:
                chance[z] *= share * order
            elif outcome == CARRIED_ORDER:
                chance[z] *= share * carried
            elif outcome == CART:
                chance[z] *= cart + (1 - share) * order
            else:
                chance[z] *= 1 - order - carried - cart + (1 - share) * carried
        if outcome >= ORDER:
            share = stands


@compiled_in_vectors
def _see_sessions(
    weight: Float64Array,
    chance: Float64Array,
    visits: int,
    expected: Float64Array,
    quiet: Float64Array,
) -> None:
    """Weigh each cell by the chance of this many sessions, n! left out, and of their outcomes."""
    for cell in range(weight.shape[1]):
        dormant, mission = quiet[0, cell], quiet[1, cell]
        for _ in range(visits):
            dormant *= expected[0, cell]
            mission *= expected[1, cell]
        weight[0, cell] *= dormant * chance[0, cell]
        weight[1, cell] *= mission * chance[1, cell]
        weight[2, cell] *= mission * chance[2, cell]


@compiled_in_vectors
def _settle(weight: Float64Array, outcomes: NDArray[np.int8], goes_on: float) -> None:
    """Move the states on: known after a day with an order or a cart, but for the coin."""
    has_ordered, has_cart = False, False
    for outcome in outcomes:
        has_ordered = has_ordered or outcome >= ORDER
        has_cart = has_cart or outcome == CART
    if not (has_ordered or has_cart):
        return
    for cell in range(weight.shape[1]):
        total = weight[0, cell] + weight[1, cell] + weight[2, cell]
        weight[0, cell] = (1 - goes_on) * total if has_ordered else 0.0
        weight[1, cell] = goes_on * total if has_ordered else 0.0
        weight[2, cell] = 0.0 if has_ordered else total


@compiled_in_vectors
def _ahead(weight: Float64Array, first: Float64Array, alive: Float64Array) -> float:
    """Weight of those who are alive for the event and have it first on one of the days ahead."""
    chance = 0.0
    for ahead in range(first.shape[0]):
        hit = 0.0
        for z in range(3):
            for cell in range(weight.shape[1]):
                hit += weight[z, cell] * first[ahead, z, cell]
        chance += alive[ahead] * hit
    return chance
