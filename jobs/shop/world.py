"""A world: one shop, fixed by its settings, size and seed, with everybody who ever signs up."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jobs.core.errors import UsageError
from jobs.shop.hashing import Float64Array, IntArray, Stream, counter, draw, unit, user_keys
from jobs.shop.ids import check_id_range
from jobs.shop.incident_settings import Traffic
from jobs.shop.population import (
    Segments,
    Slices,
    conversion_slices,
    leave_slices,
    rate_slices,
    segments,
)
from jobs.shop.regimes import Regimes, regimes, visit_drift
from jobs.shop.settings import CalendarSettings, ShopSettings

_EPOCH = date(1970, 1, 1)
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class World:
    """Everything a worker needs to make any row; a few dozen kilobytes.

    Days are counted from the first day of the warm-up: day 0 is `warmup_start`.

    Attributes
    ----------
    settings : ShopSettings
    world_id : str
        Short hash of settings, size and seed. Two worlds with one id have the same rows, also
        when one of them reaches further.
    seed : int
    planned_users, planned_days : int
        The size asked for: signups to expect over warm-up and days shown, and days shown.
    is_dirty : bool
        Whether the rows as they arrive carry the dirt of the settings; their clean twin is the
        same world without it.
    warmup_start, first_date, until : date
        First day simulated, first day shown, and the day after the last one known here.
    activity : array, shape (days,)
        Factor of each day on everybody's visits.
    regimes : Regimes
        What incidents do to everybody's chances on each day.
    first_user : int array, shape (days + 1,)
        Number of the first user who signs up on each day; the last entry is the user count.
    rate, leave, conversion : Slices
        The latent traits.
    segments : Segments
        Countries, channels and their effects.
    """

    settings: ShopSettings
    world_id: str
    seed: int
    planned_users: int
    planned_days: int
    is_dirty: bool
    warmup_start: date
    first_date: date
    until: date
    activity: Float64Array
    regimes: Regimes
    first_user: IntArray
    rate: Slices
    leave: Slices
    conversion: Slices
    segments: Segments

    @property
    def user_count(self) -> int:
        """How many users have signed up before `until`."""
        return int(self.first_user[-1])

    @property
    def first_epoch_day(self) -> int:
        """Days from 1970-01-01 to day 0."""
        return (self.warmup_start - _EPOCH).days

    def day(self, when: date) -> int:
        """Count days from `warmup_start` to a date in [`warmup_start`, `until`].

        Raises
        ------
        UsageError
            The date lies outside.
        """
        if not self.warmup_start <= when <= self.until:
            raise UsageError(
                f"{when} is outside this shop's days, {self.warmup_start} to "
                f"{self.until - timedelta(days=1)}; choose other days, or another first_date"
            )
        return (when - self.warmup_start).days

    def user_numbers(self, signup_from: date, signup_to: date) -> range:
        """Find the users who sign up on the days [signup_from, signup_to).

        Returns
        -------
        range
            User numbers, counted from 0 at `warmup_start` in order of signup.
        """
        bounds = self.first_user[[self.day(signup_from), self.day(signup_to)]]
        return range(int(bounds[0]), int(bounds[1]))


def build_world(
    settings: ShopSettings,
    users: int,
    days: int,
    seed: int,
    until: date,
    is_dirty: bool = False,
) -> World:
    """Lay out the calendar and the signup table of a shop.

    Parameters
    ----------
    settings : ShopSettings
    users : int
        Signups to expect over warm-up and `days` together; sets the shop's size.
    days : int
        Days shown, from `settings.first_date`.
    seed : int
        Signed 64-bit number; another seed is another shop.
    until : date
        The day after the last one wanted; it may lie before or after the end of `days`, and the
        users and rows of earlier days do not depend on it.
    is_dirty : bool
        False for the clean twin.

    Returns
    -------
    World

    Raises
    ------
    UsageError
        A count is not positive, or the days or users exceed what an ``event_id`` holds.
    """
    if users < 1 or days < 1:
        raise UsageError(f"a shop needs at least one user and one day, not {users} and {days}")
    if not -(2**63) <= seed < 2**63:
        raise UsageError(f"seed {seed} is not a signed 64-bit number")
    warmup_start = settings.first_date - timedelta(days=settings.warmup_days)
    if until <= warmup_start:
        raise UsageError(f"this shop opens on {warmup_start}; the days must end after that")
    check_id_range(warmup_start, until - timedelta(days=1), users)
    planned = settings.warmup_days + days
    known = (until - warmup_start).days
    # Both from one table, so that the expectation of a day is the same number in every world.
    reach = max(planned, known)
    incidents = settings.incidents
    activity = activity_factors(settings.calendar, incidents.traffic, warmup_start, reach)
    expected = np.exp(settings.growth_per_day * np.arange(reach)) * activity
    expected *= users / expected[:planned].sum()
    first_user = _first_users(expected[:known], seed, warmup_start)
    check_id_range(warmup_start, until - timedelta(days=1), int(first_user[-1]))
    return World(
        settings=settings,
        world_id=_world_id(settings, users, days, seed, is_dirty),
        seed=seed,
        planned_users=users,
        planned_days=days,
        is_dirty=is_dirty,
        warmup_start=warmup_start,
        first_date=settings.first_date,
        until=until,
        activity=(activity * visit_drift(incidents, warmup_start, reach))[:known],
        regimes=regimes(incidents, tuple(settings.channels), warmup_start, known),
        first_user=first_user,
        rate=rate_slices(settings.mixture),
        leave=leave_slices(settings.mixture),
        conversion=conversion_slices(settings.mixture),
        segments=segments(settings),
    )


def activity_factors(
    calendar: CalendarSettings, traffic: tuple[Traffic, ...], first: date, days: int
) -> Float64Array:
    """Compute the factor of each day on everybody's visits, and on signups.

    Parameters
    ----------
    calendar : CalendarSettings
    traffic : tuple of Traffic
        Promotions and outages; where two overlap, both count.
    first : date
    days : int

    Returns
    -------
    array, shape (days,)
        Weekday x yearly wave x peaks x promotions and outages.
    """
    dates = [first + timedelta(days=offset) for offset in range(days)]
    day_of_year = np.array([when.timetuple().tm_yday - 1 for when in dates], dtype=np.float64)
    factors = np.array(calendar.weekdays)[[when.weekday() for when in dates]]
    turn = 2 * np.pi * (day_of_year - calendar.season_day_of_year) / _DAYS_PER_YEAR
    factors = factors * (1 + calendar.season_amplitude * np.cos(turn))
    peaks = np.zeros(days)
    for peak in calendar.peaks:
        distance = (day_of_year - peak.day_of_year) / peak.sd_days
        peaks += peak.height * np.exp(-0.5 * distance**2)
    factors = factors * (1 + peaks)
    for stretch in traffic:
        factors[[stretch.covers(when) for when in dates]] *= stretch.visits
    return factors


def _first_users(expected: Float64Array, seed: int, warmup_start: date) -> IntArray:
    """Round each day's expected signups by a draw of that day, and number the users on.

    A day's count depends on that day alone, so a later end of the table changes no row.
    """
    epoch_days = (warmup_start - _EPOCH).days + np.arange(len(expected))
    # No user has number -1, so these draws belong to nobody else.
    draws = draw(
        user_keys(seed, [-1]),
        np.zeros(len(expected), dtype=np.intp),
        counter(Stream.SIGNUPS, epoch_days),
    )
    signups = np.floor(expected + unit(draws)).astype(np.int64)
    return np.concatenate([[0], np.cumsum(signups)])


def _world_id(settings: ShopSettings, users: int, days: int, seed: int, is_dirty: bool) -> str:
    """Hash what fixes the rows; `until` is left out, since it only says how many are known."""
    content = {
        "settings": dataclasses.asdict(settings),
        "users": users,
        "days": days,
        "seed": seed,
        "is_dirty": is_dirty,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
