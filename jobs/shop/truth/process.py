"""The process behind the rows, laid out as tables: what each kind of user does on each day.

Axes, in this order wherever they appear: arm of the experiments, country, channel, rate slice,
conversion slice, (hazard slice,) state. All but the hazard make up a *group*. The hazard is an
axis of its own because it touches nothing else: a lifetime is drawn apart from all behaviour, so
whoever is alive after n days of life behaves as if nobody ever left, and

    P(alive after n days) = sum_j w_j (1 - theta_j)^n

multiplies whatever was reckoned without leaving.

A day goes: leave, act (start or end a mission), visit. With Poisson(mu) visits, each of which
orders with chance q (with a new cart or a carried one) or only fills a cart with chance a,
the numbers of visits of each outcome are independent Poisson variables. So

    P(no visit) = exp(-mu), P(no order) = exp(-mu q), P(nothing) = exp(-mu (q + a)),

and after the day an order leads to a mission with chance kappa, else to dormancy; a cart without
an order to the open cart; nothing leaves the state as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from jobs.shop.chances import chances
from jobs.shop.hashing import Float64Array
from jobs.shop.regimes import ARMS, CONTACTED, OTHER_PRICE, has
from jobs.shop.world import World, build_world

STATES = 3


@dataclass(frozen=True, eq=False)
class Process:
    """A world's chances by the axes of this module.

    Attributes
    ----------
    world : World
    visits : array, shape (channels, rates, STATES)
        Sessions to expect on a day of activity 1.
    mission_start : array, shape (channels, rates)
        Daily chance of a fresh mission.
    outcome : array, shape (regimes, ARMS, countries, channels, conversions, STATES, 3)
        Chance of a session with cart and order, with a carried-over order, with a cart only.
    start : array, shape (STATES,)
        States on the day of signup.
    """

    world: World
    visits: Float64Array
    mission_start: Float64Array
    outcome: Float64Array
    start: Float64Array

    @property
    def group_shape(self) -> tuple[int, ...]:
        """Arms, countries, channels, rates, conversions."""
        _, arms, countries, channels, conversions = self.outcome.shape[:5]
        return arms, countries, channels, self.visits.shape[1], conversions


def process(world: World) -> Process:
    """Lay out a world's chances by group."""
    table = chances(world)
    rates, channels = len(world.rate.values), len(world.segments.channel_names)
    conversions, countries = len(world.conversion.values), len(world.segments.country_names)
    visits = table.visits.reshape(rates, channels, 2).transpose(1, 0, 2)
    outcome = table.outcome.reshape(-1, ARMS, conversions, countries, channels, STATES, 3)
    starts = world.settings.behaviour.starts_in_mission
    return Process(
        world=world,
        # A mission brings the same visits with and without an open cart.
        visits=np.ascontiguousarray(visits[..., [0, 1, 1]]),
        mission_start=np.ascontiguousarray(table.mission_start.reshape(rates, channels).T),
        outcome=np.ascontiguousarray(outcome.transpose(0, 1, 3, 4, 2, 5, 6)),
        start=np.array([1 - starts, starts, 0.0]),
    )


def arm_shares(world: World) -> Float64Array:
    """Tell which share of those who sign up on a day is in which arm, shape (days, ARMS).

    The two coins are independent; the campaign's is flipped for those who signed up before it.
    """
    days = len(world.activity)
    shares = np.ones((days, ARMS))
    incidents = world.settings.incidents
    contacted, other_price = np.zeros((days, 1)), 0.0
    if incidents.campaign is not None:
        first_day = (incidents.campaign.first - world.warmup_start).days
        contacted[np.arange(days) < first_day] = incidents.campaign.treated_share
    if incidents.price_test is not None:
        other_price = incidents.price_test.treated_share
    shares *= np.where(has(CONTACTED), contacted, 1 - contacted)
    return shares * np.where(has(OTHER_PRICE), other_price, 1 - other_price)


def survival(world: World, days: int) -> Float64Array:
    """P(alive after n days of life) of a newcomer, n = 0..days, shape (days + 1,)."""
    keep = 1 - world.leave.values
    return np.power.outer(keep, np.arange(days + 1)).T @ world.leave.shares


def known_until(world: World, until: date) -> World:
    """The same world, known at least to `until`; the days known before stay as they are.

    Raises
    ------
    UsageError
        No id could hold a row of those days.
    """
    if until <= world.until:
        return world
    return build_world(
        world.settings,
        world.planned_users,
        world.planned_days,
        world.seed,
        until=until,
        is_dirty=world.is_dirty,
    )
