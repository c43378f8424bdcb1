"""Sessions: the visits of users, and what comes of each."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import IntArray, Stream, UInt64Array, counter, draw, high_half, threshold
from jobs.shop.users import Users
from jobs.shop.world import World

PLAIN, CART, ORDER, CARRIED_ORDER = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Sessions:
    """Sessions in order of user, day and number, one entry each.

    Attributes
    ----------
    user : int array
        Position in the block of users.
    day : int array
        Counted from the world's day 0.
    number, of_day : int arrays
        Number within the user's day, from 0, and how many that day has.
    outcome : int array
        `PLAIN`, `CART` (filled, not bought), `ORDER` (filled and bought) or `CARRIED_ORDER`
        (bought what an earlier day left in the cart).
    draw : array of uint64
        Its upper half decided the outcome; its lower half is still unused.
    """

    user: IntArray
    day: IntArray
    number: IntArray
    of_day: IntArray
    outcome: NDArray[np.int8]
    draw: UInt64Array

    def take(self, rows: NDArray) -> Sessions:
        """Pick sessions by position, mask or slice."""
        return Sessions(*(getattr(self, field.name)[rows] for field in fields(self)))


def thin_repeat_orders(world: World, users: Users, sessions: Sessions) -> None:
    """Undo most further orders of one user and day, in place.

    Left alone, 17 % of the orders would be such repeats, where CDNOW has 3 %. The first order
    stands, so the state after the day is unaffected.
    """
    ordered = sessions.outcome >= ORDER
    before: IntArray = np.cumsum(ordered) - ordered
    first = np.flatnonzero(sessions.number == 0)
    day_number = np.cumsum(sessions.number == 0) - 1
    repeats = np.flatnonzero(ordered & (before > before[first][day_number]))
    epoch_day = sessions.day[repeats] + world.first_epoch_day
    counters = counter(Stream.REPEAT_ORDER, epoch_day, sessions.number[repeats])
    chance = high_half(draw(users.key, sessions.user[repeats], counters))
    undone = repeats[chance >= threshold(world.settings.behaviour.repeat_order)]
    sessions.outcome[undone] = np.where(sessions.outcome[undone] == ORDER, CART, PLAIN)
