"""Bots: scripts that look at hundreds of pages, a few seconds apart, on somebody's account."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from jobs.shop.dirt.faults import DAY, SECOND, stream_key
from jobs.shop.events import Events
from jobs.shop.hashing import (
    Float64Array,
    IntArray,
    Stream,
    hash_long,
    high_half,
    low_half,
    unit,
)
from jobs.shop.ids import event_ids, user_ids
from jobs.shop.layout import VIEW
from jobs.shop.timing import ingest_delays
from jobs.shop.world import World

# As in every event: the last two milliseconds of a day stay free, see timing.py.
_LAST = DAY - 2_001
_SESSION_VIEWS = 250


def bot_events(
    world: World, user_from: int, user_to: int, day_from: int, day_to: int, events: Events
) -> Events:
    """Make the events of the bots of a rectangle.

    A bot belongs to the account it uses, one of those signed up before its day, each as likely as
    any other. It stays away where the account has a session of its own on that day, so that a
    user and day are either a human's or a bot's.

    Parameters
    ----------
    world : World
    user_from, user_to : int
        User numbers, half-open.
    day_from, day_to : int
        Counted from the world's day 0, half-open.
    events : Events
        The clean events of the same rectangle.

    Returns
    -------
    Events
        In order of day, account and time.
    """
    day, account = _visits(world, day_from, day_to)
    mine = (account >= user_from) & (account < user_to)
    epoch_day = day[mine] + world.first_epoch_day
    user_id = user_ids(account[mine], world.seed)
    nothing = np.zeros(len(user_id), dtype=np.int64)
    first_ids = event_ids(user_id, epoch_day, nothing, nothing)
    free = ~np.isin(first_ids, _first_events(events, first_ids))
    return _views(world, user_id[free], epoch_day[free], first_ids[free])


def expected_bots(world: World, day_from: int, day_to: int) -> Float64Array:
    """How many bots start on each day, before those that find the owner there stay away."""
    per_user = world.settings.dirt.bots.per_1000_users / 1000
    factors = np.ones(day_to - day_from)
    when = [world.warmup_start + timedelta(days=day) for day in range(day_from, day_to)]
    for wave in world.settings.incidents.bot_waves:
        factors[[wave.covers(each) for each in when]] *= wave.factor
    return per_user * factors * world.first_user[day_from:day_to]


def _visits(world: World, day_from: int, day_to: int) -> tuple[IntArray, IntArray]:
    """Draw the bots of all users: day and account, each pair once."""
    days = np.arange(day_from, day_to)
    epoch_days = days + world.first_epoch_day
    rounding = unit(hash_long(epoch_days, stream_key(world, Stream.BOT_COUNT)))
    count = np.floor(expected_bots(world, day_from, day_to) + rounding).astype(np.int64)
    day = np.repeat(days, count)
    number = np.arange(len(day)) - np.repeat(np.cumsum(count) - count, count)
    draws = hash_long(np.repeat(epoch_days, count) << 32 | number, stream_key(world, Stream.BOT))
    account = np.floor(unit(draws) * world.first_user[day]).astype(np.int64)
    pairs = np.unique(np.stack([day, account]), axis=1)
    return pairs[0], pairs[1]


def _first_events(events: Events, wanted: IntArray) -> IntArray:
    """Those of the `wanted` ids, each the first of a user's day, that the events hold."""
    if not len(wanted):
        return wanted
    # Position and session are 0 in one event of five, which saves most of the comparing.
    first = events.event_id[(events.event_id & np.int64(0x1FFF)) == 0]
    ordered = np.sort(wanted)
    place = np.minimum(np.searchsorted(ordered, first), len(ordered) - 1)
    return first[ordered[place] == first]


def _views(world: World, user_id: IntArray, epoch_day: IntArray, first_ids: IntArray) -> Events:
    bots = world.settings.dirt.bots
    key = stream_key(world, Stream.BOT_VIEW)
    # Number 2**53 is no id, so a bot's own draw is none of its views'.
    draws = hash_long(first_ids | np.int64(1 << 53), key)
    fewest, most = bots.views
    length = fewest + ((low_half(draws).astype(np.int64) * (most - fewest + 1)) >> 32)
    bot = np.repeat(np.arange(len(length)), length)
    first = np.cumsum(length) - length
    number = np.arange(len(bot)) - first[bot]
    ids = event_ids(user_id[bot], epoch_day[bot], number // _SESSION_VIEWS, number % _SESSION_VIEWS)
    view_draws = hash_long(ids, key)
    shortest, longest = bots.pause_seconds
    seconds = shortest + high_half(view_draws) * 2.0**-32 * (longest - shortest)
    pause = (seconds * SECOND).astype(np.int64)
    pause[first] = 0
    elapsed = np.cumsum(pause)
    elapsed -= np.repeat(elapsed[first], length)
    duration = elapsed[first + length - 1]
    start = (high_half(draws) * 2.0**-32 * (_LAST - duration)).astype(np.int64)
    ts = (epoch_day * DAY + start)[bot] + elapsed
    return Events(
        event_id=ids,
        user_id=user_id[bot],
        ts=ts,
        event_type=np.full(len(ids), VIEW, dtype=np.int8),
        value=np.full(len(ids), np.nan),
        ingest_ts=ts + ingest_delays(world.settings.sessions, view_draws),
    )
