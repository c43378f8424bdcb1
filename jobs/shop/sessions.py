"""Sessions: the visits of users, and what comes of each."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import IntArray, UInt64Array

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
