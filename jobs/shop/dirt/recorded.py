"""Recorded rows: what arrives in the log of a rectangle of users and days, clean or dirty."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

from jobs.shop.dirt.bots import bot_events
from jobs.shop.dirt.faults import DAY, Faulty, Rows, spoil, stream_key
from jobs.shop.dirt.labels import (
    BOT,
    EVENTS,
    ORDERS,
    TRACKING_OUTAGE,
    Labels,
    join_labels,
    labels_of,
    no_labels,
)
from jobs.shop.events import Events, Orders, Rectangle, generate_orders, generate_rectangle
from jobs.shop.hashing import Stream, hash_long, high_half, threshold
from jobs.shop.ids import POSITION_BITS
from jobs.shop.world import World

_EPOCH = date(1970, 1, 1)
_EVENT_STREAMS = (Stream.EVENT_FAULT, Stream.EVENT_FAULT_SIZE)
_ORDER_STREAMS = (Stream.ORDER_FAULT, Stream.ORDER_FAULT_SIZE)


@dataclass(frozen=True, eq=False)
class Recorded(Rectangle):
    """Rows of a rectangle as they arrive, and what is wrong with them.

    A row belongs to the user and the day it truly happened to, whatever it says itself. Copies and
    bots come after the other rows.
    """

    labels: Labels


def recorded_rectangle(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> Recorded:
    """Make the rows of some users and days as they arrive.

    A pure function, as `generate_rectangle` is, with the same arguments and errors; in a clean
    world it gives the same rows.

    Returns
    -------
    Recorded
    """
    clean = generate_rectangle(world, user_from, user_to, day_from, day_to)
    if not world.is_dirty:
        return Recorded(clean.events, clean.orders, no_labels())
    is_tracked = _is_tracked(world, clean.events, day_from, day_to)
    arrived, copied, labels = _dirty_events(world, clean.events, is_tracked)
    bots = bot_events(
        world, user_from, user_to, world.day(day_from), world.day(day_to), clean.events
    )
    orders, order_labels = _dirty_orders(world, clean.orders)
    bot_labels = labels_of(EVENTS, bots.event_id, bots.user_id, bots.ts, BOT, 1)
    return Recorded(
        events=_joined(arrived, copied, bots),
        orders=orders,
        labels=join_labels([*labels, bot_labels, order_labels]),
    )


def recorded_orders(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> Orders:
    """Make the orders of `recorded_rectangle` alone, in half the time; same arguments."""
    clean = generate_orders(world, user_from, user_to, day_from, day_to)
    return _dirty_orders(world, clean)[0] if world.is_dirty else clean


def _is_tracked(
    world: World, events: Events, day_from: date, day_to: date
) -> NDArray[np.bool_] | None:
    """Tell which events are recorded; None where the days know no outage of the tracking."""
    outages = [
        outage
        for outage in world.settings.incidents.tracking_outages
        if outage.first < day_to and day_from < outage.end
    ]
    if not outages:
        return None
    is_tracked = np.ones(len(events.ts), dtype=bool)
    for outage in outages:
        start = (outage.first - _EPOCH).days * DAY
        rows = np.flatnonzero((events.ts >= start) & (events.ts < start + outage.days * DAY))
        # A session is lost or recorded as a whole, and of overlapping outages the worst counts.
        sessions = events.event_id[rows] >> POSITION_BITS
        chance = high_half(hash_long(sessions, stream_key(world, Stream.LOST_SESSION)))
        is_tracked[rows] &= chance >= threshold(outage.lost)
    return is_tracked


def _dirty_events(
    world: World, events: Events, is_tracked: NDArray[np.bool_] | None
) -> tuple[Events, Events, list[Labels]]:
    """Give events their faults: the events, the copies of some, and the labels."""
    rows = Rows(events.event_id, events.user_id, events.ts, events.ingest_ts, events.value)
    faulty = spoil(world, rows, world.settings.dirt.events, _EVENT_STREAMS, is_tracked)
    labels = [_fault_labels(EVENTS, rows, faulty)]
    arrived = _with_rows(events, faulty.rows)
    if is_tracked is not None:
        lost = _taken(events, ~is_tracked)
        labels.append(labels_of(EVENTS, lost.event_id, lost.user_id, lost.ts, TRACKING_OUTAGE, -1))
        arrived = _taken(arrived, is_tracked)
    return arrived, _with_rows(_taken(events, faulty.source), faulty.copied), labels


def _dirty_orders(world: World, orders: Orders) -> tuple[Orders, Labels]:
    rows = Rows(
        orders.order_id, orders.user_id, orders.ts, orders.ingest_ts, orders.amount_cents / 100
    )
    faulty = spoil(world, rows, world.settings.dirt.orders, _ORDER_STREAMS)
    parts = (faulty.rows, faulty.copied)
    value = np.concatenate([part.value for part in parts])
    return (
        Orders(
            order_id=np.concatenate([part.row_id for part in parts]),
            user_id=np.concatenate([part.user_id for part in parts]),
            ts=np.concatenate([part.ts for part in parts]),
            amount_cents=np.rint(value * 100).astype(np.int64),
            ingest_ts=np.concatenate([part.ingest_ts for part in parts]),
        ),
        _fault_labels(ORDERS, rows, faulty),
    )


def _fault_labels(table: int, rows: Rows, faulty: Faulty) -> Labels:
    at = faulty.position
    return labels_of(
        table, rows.row_id[at], rows.user_id[at], rows.ts[at], faulty.kind, faulty.copies
    )


def _with_rows(events: Events, rows: Rows) -> Events:
    """Take what faults change from `rows`, the rest from the events."""
    return Events(rows.row_id, rows.user_id, rows.ts, events.event_type, rows.value, rows.ingest_ts)


def _taken(events: Events, rows: NDArray) -> Events:
    return Events(*(getattr(events, field.name)[rows] for field in fields(Events)))


def _joined(*parts: Events) -> Events:
    return Events(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Events))
    )
