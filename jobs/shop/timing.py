"""When things happen: pauses within a session, starts within a day, delays until a record."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

from jobs.core.errors import UsageError
from jobs.shop.hashing import Float64Array, IntArray, UInt64Array, low_half
from jobs.shop.sessions import Sessions
from jobs.shop.settings import SessionSettings
from jobs.shop.users import Users
from jobs.shop.world import World

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# No event after 23:59:59.998: Delta keeps file statistics to the millisecond, rounded up, and a
# last millisecond that reaches midnight makes every query of a day read the day before as well.
_LAST = _DAY - 2_001
# A session ends after more than 30 minutes without an event.
_SPACING = 1_801 * _SECOND

# Quantiles of a distribution, chosen by 16 bits of a draw.
TABLE_SIZE = 1 << 16


def session_starts(world: World, users: Users, sessions: Sessions, duration: IntArray) -> IntArray:
    """Place sessions in time.

    Two sessions of a user are more than 30 minutes or a date apart, and no session crosses
    midnight UTC.

    Parameters
    ----------
    world : World
    users : Users
    sessions : Sessions
        All sessions of each user and day that occurs.
    duration : int array, one entry per session
        Microseconds from first to last event.

    Returns
    -------
    int array, one entry per session
        Microseconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        The settings ask for more than fits into a day.
    """
    start = _starts(world, users, sessions, duration)
    return start + (sessions.day + world.first_epoch_day) * _DAY


def ingest_delays(settings: SessionSettings, draws: UInt64Array) -> IntArray:
    """Draw the microseconds from event to record, lognormal, from bits 16-31 of the events."""
    return delays(settings)[((draws >> np.uint64(16)) & np.uint64(TABLE_SIZE - 1)).astype(np.int64)]


@cache
def pauses(settings: SessionSettings) -> IntArray:
    """Tabulate the quantiles of the pause before an event, in microseconds, below 30 minutes."""
    seconds = _lognormal_quantiles(settings.pause_median_seconds, settings.pause_log_sd)
    return _micros(np.minimum(seconds, settings.pause_cap_minutes * 60))


@cache
def delays(settings: SessionSettings) -> IntArray:
    """Tabulate the quantiles of the delay from event to record, in microseconds."""
    return _micros(_lognormal_quantiles(settings.ingest_median_seconds, settings.ingest_log_sd))


def _starts(world: World, users: Users, sessions: Sessions, duration: IntArray) -> IntArray:
    """Draw when sessions start, in microseconds after midnight UTC."""
    hour_chance = low_half(sessions.draw) * 2.0**-32
    local = np.interp(hour_chance, *_hour_curve(world.settings.sessions))
    offset = world.segments.utc_offset_seconds[users.country[sessions.user]]
    start = np.mod(local - offset, 86_400) * _SECOND
    # Shrinking the day by the session's length keeps it off midnight without a heap before it.
    start = (start * (1 - (duration + _DAY - _LAST) / _DAY)).astype(np.int64)
    _separate(start, sessions, duration)
    if len(start) and start.min() < 0:
        raise UsageError(
            "the sessions of one user and day do not fit into 24 hours; lower "
            "shop.behaviour.sessions_per_day_cap or shop.sessions.pause_median_seconds"
        )
    return start


def _separate(start: IntArray, sessions: Sessions, duration: IntArray) -> None:
    """Sort the starts of each user and day, push sessions apart, fold them back from midnight."""
    several = np.flatnonzero(sessions.of_day > 1)
    first = several[sessions.number[several] == 0]
    group = np.repeat(first, sessions.of_day[first])
    start[several] = start[several][np.lexsort((start[several], group))]
    most = int(sessions.of_day.max(initial=0))
    for number in range(1, most):
        later = first[sessions.of_day[first] > number] + number
        free_from = start[later - 1] + duration[later - 1] + _SPACING
        start[later] = np.maximum(start[later], free_from)
    start[several] = np.minimum(start[several], _LAST - duration[several])
    for number in range(most - 1, 0, -1):
        later = first[sessions.of_day[first] > number] + number
        free_to = start[later] - _SPACING - duration[later - 1]
        start[later - 1] = np.minimum(start[later - 1], free_to)


def _hour_curve(settings: SessionSettings) -> tuple[Float64Array, Float64Array]:
    """Cumulative share of the visits against seconds of the local day, at the full hours."""
    weights = np.array([0.0, *settings.hour_weights])
    return np.cumsum(weights) / weights.sum(), np.linspace(0.0, 86_400.0, 25)


def _lognormal_quantiles(median: float, log_sd: float) -> Float64Array:
    """Tabulate the midpoints of 2**16 equal slices: one look-up per event, and no exp or log."""
    chances = (np.arange(TABLE_SIZE) + 0.5) / TABLE_SIZE
    return median * np.exp(log_sd * special.ndtri(chances))


def _micros(seconds: Float64Array) -> IntArray:
    return np.rint(seconds * _SECOND).astype(np.int64)
