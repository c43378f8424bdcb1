"""What users do: visits, carts and orders, as a hidden Markov model per user.

The state, dormant, on a mission, or on a mission with an open cart, sets how often a user visits
and what comes of a visit. Within a segment (see missions.py) it changes only at the end of a day
with an order or a filled cart. So we assume the state a segment starts with, play all its days at
once, keep them up to the first change, and play the rest again with the new state. Most days have
no visit in any state, and after a few rounds no day is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.shop.chances import DEAD, DORMANT, MISSION, OPEN_CART, Chances, chances
from jobs.shop.hashing import (
    TWO_32,
    IntArray,
    Stream,
    UInt32Array,
    UInt64Array,
    counter,
    draw,
    high_half,
    threshold,
)
from jobs.shop.missions import UserDays, user_days
from jobs.shop.sessions import CARRIED_ORDER, CART, ORDER, PLAIN, Sessions, thin_repeat_orders
from jobs.shop.users import Users
from jobs.shop.world import World

_SESSIONS = 32  # room for the sessions of a day in a sort key


@dataclass(frozen=True, eq=False)
class _Block:
    """A block of users at play: tables, and where each user stands in them."""

    world: World
    users: Users
    days: UserDays
    chances: Chances
    dormant_cell: NDArray[np.int32]
    outcome_cell: IntArray
    outcome_limits: UInt32Array
    first_day: int
    no_visit: UInt32Array


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
    block = _block(world, users, day_from, day_to)
    row, number, of_day, outcome, draws = _play_all(block)
    keep = np.flatnonzero(block.days.day[row] >= day_from)
    keep = keep[np.argsort(row[keep] * _SESSIONS + number[keep], kind="stable")]
    row = row[keep]
    sessions = Sessions(
        user=block.days.user[row].astype(np.int64),
        day=block.days.day[row].astype(np.int64),
        number=number[keep],
        of_day=of_day[keep],
        outcome=outcome[keep],
        draw=draws[keep],
    )
    thin_repeat_orders(world, users, sessions)
    return sessions


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
    state = np.full(len(users.key), DEAD, dtype=np.int8)
    block = _block(world, users, day, day + 1)
    row, _, _, outcome, _ = _play_all(block)
    rows = np.flatnonzero(block.days.day == day)
    position = np.full(len(block.days.day), -1)
    position[rows] = np.arange(len(rows))
    of_day = position[row] >= 0
    state[block.days.user[rows]] = _next_states(block, rows, position[row[of_day]], outcome[of_day])
    return state


def _play_all(block: _Block) -> list[NDArray]:
    """Play all days to the end: row, number, of_day, outcome and draw of every session."""
    parts = []
    rows = np.flatnonzero(_has_visit(block, slice(None)))
    while True:  # at least once, so that an empty block has sessions of the right types
        played, rest = _play(block, rows)
        parts.append(played)
        rows = rest[_has_visit(block, rest)]
        if not len(rows):
            return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _block(world: World, users: Users, day_from: int, day_to: int) -> _Block:
    table = chances(world)
    channels, countries = len(world.segments.channel_names), len(world.segments.country_names)
    rate = users.rate_slice * channels + users.channel
    days = user_days(world, users, table.mission_start[rate], day_from, day_to)
    first_day = int(days.day.min(initial=day_from))
    activity = world.activity[first_day:day_to]
    conversion = (users.conversion_slice * countries + users.country) * channels + users.channel
    return _Block(
        world=world,
        users=users,
        days=days,
        chances=table,
        dormant_cell=(2 * rate).astype(np.int32),
        # Within a regime; see _outcomes.
        outcome_cell=(users.arm * table.conversions + conversion) * 3,
        outcome_limits=threshold(np.cumsum(table.outcome, axis=1)),
        first_day=first_day,
        no_visit=threshold(np.exp(-np.outer(activity, table.visits))).ravel(),
    )


def _has_visit(block: _Block, rows: slice | IntArray) -> NDArray[np.bool_]:
    """Tell which user-days have a session in the state they are now assumed to be in."""
    days = block.days
    cell = (days.day[rows] - np.int32(block.first_day)) * np.int32(len(block.chances.visits))
    cell += block.dormant_cell[days.user[rows]]
    cell += days.state[rows] != DORMANT
    return (days.visit_draw[rows] >= block.no_visit[cell]) | days.is_signup[rows]


def _play(block: _Block, rows: IntArray) -> tuple[tuple[NDArray, ...], IntArray]:
    """Play user-days in their assumed states and move on the states of what follows.

    Returns the sessions that are final, as (row, number, of_day, outcome, draw), and the rows of
    the days after the first change of each segment, which are to be played again.
    """
    days = block.days
    count = _session_counts(block, rows)
    position = np.repeat(np.arange(len(rows)), count)
    number = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
    row = rows[position]
    draws = draw(block.users.key, days.user[row], _counter(block, Stream.SESSION, row, number))
    outcome = _outcomes(block, row, draws)
    next_state = _next_states(block, rows, position, outcome)
    changes = np.flatnonzero(next_state != days.state[rows])
    segment = days.segment[rows[changes]]
    is_first = np.ones(len(changes), dtype=bool)
    is_first[1:] = segment[1:] != segment[:-1]
    changes, segment = changes[is_first], segment[is_first]
    last_final = np.full(len(days.segment_end), len(days.day))
    last_final[segment] = rows[changes]
    final = np.flatnonzero((rows <= last_final[days.segment[rows]])[position])
    length = days.segment_end[segment] - rows[changes] - 1
    rest = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    rest += np.repeat(rows[changes] + 1, length)
    days.state[rest] = np.repeat(next_state[changes], length)
    of_day = count[position[final]]
    return (row[final], number[final], of_day, outcome[final], draws[final]), rest


def _session_counts(block: _Block, rows: IntArray) -> IntArray:
    """Draw Poisson counts by inversion; the day of signup has one session more."""
    days = block.days
    cell = block.dormant_cell[days.user[rows]] + (days.state[rows] != DORMANT)
    mean = block.world.activity[days.day[rows]] * block.chances.visits[cell]
    visit_draw = days.visit_draw[rows]
    count = np.zeros(len(rows), dtype=np.int64)
    cap = block.world.settings.behaviour.sessions_per_day_cap
    open_, term = np.arange(len(rows)), np.exp(-mean)
    below = term.copy()
    for sessions in range(1, cap + 1):
        more = visit_draw[open_] >= np.ceil(below * TWO_32)
        open_, below, term = open_[more], below[more], term[more]
        if not len(open_):
            break
        count[open_] = sessions
        term = term * mean[open_] / sessions
        below = below + term
    return np.minimum(count + days.is_signup[rows], cap)


def _outcomes(block: _Block, row: IntArray, draws: UInt64Array) -> NDArray[np.int8]:
    days = block.days
    regime = block.world.regimes.of_day[days.day[row]] * (
        len(block.outcome_limits) // block.world.regimes.count
    )
    limits = block.outcome_limits[regime + block.outcome_cell[days.user[row]] + days.state[row]]
    chance = high_half(draws)
    outcome = np.full(len(row), PLAIN, dtype=np.int8)
    for column, name in ((2, CART), (1, CARRIED_ORDER), (0, ORDER)):
        outcome[chance < limits[:, column]] = name
    return outcome


def _next_states(
    block: _Block, rows: IntArray, position: IntArray, outcome: NDArray[np.int8]
) -> NDArray[np.int8]:
    """State after each user-day: an order closes the cart, a cart left full opens one."""
    days = block.days
    state = days.state[rows]
    state[position[outcome == CART]] = OPEN_CART
    ordered = np.unique(position[outcome >= ORDER])
    after = _counter(block, Stream.AFTER_ORDER, rows[ordered])
    goes_on = high_half(draw(block.users.key, days.user[rows[ordered]], after)) < threshold(
        block.world.settings.behaviour.mission_after_order
    )
    state[ordered] = np.where(goes_on, MISSION, DORMANT)
    return state


def _counter(
    block: _Block, stream: Stream, rows: IntArray, number: IntArray | int = 0
) -> UInt64Array:
    return counter(stream, block.days.day[rows] + block.world.first_epoch_day, number)
