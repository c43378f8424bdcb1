"""Rows of the synthetic shop as Arrow batches, in the column types of the tables."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from jobs.core.columns import plain_strings
from jobs.shop.dirt.arrow import lost_countries
from jobs.shop.dirt.recorded import Recorded, recorded_orders, recorded_rectangle
from jobs.shop.events import Orders
from jobs.shop.hashing import IntArray
from jobs.shop.layout import EVENT_TYPES
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_DAY_MICROS = 86_400_000_000


def event_batch(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> pa.RecordBatch:
    """Make the events of a rectangle; columns of bronze_events without source and batch_id."""
    return plain_strings(
        event_rows(recorded_rectangle(world, user_from, user_to, day_from, day_to))
    )


def order_batch(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> pa.RecordBatch:
    """Make the orders of a rectangle; columns of bronze_orders without source and batch_id."""
    return _order_rows(recorded_orders(world, user_from, user_to, day_from, day_to))


def event_rows(recorded: Recorded) -> pa.RecordBatch:
    """Put a rectangle's events into columns; event_type is a dictionary."""
    events = recorded.events
    event_type = pa.DictionaryArray.from_arrays(pa.array(events.event_type), EVENT_TYPES)
    return pa.record_batch(
        {
            "event_id": pa.array(events.event_id),
            "user_id": pa.array(events.user_id),
            "ts": _timestamps(events.ts),
            "event_type": event_type,
            "value": pa.array(events.value, mask=np.isnan(events.value)),
            "ingest_ts": _timestamps(events.ingest_ts),
        }
    )


def order_rows(recorded: Recorded) -> pa.RecordBatch:
    """Put a rectangle's orders into columns."""
    return _order_rows(recorded.orders)


def user_batch(world: World, user_from: int, user_to: int) -> pa.RecordBatch:
    """Make users; columns of bronze_users without source and batch_id."""
    return plain_strings(user_rows(world, generate_users(world, user_from, user_to)))


def user_rows(world: World, users: Users) -> pa.RecordBatch:
    """Put users into columns; country and channel are dictionaries."""
    epoch_day = users.signup_day + world.first_epoch_day
    country = pa.array(users.country, mask=lost_countries(world, users.user_id))
    names = world.segments
    return pa.record_batch(
        {
            "user_id": pa.array(users.user_id),
            "signup_date": _dates(epoch_day),
            "country": pa.DictionaryArray.from_arrays(country, names.country_names.tolist()),
            "channel": pa.DictionaryArray.from_arrays(users.channel, names.channel_names.tolist()),
            "ingest_ts": _timestamps(epoch_day * _DAY_MICROS),
        }
    )


def _order_rows(orders: Orders) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "order_id": pa.array(orders.order_id),
            "user_id": pa.array(orders.user_id),
            "ts": _timestamps(orders.ts),
            "amount": _decimals(orders.amount_cents),
            "ingest_ts": _timestamps(orders.ingest_ts),
        }
    )


def _timestamps(micros: IntArray) -> pa.Array:
    return pa.array(micros).cast(_TIMESTAMP)


def _dates(epoch_days: IntArray) -> pa.Array:
    return pa.array(epoch_days.astype(np.int32)).cast(pa.date32())


def _decimals(cents: IntArray) -> pa.Array:
    """Turn cents into DECIMAL(18,2) without a float in between: 128-bit words, sign extended."""
    words = np.stack([cents, cents >> 63], axis=1)
    buffers = [None, pa.py_buffer(np.ascontiguousarray(words))]
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), buffers)
