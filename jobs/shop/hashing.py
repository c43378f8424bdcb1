"""Counter-based random numbers: every draw is a pure function of what it is for.

A draw is Spark's own ``xxhash64(seed, user, counter)``, computed in Python, so that any worker
can make any row alone and SQL can recompute a draw where somebody doubts it. There is no
generator state that a different partitioning could advance differently.

The counter packs what the draw is for: ``stream << 48 | epoch_day << 32 | k << 16 | position``.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jobs.shop.jit import compiled

UInt64Array = NDArray[np.uint64]
UInt32Array = NDArray[np.uint32]
Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

TWO_32 = 2.0**32

# Constants of XXH64 (Yann Collet, github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3 = np.uint64(0x165667B19E3779F9)
_PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
_SHORT_INPUT = np.uint64((0x27D4EB2F165667C5 + 8) % 2**64)  # PRIME64_5 + length of one bigint
# Shifts of 64-bit numbers that shall stay such.
_16, _27, _29, _31, _32, _33, _37, _48 = map(np.uint64, (16, 27, 29, 31, 32, 33, 37, 48))
_SPARK_SEED = np.uint64(42)  # the seed Spark's xxhash64() starts from


class Stream(IntEnum):
    """What a draw decides. Renumbering a stream changes every row ever generated."""

    SIGNUPS = 1
    RATE = 2
    LEAVE = 3
    CONVERSION = 4
    LIFETIME = 5
    START_STATE = 6
    ORDER_LEVEL = 7
    COUNTRY = 8
    CHANNEL = 9
    DAY = 10
    SESSION = 11
    AFTER_ORDER = 12
    REPEAT_ORDER = 13
    PAGES = 14
    EVENT = 15
    BASKET = 16
    USER_ID = 17
    CAMPAIGN_ARM = 18
    PRICE_ARM = 19
    EVENT_FAULT = 20
    EVENT_FAULT_SIZE = 21
    ORDER_FAULT = 22
    ORDER_FAULT_SIZE = 23
    LOST_COUNTRY = 24
    LOST_SESSION = 25
    BOT_COUNT = 26
    BOT = 27
    BOT_VIEW = 28


def hash_long(values: ArrayLike, seeds: ArrayLike) -> UInt64Array:
    """Hash bigints as Spark's ``XXH64.hashLong(value, seed)`` does.

    Parameters
    ----------
    values : array of int64 or uint64, shape (n,)
    seeds : scalar or array of uint64, broadcast to ``values``

    Returns
    -------
    array of uint64, shape (n,)
    """
    words = np.atleast_1d(np.asarray(values))
    if words.dtype != np.uint64:
        words = words.astype(np.int64).view(np.uint64)
    return _mix_all(words, np.asarray(seeds, dtype=np.uint64))


def user_keys(seed: int, users: ArrayLike) -> UInt64Array:
    """Hash (seed, user): the prefix that all draws of a user share.

    Parameters
    ----------
    seed : int
        Seed of the world, a signed 64-bit number.
    users : array of int64, shape (n,)

    Returns
    -------
    array of uint64, shape (n,)
    """
    return hash_long(users, seed_prefix(seed))


def seed_prefix(seed: int) -> np.uint64:
    """Hash a seed: the prefix that all draws of a world share."""
    return hash_long(seed, _SPARK_SEED)[0]


def counter(stream: Stream, epoch_day: ArrayLike = 0, k: ArrayLike = 0) -> UInt64Array:
    """Pack what a draw is for into one bigint; the position's 16 bits stay zero.

    Parameters
    ----------
    stream : Stream
    epoch_day : int or int array
        Days since 1970-01-01, below 65,536.
    k : int or int array
        Number of the session within the day.

    Returns
    -------
    array of uint64
    """
    packed = np.asarray(epoch_day).astype(np.uint64) << np.uint64(32)
    packed |= np.uint64(int(stream) << 48)
    if np.ndim(k):
        packed |= np.asarray(k).astype(np.uint64) << np.uint64(16)
    return packed


def draw(keys: UInt64Array, rows: ArrayLike, counters: UInt64Array) -> UInt64Array:
    """Draw one 64-bit number per counter: ``xxhash64(seed, user, counter)`` in Spark's terms.

    Parameters
    ----------
    keys : array of uint64, shape (users,)
        From `user_keys`.
    rows : int array, shape (n,)
        Which of the ``keys`` each draw belongs to.
    counters : array of uint64, shape (n,)

    Returns
    -------
    array of uint64, shape (n,)
        Uniform on all 2**64 values.
    """
    return _mix_all(counters, keys[np.asarray(rows)])


def draw_per_user(keys: UInt64Array, stream: Stream) -> UInt64Array:
    """Draw one 64-bit number per user from a stream that knows no days."""
    return _mix_all(counter(stream), keys)


def high_half(draws: UInt64Array) -> UInt32Array:
    """Take the upper 32 bits; independent of the lower ones, so one hash serves two decisions."""
    return (draws >> np.uint64(32)).astype(np.uint32)


def low_half(draws: UInt64Array) -> UInt32Array:
    """Take the lower 32 bits."""
    return draws.astype(np.uint32)


def unit(draws: UInt64Array) -> Float64Array:
    """Map draws to the open interval (0, 1).

    The midpoints of 2**52 cells: with one bit more, the last midpoint would round to 1.
    """
    return ((draws >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def threshold(chance: ArrayLike) -> UInt32Array:
    """Turn chances into integers t with P(32-bit draw < t) = chance.

    Decisions compare integers, so that the last bit of a float cannot flip one.
    """
    return np.minimum(np.ceil(np.asarray(chance) * TWO_32), TWO_32 - 1).astype(np.uint32)


@compiled
def mix(word: np.uint64, seed: np.uint64) -> np.uint64:
    """XXH64.hashLong(word, seed) of two 64-bit numbers, for compiled loops."""
    word *= _PRIME_2
    word = ((word << _31) | (word >> _33)) * _PRIME_1
    hashed = (seed + _SHORT_INPUT) ^ word
    hashed = ((hashed << _27) | (hashed >> _37)) * _PRIME_1 + _PRIME_4
    hashed = (hashed ^ (hashed >> _33)) * _PRIME_2
    hashed = (hashed ^ (hashed >> _29)) * _PRIME_3
    return hashed ^ (hashed >> _32)


@compiled
def packed(stream: int, epoch_day: int, k: int) -> np.uint64:
    """Pack what a draw is for, as `counter` does, for compiled loops."""
    return (np.uint64(stream) << _48) | (np.uint64(epoch_day) << _32) | (np.uint64(k) << _16)


def _mix_all(words: ArrayLike, seeds: ArrayLike) -> UInt64Array:
    """Mix arrays element by element, as broadcast against each other."""
    shape = np.broadcast_shapes(np.shape(words), np.shape(seeds))
    return _mixed(np.broadcast_to(words, shape), np.broadcast_to(seeds, shape))


@compiled
def _mixed(words: UInt64Array, seeds: UInt64Array) -> UInt64Array:
    hashed = np.empty(len(words), np.uint64)
    for row in range(len(words)):
        hashed[row] = mix(words[row], seeds[row])
    return hashed
