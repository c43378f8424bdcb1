"""Missions: which days of a user belong together, and the state each such stretch starts in.

Every day after signup a user's draw may start a fresh shopping mission or end the present one.
Either action forgets the past: what follows depends on nothing before it. So the days between
two actions form a *segment* that can be played alone, and any range of days can be made without
its history by looking back to the last action before it, four days on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.shop.chances import DORMANT, MISSION
from jobs.shop.hashing import (
    TWO_32,
    Float64Array,
    IntArray,
    Stream,
    UInt32Array,
    counter,
    draw,
    high_half,
    low_half,
    threshold,
)
from jobs.shop.users import Users
from jobs.shop.world import World

_LOOK_BACK_DAYS = 8  # per step: enough for nine users in ten


@dataclass(frozen=True, eq=False)
class UserDays:
    """The days of living users, flat: all days of the first user, then of the second, ...

    Attributes
    ----------
    user : int array
        Position in the block of users.
    day : int array
        Counted from the world's day 0.
    visit_draw : array of uint32
        Decides how many sessions the day has.
    is_signup : bool array
    segment : int array
        Number of the segment the day belongs to.
    segment_end : int array, one entry per segment
        Position after the segment's last day.
    state : int array
        State at the start of the segment; `generate_sessions` moves it on.
    """

    user: NDArray[np.int32]
    day: NDArray[np.int32]
    visit_draw: UInt32Array
    is_signup: NDArray[np.bool_]
    segment: NDArray[np.int32]
    segment_end: IntArray
    state: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class _Actions:
    """Limits of the action draw: below `start_below` a mission starts, from `end_from` it ends."""

    start_below: UInt32Array
    end_from: np.uint32


def user_days(
    world: World, users: Users, mission_start: Float64Array, day_from: int, day_to: int
) -> UserDays:
    """Lay out the days of a block of users, from a day whose state is known to `day_to`.

    Parameters
    ----------
    world : World
    users : Users
    mission_start : array, one entry per user
        Daily chance of a fresh mission.
    day_from, day_to : int
        Half-open, counted from the world's day 0.

    Returns
    -------
    UserDays
        Including the days of look-back before `day_from`.
    """
    alive = np.flatnonzero((users.signup_day < day_to) & (users.last_day >= day_from))
    actions = _Actions(
        start_below=threshold(mission_start),
        end_from=np.uint32(TWO_32 * (1 - world.settings.behaviour.mission_end)),
    )
    first_day = _known_state_days(world, users, alive, actions, day_from)
    lengths = np.minimum(users.last_day[alive] + 1, day_to) - first_day
    offsets = np.cumsum(lengths) - lengths
    # int32 halves the memory traffic of the millions of user-days, most of which come to nothing.
    user = np.repeat(alive.astype(np.int32), lengths)
    day = np.arange(len(user), dtype=np.int32)
    day -= np.repeat((offsets - first_day).astype(np.int32), lengths)
    draws = draw(users.key, user, counter(Stream.DAY, day + world.first_epoch_day))
    action_draw = high_half(draws)
    starts = action_draw < actions.start_below[user]
    is_first = starts | (action_draw >= actions.end_from)
    is_first[offsets] = True
    segment_first = np.flatnonzero(is_first)
    segment = np.cumsum(is_first, dtype=np.int32) - 1
    first_state = np.where(starts[segment_first], MISSION, DORMANT).astype(np.int8)
    # Nobody acts on the day of signup: the state then is a trait of the user.
    is_signup = np.zeros(len(user), dtype=bool)
    new = users.signup_day[alive] == first_day
    is_signup[offsets[new]] = True
    starts_in_mission = users.starts_in_mission[alive[new]]
    first_state[segment[offsets[new]]] = np.where(starts_in_mission, MISSION, DORMANT)
    return UserDays(
        user=user,
        day=day,
        visit_draw=low_half(draws),
        is_signup=is_signup,
        segment=segment,
        segment_end=np.append(segment_first[1:], len(user)),
        state=first_state[segment],
    )


def _known_state_days(
    world: World, users: Users, alive: IntArray, actions: _Actions, day_from: int
) -> IntArray:
    """Find each living user's last action up to `day_from`, or else the signup."""
    signup = users.signup_day[alive]
    found = signup.copy()
    open_ = np.flatnonzero(signup < day_from)
    newest = day_from
    while open_.size:
        days = newest - np.arange(_LOOK_BACK_DAYS)
        row = np.repeat(alive[open_], _LOOK_BACK_DAYS)
        epoch_days = np.tile(days + world.first_epoch_day, len(open_))
        action_draw = high_half(draw(users.key, row, counter(Stream.DAY, epoch_days)))
        acts = (action_draw < actions.start_below[row]) | (action_draw >= actions.end_from)
        acts = acts.reshape(-1, _LOOK_BACK_DAYS) & (days > signup[open_, None])
        has_action = acts.any(axis=1)
        found[open_[has_action]] = days[acts[has_action].argmax(axis=1)]
        newest -= _LOOK_BACK_DAYS
        open_ = open_[~has_action]
        open_ = open_[signup[open_] < newest]
    return found
