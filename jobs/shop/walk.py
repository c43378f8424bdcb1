"""The walk of users through their days: missions, visits and what comes of them, compiled.

Every day after signup a user's draw may start a fresh shopping mission or end the present one.
Either action forgets the past: what follows depends on nothing before it. So any range of days can
be made without its history by looking back to the last action before it, four days on average.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.shop.chances import DEAD, DORMANT, MISSION, OPEN_CART
from jobs.shop.hashing import (
    TWO_32,
    Float64Array,
    IntArray,
    Stream,
    UInt32Array,
    UInt64Array,
    mix,
    packed,
)
from jobs.shop.jit import compiled
from jobs.shop.sessions import CARRIED_ORDER, CART, ORDER, PLAIN

# Compiled code takes plain numbers from a module, and no members of an enum.
_DAY, _SESSION = int(Stream.DAY), int(Stream.SESSION)
_AFTER_ORDER, _REPEAT_ORDER = int(Stream.AFTER_ORDER), int(Stream.REPEAT_ORDER)
_32 = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)


class Rules(NamedTuple):
    """A world's rules, flat for look-up in one step; cells and rows as in chances.py.

    Limits are those of `threshold`: a 32-bit draw below them says yes.

    Attributes
    ----------
    first_epoch_day : int
    start_below : array of uint32, shape (rates,)
        Below it, a day's action draw starts a mission.
    end_from : int
        From it on, a day's action draw ends one.
    visits : array, shape (cells,)
        Sessions to expect on an average day.
    activity : array, shape (days,)
        Factor of each day.
    silent : array, shape (days, cells)
        Chance of a day without a session.
    no_visit : array of uint32, shape (days, cells)
        Limit of the same.
    most_sessions : int
        On a day.
    first_outcome : int array, shape (days,)
        Where the outcomes of the day's regime begin.
    outcome : array of uint32, shape (regimes x outcomes, 3)
        Limits of: cart and order; or a carried-over order; or a cart only.
    after_order : int
        Limit of: the mission goes on.
    repeat_order : int
        Limit of: a further order of the same day stands.
    """

    first_epoch_day: int
    start_below: UInt32Array
    end_from: int
    visits: Float64Array
    activity: Float64Array
    silent: Float64Array
    no_visit: UInt32Array
    most_sessions: int
    first_outcome: IntArray
    outcome: UInt32Array
    after_order: int
    repeat_order: int


class Walkers(NamedTuple):
    """A block of users, one entry each.

    Attributes
    ----------
    key : array of uint64
    signup_day, last_day : int arrays
    rate, outcome : int arrays
        Their row in `Rules.start_below`, and in a regime of `Rules.outcome` when dormant.
    starts_in_mission : bool array
    """

    key: UInt64Array
    signup_day: IntArray
    last_day: IntArray
    rate: IntArray
    outcome: IntArray
    starts_in_mission: NDArray[np.bool_]


@compiled
def walk(
    walkers: Walkers, rules: Rules, day_from: int, day_to: int
) -> tuple[IntArray, UInt64Array, NDArray[np.int8]]:
    """Walk all users through the days [day_from, day_to).

    Returns
    -------
    int array, shape (sessions, 5)
        User, day, number within the day, sessions of the day, outcome.
    array of uint64, shape (sessions,)
        The draw of each session.
    array of int8, one entry per user
        State after the last day; `DEAD` for whoever has left by then or is not there yet.
    """
    found, draws = np.empty((1 << 12, 5), np.int64), np.empty(1 << 12, np.uint64)
    state_after = np.full(len(walkers.key), DEAD, np.int8)
    count = 0
    for user in range(len(walkers.key)):
        signup, last = walkers.signup_day[user], walkers.last_day[user]
        if signup >= day_to or last < day_from:
            continue
        key, rate = walkers.key[user], walkers.rate[user]
        state = DORMANT
        for day in range(_known_from(key, signup, rate, rules, day_from), min(last + 1, day_to)):
            drawn = mix(packed(_DAY, day + rules.first_epoch_day, 0), key)
            is_signup = day == signup
            if is_signup:
                # Nobody acts on this day: the state then is a trait of the user.
                state = MISSION if walkers.starts_in_mission[user] else DORMANT
            elif drawn >> _32 < rules.start_below[rate]:
                state = MISSION
            elif drawn >> _32 >= np.uint64(rules.end_from):
                state = DORMANT
            cell = 2 * rate + (state != DORMANT)
            if drawn & _LOW_HALF < rules.no_visit[day, cell] and not is_signup:
                continue
            sessions = _session_count(drawn & _LOW_HALF, day, cell, is_signup, rules)
            limits = rules.outcome[rules.first_outcome[day] + walkers.outcome[user] + state]
            epoch_day = day + rules.first_epoch_day
            has_ordered = False
            for number in range(sessions):
                session_draw = mix(packed(_SESSION, epoch_day, number), key)
                outcome = _outcome(session_draw >> _32, limits)
                if outcome == CART:
                    state = OPEN_CART
                if outcome >= ORDER:
                    if has_ordered and not _stands(key, epoch_day, number, rules):
                        outcome = CART if outcome == ORDER else PLAIN
                    has_ordered = True
                if day < day_from:
                    continue
                if count == len(draws):
                    found, draws = _twice_as_long(found), _twice_as_long(draws)
                found[count, 0], found[count, 1], found[count, 2] = user, day, number
                found[count, 3], found[count, 4] = sessions, outcome
                draws[count] = session_draw
                count += 1
            if has_ordered:
                after = mix(packed(_AFTER_ORDER, epoch_day, 0), key) >> _32
                state = MISSION if after < np.uint64(rules.after_order) else DORMANT
        if last >= day_to - 1:
            state_after[user] = state
    return found[:count], draws[:count], state_after


@compiled
def _known_from(key: np.uint64, signup: int, rate: int, rules: Rules, day_from: int) -> int:
    """Find a user's last action up to `day_from`, or else the signup."""
    day = max(day_from, signup)
    while day > signup:
        action = mix(packed(_DAY, day + rules.first_epoch_day, 0), key) >> _32
        if action < rules.start_below[rate] or action >= np.uint64(rules.end_from):
            break
        day -= 1
    return day


@compiled
def _session_count(drawn: np.uint64, day: int, cell: int, is_signup: bool, rules: Rules) -> int:
    """Draw a Poisson count by inversion; the day of signup has one session more."""
    mean = rules.activity[day] * rules.visits[cell]
    term = below = rules.silent[day, cell]
    count = 0
    while count < rules.most_sessions and float(drawn) >= np.ceil(below * TWO_32):
        count += 1
        term = term * mean / count
        below += term
    return min(count + is_signup, rules.most_sessions)


@compiled
def _outcome(chance: np.uint64, limits: UInt32Array) -> int:
    if chance < limits[0]:
        return ORDER
    if chance < limits[1]:
        return CARRIED_ORDER
    return CART if chance < limits[2] else PLAIN


@compiled
def _stands(key: np.uint64, epoch_day: int, number: int, rules: Rules) -> np.bool_:
    """Tell whether a further order of one day is one.

    Left alone, 17 % of the orders would be such repeats, where CDNOW has 3 %. The first order
    stands always, so the state after the day is unaffected.
    """
    drawn = mix(packed(_REPEAT_ORDER, epoch_day, number), key) >> _32
    return drawn < np.uint64(rules.repeat_order)


@compiled
def _twice_as_long(array: NDArray) -> NDArray:
    longer = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
