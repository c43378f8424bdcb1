"""What to expect of every day, country and channel, with its spread: a forward recursion.

The mass M[arm, country, channel, rate, conversion, hazard, state] of users is carried from day to
day. Of a day with n newcomers (the signup table is part of the world, so n is known exactly):

    leave:   M <- M (1 - theta_j)
    act:     M <- M (1 - on_i - off) + on_i tot e_mission + off tot e_dormant
    expect:  old M and newcomers n w (1 - zeta, zeta, 0) with the moments of moments.py
    visit:   M + newcomers <- emission of process.py; on the day of signup with one session more,
             so P(no order) = (1 - q) exp(-mu q) and P(nothing) = (1 - q - a) exp(-mu (q + a))

Since users are independent and those who signed up on one day are alike,

    Var(total) = sum_u E[X_u^2] - sum_u E[X_u]^2.

The last sum is exact for newcomers, n E[X]^2. For the N users from earlier days it is at least
(sum_u E[X_u])^2 / N, by Jensen's inequality: so a standard deviation given here is an upper bound,
and close, because a user-day seldom has anything in it and E[X^2] is far above E[X]^2. Third
central moments take those users as alike in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.truth.compiled import compiled_tables
from jobs.shop.truth.moments import amount_moments
from jobs.shop.truth.process import STATES, process
from jobs.shop.truth.recursion import MEASURES, SIGNUPS, carry
from jobs.shop.world import World


@dataclass(frozen=True, eq=False)
class Expectation:
    """Sums over users of their raw moments, by day, country, channel, measure and power 1, 2, 3.

    Attributes
    ----------
    world : World
    old, new : arrays, shape (days, countries, channels, measures, 3)
        Of users who signed up on earlier days, and on the day itself.
    mass : dict of arrays, shape (ARMS, countries, channels, rates, conversions, hazards, STATES)
        Users to expect in each cell at the end of the days asked for.
    """

    world: World
    old: Float64Array
    new: Float64Array
    mass: dict[int, Float64Array]

    @property
    def mean(self) -> Float64Array:
        """Expectations, shape (days, countries, channels, measures)."""
        return self.old[..., 0] + self.new[..., 0]

    @property
    def sd(self) -> Float64Array:
        """Standard deviations, shape (days, countries, channels, measures); an upper bound."""
        days = (slice(None), None, None, None)
        signups = np.diff(self.world.first_user)[days]
        before = self.world.first_user[:-1][days]
        return np.sqrt(_central(self.old, before)[0] + _central(self.new, signups)[0])

    def mass_before(self, day: int) -> Float64Array:
        """Mass at the end of the day before; nobody is there before the world's day 0."""
        if day > 0:
            return self.mass[day - 1]
        shape = process(self.world).group_shape
        return np.zeros((*shape, len(self.world.leave.values), STATES))

    def whole_shop(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Mean, standard deviation and skewness of the whole shop's days.

        A user is in one segment only, so the shop's variance is not the sum of its segments'.

        Returns
        -------
        tuple of arrays, shape (days, measures)
            The skewness is 0 where nothing varies.
        """
        signups = np.diff(self.world.first_user)[:, None]
        before = self.world.first_user[:-1][:, None]
        old, new = self.old.sum(axis=(1, 2)), self.new.sum(axis=(1, 2))
        variance, third = np.add(_central(old, before), _central(new, signups))
        sd = np.sqrt(variance)
        skewness = np.divide(third, sd**3, out=np.zeros_like(sd), where=sd > 0)
        return old[..., 0] + new[..., 0], sd, skewness


def expectation(world: World, mass_of: Sequence[int] = ()) -> Expectation:
    """Carry the mass through all days of a world.

    Parameters
    ----------
    world : World
    mass_of : sequence of int, optional
        Days, counted from the world's day 0, whose mass at their end is to be kept.

    Returns
    -------
    Expectation
    """
    tables = process(world)
    days = len(world.activity)
    countries, channels = world.segments.shares.shape
    kept = np.full(days, -1)
    kept[list(mass_of)] = np.arange(len(mass_of))
    old = np.zeros((days, countries, channels, len(MEASURES), 3))
    new = np.zeros_like(old)
    mass = np.zeros((len(mass_of), *tables.group_shape, len(world.leave.values), STATES))
    signups = np.diff(world.first_user).astype(np.float64)
    carry(old, new, mass, kept, signups, compiled_tables(tables), amount_moments(world))
    # Who signs up is fixed; in which segment is not.
    new[..., SIGNUPS, :] = signups[:, None, None, None] * world.segments.shares[None, :, :, None]
    return Expectation(world, old, new, dict(zip(mass_of, mass, strict=True)))


def _central(raw: Float64Array, users: IntArray) -> tuple[Float64Array, Float64Array]:
    """Second and third central moments of a sum over users who are taken as alike."""
    one, two, three = raw[..., 0], raw[..., 1], raw[..., 2]
    mean = one / np.maximum(users, 1)
    variance = two - one * mean
    # Rounding leaves a certainty, such as everybody's visit on signing up, just off zero.
    return np.where(variance > 1e-9 * two, variance, 0.0), (
        three - 3 * two * mean + 2 * one * mean**2
    )
