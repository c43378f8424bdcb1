"""Retention and funnel in closed form.

**Retention.** P(a visit on day s+n | signed up on day s), for every cohort s and lag n. A lifetime
is independent of behaviour, so the mass of a cohort needs no hazard axis: V(rate, conversion,
state) is carried as if nobody left, and

    P = P(alive after n days) sum V_z (1 - exp(-mu_z)),      P = 1 on the day of signup itself.

**Funnel.** The funnel table has windows of exact hours, whose truth is no finite sum. On whole
dates it is one:

- of sessions: the share with a cart filled, E[carts] / E[sessions], and orders per session with a
  cart, E[orders] / E[carts], both from the recursion in expectation.py (an order carried over
  from an earlier day's cart counts as an order, in a session without a cart);
- of users active on a date d: the share with a cart filled on the dates [d, d+7), and the share
  with an order on them. With M the mass on d after leaving and acting (and newcomers), the
  complement is the mass that is active on d without the event, and then has no event on the six
  dates after it: on d, exp(-mu p) - exp(-mu) (p the chance of the event per session; no event,
  less no visit), on the day of signup (1 - p) exp(-mu p); after it `outlook`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.shop.hashing import Float64Array
from jobs.shop.jit import compiled
from jobs.shop.truth.compiled import Tables, acted, compiled_tables, emitted, passages
from jobs.shop.truth.outlook import outlook
from jobs.shop.truth.process import arm_shares, process, survival
from jobs.shop.truth.steps import Event, Passage, act, day_visits, emit, passage
from jobs.shop.world import World


def retention(world: World, lags: int) -> Float64Array:
    """P(a visit on day s+n | signed up on day s, country, channel).

    Parameters
    ----------
    world : World
    lags : int
        The longest lag wanted, in days.

    Returns
    -------
    array, shape (days, lags + 1, countries, channels)
        By day of signup and lag; NaN on days the world does not know.
    """
    days = len(world.activity)
    countries, channels = world.segments.shares.shape
    tables = compiled_tables(process(world))
    active = np.zeros((countries, channels, days, lags + 1))
    _follow(active, tables)
    active *= survival(world, lags)
    active[..., 0] = 1.0
    beyond = np.add.outer(np.arange(days), np.arange(lags + 1)) >= days
    active[:, :, beyond] = np.nan
    return np.ascontiguousarray(active.transpose(2, 3, 0, 1))


@dataclass(frozen=True, eq=False)
class DateFunnel:
    """Users to expect active on a date, and of those with a cart and an order in the window."""

    active: float
    cart: float
    order: float


def date_funnel(world: World, mass_before: Float64Array, day: int, window: int = 7) -> DateFunnel:
    """Expect the funnel on whole dates of those active on a day.

    Parameters
    ----------
    world : World
        Must know the days [day, day + window).
    mass_before : array, shape (ARMS, countries, channels, rates, conversions, hazards, STATES)
        Users in each cell at the end of the day before: `Expectation.mass`.
    day, window : int

    Returns
    -------
    DateFunnel
        Numbers of users of the whole shop.
    """
    tables = process(world)
    old = act(tables, mass_before * (1 - world.leave.values[:, None]))
    new = _newcomers(world, day, tables.start)
    visits = day_visits(tables, day)[..., None, :]
    active = (old * (1 - np.exp(-visits))).sum() + new.sum()
    without = {}
    for event in (Event.CART, Event.ORDER):
        quiet = passage(tables, day, without=event)
        # No event, less no visit at all: the state of those who did not come is left out.
        none = np.exp(-visits[..., 0, :])
        later = Passage(quiet.stay - none, quiet.ordered, quiet.filled)
        left = emit(tables, old, later)
        left += emit(tables, new, passage(tables, day, without=event, is_signup=True))
        without[event] = (left * (1 - outlook(world, day + 1, window - 1, event))).sum()
    return DateFunnel(active, active - without[Event.CART], active - without[Event.ORDER])


def _newcomers(world: World, day: int, start: Float64Array) -> Float64Array:
    """Users who sign up on a day, by cell."""
    signups = world.first_user[day + 1] - world.first_user[day]
    return np.einsum(
        "a,ch,i,k,j,z->achikjz",
        signups * arm_shares(world)[day],
        world.segments.shares,
        world.rate.shares,
        world.conversion.shares,
        world.leave.shares,
        start,
    )


@compiled
def _follow(active: Float64Array, tables: Tables) -> None:
    """Carry every cohort on as if nobody left; groups do not mix, so each is finished in turn."""
    days, lags = active.shape[2], active.shape[3]
    for arm in range(tables.arm_share.shape[1]):
        if not tables.arm_share[:, arm].any():
            continue
        for country in range(tables.share.shape[0]):
            for channel in range(tables.share.shape[1]):
                for rate in range(len(tables.rate_share)):
                    for conversion in range(len(tables.conversion_share)):
                        weight = tables.rate_share[rate] * tables.conversion_share[conversion]
                        mass = np.zeros((days, 3))
                        for day in range(days):
                            outcome = tables.outcome[
                                tables.regime[day], arm, country, channel, conversion
                            ]
                            visits = tables.visits[channel, rate] * tables.activity[day]
                            start = (weight * tables.arm_share[day, arm]) * tables.start
                            _day(
                                active[country, channel],
                                mass,
                                (day, lags),
                                visits,
                                outcome,
                                start,
                                (tables.mission_start[channel, rate], tables.mission_end),
                                tables.goes_on,
                            )


@compiled
def _day(
    active: Float64Array,
    mass: Float64Array,
    place: tuple[int, int],
    visits: Float64Array,
    outcome: Float64Array,
    start: Float64Array,
    actions: tuple[float, float],
    goes_on: float,
) -> None:
    """Move the cohorts of one group, `mass` by day of signup and state, on by a day."""
    day, lags = place
    stay0, ordered0, filled0 = passages(visits[0], outcome[0], False)
    stay1, ordered1, filled1 = passages(visits[1], outcome[1], False)
    stay2, ordered2, filled2 = passages(visits[2], outcome[2], False)
    stay, ordered = (stay0, stay1, stay2), (ordered0, ordered1, ordered2)
    filled = (filled0, filled1, filled2)
    visit0, visit1 = 1 - np.exp(-visits[0]), 1 - np.exp(-visits[1])
    for cohort in range(max(0, day - lags + 1), day):
        now = acted((mass[cohort, 0], mass[cohort, 1], mass[cohort, 2]), *actions)
        active[cohort, day - cohort] += visit0 * now[0] + visit1 * (now[1] + now[2])
        after = emitted(now, stay, ordered, filled, goes_on)
        mass[cohort, 0], mass[cohort, 1], mass[cohort, 2] = after
    stay0, ordered0, filled0 = passages(visits[0], outcome[0], True)
    stay1, ordered1, filled1 = passages(visits[1], outcome[1], True)
    # Nobody signs up with an open cart.
    after = emitted(
        (start[0], start[1], 0.0),
        (stay0, stay1, 0.0),
        (ordered0, ordered1, 0.0),
        (filled0, filled1, 0.0),
        goes_on,
    )
    mass[day, 0], mass[day, 1], mass[day, 2] = after
