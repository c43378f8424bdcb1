"""When users come and go and what they are like, compiled: most of it is of few who are there."""

from __future__ import annotations

import numpy as np

from jobs.shop.hashing import Float64Array, IntArray, Stream, UInt64Array, mix, packed
from jobs.shop.jit import compiled

# Users whose hazard is near zero would outlive any calendar; 82 years is for good.
LONGEST_LIFETIME_DAYS = 30_000

# Compiled code takes plain numbers from a module, and no members of an enum.
_LEAVE, _LIFETIME = int(Stream.LEAVE), int(Stream.LIFETIME)
_RATE, _COUNTRY, _CHANNEL = int(Stream.RATE), int(Stream.COUNTRY), int(Stream.CHANNEL)
_12 = np.uint64(12)
# Above 1 by more than rounding can be.
_SURELY = 1 + 1e-9


@compiled
def lives(
    prefix: np.uint64,
    first_user: IntArray,
    users: tuple[int, int],
    day_from: int,
    leave_edges: Float64Array,
    log_stay: Float64Array,
) -> tuple[IntArray, UInt64Array, IntArray, IntArray, IntArray]:
    """Find those of some users who are still there on a day, and when they came and go.

    A lifetime is floor(ln U / ln(1 - theta)), so it reaches n days if U <= (1 - theta)^n: one
    comparison, where most need no logarithm.

    Parameters
    ----------
    prefix : uint64
        Hash of the world's seed.
    first_user : int array, shape (days + 1,)
        Number of the first user who signs up on each day.
    users : (int, int)
        User numbers, half-open.
    day_from : int
        Who has left before is left out; 0 for everybody.
    leave_edges : array, shape (slices - 1,)
        Between the slices of the hazard.
    log_stay : array, shape (slices,)
        ln(1 - theta) of each slice.

    Returns
    -------
    number, key, signup_day, last_day, leave_slice
        One entry per user found, in order of signup.
    """
    count = max(0, users[1] - users[0])
    number, key = np.empty(count, np.int64), np.empty(count, np.uint64)
    signup_day, last_day = np.empty(count, np.int64), np.empty(count, np.int64)
    leave_slice = np.empty(count, np.int64)
    leave, lifetime = packed(_LEAVE, 0, 0), packed(_LIFETIME, 0, 0)
    row = 0
    for day in range(len(first_user) - 1):
        most = np.exp(log_stay * max(0, day_from - day)) * _SURELY
        for user in range(max(first_user[day], users[0]), min(first_user[day + 1], users[1])):
            user_key = mix(np.uint64(user), prefix)
            slice_ = _place(leave_edges, mix(leave, user_key))
            survival = _unit(mix(lifetime, user_key))
            if survival > most[slice_]:
                continue
            days = min(np.floor(np.log(survival) / log_stay[slice_]), LONGEST_LIFETIME_DAYS)
            if day + np.int64(days) < day_from:
                continue
            number[row], key[row], leave_slice[row] = user, user_key, slice_
            signup_day[row], last_day[row] = day, day + np.int64(days)
            row += 1
    return number[:row], key[:row], signup_day[:row], last_day[:row], leave_slice[:row]


@compiled
def habits(
    key: UInt64Array,
    rate_edges: Float64Array,
    country_edges: Float64Array,
    channel_edges: Float64Array,
) -> tuple[IntArray, IntArray, IntArray]:
    """Draw what sets how often users visit: the rate, the country, the channel by that country.

    Parameters
    ----------
    key : array of uint64, one entry per user
    rate_edges, country_edges : arrays
        Between the slices, and between the countries.
    channel_edges : array, shape (countries, channels - 1)
        Between the channels.

    Returns
    -------
    rate_slice, country, channel
        Positions in the world's tables, one entry per user.
    """
    of_rate, of_country, of_channel = (
        packed(_RATE, 0, 0),
        packed(_COUNTRY, 0, 0),
        packed(_CHANNEL, 0, 0),
    )
    rate_slice, country = np.empty(len(key), np.int64), np.empty(len(key), np.int64)
    channel = np.empty(len(key), np.int64)
    for user in range(len(key)):
        rate_slice[user] = _place(rate_edges, mix(of_rate, key[user]))
        country[user] = _place(country_edges, mix(of_country, key[user]))
        channel[user] = _place(channel_edges[country[user]], mix(of_channel, key[user]))
    return rate_slice, country, channel


@compiled
def _place(edges: Float64Array, drawn: np.uint64) -> int:
    """Find the slice of a draw."""
    chance, place = _unit(drawn), 0
    while place < len(edges) and edges[place] <= chance:
        place += 1
    return place


@compiled
def _unit(drawn: np.uint64) -> float:
    """Map a draw to (0, 1), as `unit` does."""
    return (np.float64(drawn >> _12) + 0.5) * 2.0**-52
