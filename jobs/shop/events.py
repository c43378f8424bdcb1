"""Events and orders of any rectangle of users and days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import special

from jobs.shop.behaviour import generate_sessions
from jobs.shop.hashing import (
    Float64Array,
    IntArray,
    Stream,
    counter,
    draw,
    high_half,
    low_half,
    unit,
)
from jobs.shop.layout import NO_CART, Layout, durations, write_events
from jobs.shop.sessions import CART, ORDER, Sessions
from jobs.shop.timing import delays, pauses, session_starts
from jobs.shop.users import Users, generate_visitors
from jobs.shop.world import World

# Room for a cart and an order within the 256 positions of an event_id; at 3.55 views on average
# one session in 10**29 would want more.
_MAX_VIEWS = 201


@dataclass(frozen=True, eq=False)
class Events:
    """Events in order of user, day, session and time, one entry each.

    Attributes
    ----------
    event_id, user_id : int arrays
    ts, ingest_ts : int arrays
        Microseconds since 1970-01-01 UTC.
    event_type : int array
        Position in `EVENT_TYPES`.
    value : array
        Worth of the basket at a cart or purchase, NaN at a view.
    """

    event_id: IntArray
    user_id: IntArray
    ts: IntArray
    event_type: NDArray[np.int8]
    value: Float64Array
    ingest_ts: IntArray


@dataclass(frozen=True, eq=False)
class Orders:
    """Orders, each the twin of a purchase event.

    Attributes
    ----------
    order_id, user_id : int arrays
        `order_id` is the ``event_id`` of the purchase.
    ts, ingest_ts : int arrays
        Microseconds since 1970-01-01 UTC.
    amount_cents : int array
    """

    order_id: IntArray
    user_id: IntArray
    ts: IntArray
    amount_cents: IntArray
    ingest_ts: IntArray


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Everything a range of users does in a range of days."""

    events: Events
    orders: Orders


def generate_rectangle(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> Rectangle:
    """Generate the rows of some users on some days.

    A pure function: any rectangle equals the same slice of any larger one.

    Parameters
    ----------
    world : World
    user_from, user_to : int
        User numbers, half-open; see `World.user_numbers`.
    day_from, day_to : date
        Half-open, within the world's days.

    Returns
    -------
    Rectangle

    Raises
    ------
    UsageError
        A day lies outside the world.
    """
    days = world.day(day_from), world.day(day_to)
    users = generate_visitors(world, user_from, user_to, *days)
    sessions = generate_sessions(world, users, *days)
    return _rectangle(world, users, sessions)


def generate_orders(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> Orders:
    """Generate the orders of a rectangle alone, in half the time of all its events.

    Equals ``generate_rectangle(...).orders``, and takes the same arguments.
    """
    days = world.day(day_from), world.day(day_to)
    users = generate_visitors(world, user_from, user_to, *days)
    sessions = generate_sessions(world, users, *days)
    # The sessions of one day make room for each other, so a day is kept whole or not at all.
    day_number = np.cumsum(sessions.number == 0) - 1
    has_order = np.zeros(len(day_number), dtype=bool)
    has_order[day_number[sessions.outcome >= ORDER]] = True
    return _rectangle(world, users, sessions.take(has_order[day_number])).orders


def _rectangle(world: World, users: Users, sessions: Sessions) -> Rectangle:
    epoch_day = sessions.day + world.first_epoch_day
    views, cart_position = _pages(world, users, sessions, epoch_day)
    has_cart = (sessions.outcome == CART) | (sessions.outcome == ORDER)
    has_order = sessions.outcome >= ORDER
    cents = _basket_cents(world, users, sessions, epoch_day, has_cart | has_order)
    laid_out = Layout(
        key=users.key[sessions.user],
        user_id=users.user_id[sessions.user],
        epoch_day=epoch_day,
        number=sessions.number,
        length=views + has_cart + has_order,
        cart_position=np.where(has_cart, cart_position, NO_CART),
        has_order=has_order,
        cents=cents,
    )
    settings = world.settings.sessions
    start = session_starts(world, users, sessions, durations(laid_out, pauses(settings)))
    events = Events(*write_events(laid_out, start, pauses(settings), delays(settings)))
    purchase = (np.cumsum(laid_out.length) - 1)[has_order]
    orders = Orders(
        order_id=events.event_id[purchase],
        user_id=events.user_id[purchase],
        ts=events.ts[purchase],
        amount_cents=cents[has_order],
        ingest_ts=events.ingest_ts[purchase],
    )
    return Rectangle(events, orders)


def _pages(
    world: World, users: Users, sessions: Sessions, epoch_day: IntArray
) -> tuple[IntArray, IntArray]:
    """Draw how many views a session has, 1 + geometric, and after which of them the cart comes."""
    draws = draw(users.key, sessions.user, counter(Stream.PAGES, epoch_day, sessions.number))
    chance = (high_half(draws) + 0.5) * 2.0**-32
    leaves_after_view = 1 / world.settings.sessions.views_mean
    more = np.floor(np.log(chance) / np.log1p(-leaves_after_view)).astype(np.int64)
    views = 1 + np.minimum(more, _MAX_VIEWS - 1)
    cart_position = 1 + ((low_half(draws).astype(np.int64) * views) >> 32)
    return views, cart_position


def _basket_cents(
    world: World,
    users: Users,
    sessions: Sessions,
    epoch_day: IntArray,
    has_basket: NDArray[np.bool_],
) -> IntArray:
    """Value the baskets: a filled cart shows what its order costs, or would have cost.

    A carried-over order is valued afresh, since what is bought days later is seldom exactly
    what was left in the cart.
    """
    rows = np.flatnonzero(has_basket)
    user = sessions.user[rows]
    counters = counter(Stream.BASKET, epoch_day[rows], sessions.number[rows])
    taste = special.ndtri(unit(draw(users.key, user, counters)))
    log_value = users.order_level[user] + world.settings.orders.log_value_sd_within * taste
    log_value += world.regimes.log_amount[world.regimes.of_day[sessions.day[rows]], users.arm[user]]
    cents = np.zeros(len(sessions.user), dtype=np.int64)
    cents[rows] = np.rint(np.exp(log_value) * 100).astype(np.int64)
    return cents
