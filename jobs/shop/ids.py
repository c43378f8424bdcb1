"""Identifiers: unique, reproducible, JSON-safe, and silent about the order of signup.

``event_id`` packs user id, day, session and position into 28 + 12 + 5 + 8 = 53 bits: the
largest integer that JavaScript and every JSON reader keep exactly. ``order_id`` is the
``event_id`` of the purchase.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jobs.core.errors import UsageError
from jobs.shop.hashing import IntArray, Stream, UInt64Array, counter, draw, hash_long, user_keys
from jobs.shop.jit import compiled

USER_BITS, DAY_BITS, SESSION_BITS, POSITION_BITS = 28, 12, 5, 8
FIRST_ID_DATE = date(2020, 1, 1)
LAST_ID_DATE = FIRST_ID_DATE + timedelta(days=(1 << DAY_BITS) - 1)
MAX_USERS = 1 << USER_BITS

# Ids of one block of 4,096 consecutive signups stay in one block, so a file written from a
# block of users has a narrow range of ids and a reader looking for one user can skip it.
BLOCK_BITS = 12

_FIRST_EPOCH_DAY = FIRST_ID_DATE.toordinal() - date(1970, 1, 1).toordinal()
_FEISTEL_ROUNDS = 4  # Luby and Rackoff (1988): four rounds of random functions suffice


def check_id_range(first: date, last: date, users: int) -> None:
    """Refuse days and user counts that an ``event_id`` cannot hold.

    Parameters
    ----------
    first, last : date
        First and last day with events.
    users : int
        Number of users.

    Raises
    ------
    UsageError
    """
    if first < FIRST_ID_DATE or last > LAST_ID_DATE:
        raise UsageError(
            f"days {first} to {last} leave what an event_id can hold; choose first_date, "
            f"warmup_days and days so that all lie within {FIRST_ID_DATE} to {LAST_ID_DATE}"
        )
    if users > MAX_USERS:
        raise UsageError(f"{users:,} users are more than an event_id can hold ({MAX_USERS:,})")


def user_ids(numbers: ArrayLike, seed: int) -> IntArray:
    """Give user numbers (0, 1, 2, ... in order of signup) their public ids.

    A keyed bijection: the block's number and the index within the block are permuted
    separately, each by a small Feistel network.

    Parameters
    ----------
    numbers : array of int64, shape (n,)
        Below `MAX_USERS`.
    seed : int
        Seed of the world; another seed gives another permutation.

    Returns
    -------
    array of int64, shape (n,)
        Distinct, in [0, `MAX_USERS`).
    """
    words = np.asarray(numbers, dtype=np.int64).astype(np.uint64)
    key = draw(user_keys(seed, [-1]), [0], np.atleast_1d(counter(Stream.USER_ID)))[0]
    block = words >> np.uint64(BLOCK_BITS)
    index = words & np.uint64((1 << BLOCK_BITS) - 1)
    # Each block shuffles its index by a key of its own, else all would share one pattern.
    index = _feistel(index, BLOCK_BITS, hash_long(block, key))
    # The block's key must differ from every block's own: hash a number no block can have.
    block = _feistel(block, USER_BITS - BLOCK_BITS, hash_long([MAX_USERS], key))
    return ((block << np.uint64(BLOCK_BITS)) | index).astype(np.int64)


@compiled
def event_ids(user_id: Any, epoch_day: Any, session: Any, position: Any) -> Any:
    """Pack user, day, session of the day and position in the session into one id.

    Parameters
    ----------
    user_id, epoch_day, session, position : int arrays, shape (n,), or numbers in compiled loops
        Within the bits named at the top of this module; see `check_id_range`.

    Returns
    -------
    array of int64, shape (n,), or number
    """
    packed = (user_id << DAY_BITS) | (epoch_day - _FIRST_EPOCH_DAY)
    return (((packed << SESSION_BITS) | session) << POSITION_BITS) | position


def _feistel(values: UInt64Array, bits: int, keys: UInt64Array) -> UInt64Array:
    """Permute `bits`-bit numbers; `bits` is even, `keys` broadcasts to `values`."""
    half = np.uint64(bits // 2)
    mask = np.uint64((1 << (bits // 2)) - 1)
    left, right = values >> half, values & mask
    for turn in range(_FEISTEL_ROUNDS):
        mixed = hash_long(right | np.uint64(turn << 32), keys)
        left, right = right, left ^ (mixed & mask)
    return (left << half) | right
