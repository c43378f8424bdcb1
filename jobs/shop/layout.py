"""Sessions laid out as events, compiled: one draw an event, for its pause and its delay."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import Float64Array, IntArray, Stream, UInt64Array, mix, packed
from jobs.shop.ids import event_ids
from jobs.shop.jit import compiled

EVENT_TYPES = ("view", "add_to_cart", "purchase")
VIEW, ADD_TO_CART, PURCHASE = 0, 1, 2

NO_CART = 0

# Compiled code takes plain numbers from a module, and no members of an enum.
_EVENT = int(Stream.EVENT)
_16, _32 = np.uint64(16), np.uint64(32)
_PLACE = np.uint64(0xFFFF)


class Layout(NamedTuple):
    """What sessions consist of, one entry each.

    Attributes
    ----------
    key : array of uint64
        Of the session's user.
    user_id, epoch_day, number : int arrays
    length : int array
        Events: the views, one of a cart, one of a purchase.
    cart_position : int array
        How many events come before that of the cart; `NO_CART` where there is none.
    has_order : bool array
        The last event is a purchase.
    cents : int array
        Worth of the basket.
    """

    key: UInt64Array
    user_id: IntArray
    epoch_day: IntArray
    number: IntArray
    length: IntArray
    cart_position: IntArray
    has_order: NDArray[np.bool_]
    cents: IntArray


@compiled
def durations(sessions: Layout, pauses: IntArray) -> IntArray:
    """Add up the pauses of each session: the microseconds from its first to its last event.

    Parameters
    ----------
    sessions : Layout
    pauses : int array
        Quantiles of the pause, in microseconds; see timing.py.
    """
    duration = np.zeros(len(sessions.key), np.int64)
    for session in range(len(duration)):
        for position in range(1, sessions.length[session]):
            duration[session] += _pause(_draw(sessions, session, position), pauses)
    return duration


@compiled
def write_events(
    sessions: Layout, start: IntArray, pauses: IntArray, delays: IntArray
) -> tuple[IntArray, IntArray, IntArray, NDArray[np.int8], Float64Array, IntArray]:
    """Write out the events of sessions.

    Parameters
    ----------
    sessions : Layout
    start : int array, one entry per session
        Microseconds since 1970-01-01 UTC.
    pauses, delays : int arrays
        Quantiles, in microseconds; see timing.py.

    Returns
    -------
    event_id, user_id, ts, event_type, value, ingest_ts
        As in `Events`, in order of session and time; within a session time only goes forward.
    """
    rows = sessions.length.sum()
    event_id, user_id = np.empty(rows, np.int64), np.empty(rows, np.int64)
    ts, ingest_ts = np.empty(rows, np.int64), np.empty(rows, np.int64)
    event_type, value = np.full(rows, VIEW, np.int8), np.full(rows, np.nan)
    row = 0
    for session in range(len(sessions.key)):
        user, day = sessions.user_id[session], sessions.epoch_day[session]
        now, length = start[session], sessions.length[session]
        for position in range(length):
            drawn = _draw(sessions, session, position)
            if position:
                now += _pause(drawn, pauses)
            event_id[row] = event_ids(user, day, sessions.number[session], position)
            user_id[row] = user
            ts[row] = now
            ingest_ts[row] = now + delays[(drawn >> _16) & _PLACE]
            row += 1
        worth = sessions.cents[session] / 100
        if sessions.cart_position[session] != NO_CART:
            cart = row - length + sessions.cart_position[session]
            event_type[cart], value[cart] = ADD_TO_CART, worth
        if sessions.has_order[session]:
            event_type[row - 1], value[row - 1] = PURCHASE, worth
    return event_id, user_id, ts, event_type, value, ingest_ts


@compiled
def _draw(sessions: Layout, session: int, position: int) -> np.uint64:
    first = packed(_EVENT, sessions.epoch_day[session], sessions.number[session])
    return mix(first | np.uint64(position), sessions.key[session])


@compiled
def _pause(drawn: np.uint64, pauses: IntArray) -> int:
    """Take a pause; its last microseconds, so that no two of one quantile are alike."""
    return pauses[drawn & _PLACE] + np.int64((drawn >> _32) & _PLACE)
