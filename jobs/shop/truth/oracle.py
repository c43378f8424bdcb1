"""The history oracle: what a log tells of a user, and no more; the ceiling for every model.

A Bayes filter over all a log does not show, rate i, conversion k, hazard j and state z, given what
it does: day of signup, country, channel, arms, and each session with its day, its place within the
day and what came of it (orders undone as repeats look like what is left of them). Per day:

    leave, act as in process.py;
    n sessions: Poisson pmf of n, on the day of signup of n - 1, at mu_z, times for each session
    the chance of its outcome: o order with cart, c carried order, a cart only, 1 - o - c - a
    neither; and after the day's first order, of which every further one stands with chance omega,
        omega o, omega c, a + (1 - omega) o, 1 - o - c - a + (1 - omega) c;
    the state after it is known from the outcomes, but for what follows an order.

**The hazard needs no axis.** A lifetime is independent of all behaviour. With S(n) = sum_j w_j
(1 - theta_j)^n, a vector v over (i, k, z) carried as if nobody left, and V its sum, the weight of
being alive after n days is S(n) V. Leaving on day n + 1 of life weighs (S(n) - S(n+1)) V; a session
rules out having left before it, so only the days since the last one are added up. That leaves 288
numbers per user and day where the full grid has 2304. Weights are scaled to 1 every day.

Days before `observed_from` are not in the log: they pass with whatever may have happened.

**Looking ahead** from the end of day T-1, with f_m of outlook.py averaged over v and n the user's
days of life so far, P(event on [T, T+H)) = sum_{m < H} S(n+m+1) f_m / (S(n) V + left).

Its own checks: the log-loss of such probabilities equals their entropy on average, and no model
that uses the same log has a lower one, but by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.sessions import Sessions
from jobs.shop.truth.filtering import filter_users
from jobs.shop.truth.groups import group_tables
from jobs.shop.truth.outlook import first_event_days
from jobs.shop.truth.process import process, survival
from jobs.shop.truth.steps import Event
from jobs.shop.users import Users
from jobs.shop.world import World


@dataclass(frozen=True, eq=False)
class History:
    """What a log shows of users.

    Attributes
    ----------
    signup_day, country, channel, arm : int arrays, one entry per user
        As in `Users`.
    first_session : int array, shape (users + 1,)
        Position of each user's first session; the last entry is the session count.
    session_day : int array, one entry per session
        Sessions in order of user, day and number.
    outcome : array of int8
        As in `Sessions`, repeats of an order undone.
    """

    signup_day: IntArray
    country: IntArray
    channel: IntArray
    arm: IntArray
    first_session: IntArray
    session_day: IntArray
    outcome: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Forecast:
    """P(an order) and P(a visit) ahead, shape (users, days); NaN before a user's signup."""

    order: Float64Array
    active: Float64Array


def history_of(users: Users, sessions: Sessions) -> History:
    """Collect what a log shows of a block of users from what was generated for them.

    Parameters
    ----------
    users : Users
    sessions : Sessions
        Of these users.

    Returns
    -------
    History
    """
    return History(
        signup_day=users.signup_day,
        country=users.country,
        channel=users.channel,
        arm=users.arm,
        first_session=np.searchsorted(sessions.user, np.arange(len(users.key) + 1)),
        session_day=sessions.day,
        outcome=sessions.outcome,
    )


def forecast(
    world: World,
    history: History,
    days: Sequence[int],
    observed_from: int = 0,
    order_horizon: int = 7,
    active_horizon: int = 14,
) -> Forecast:
    """Tell P(an order on [T, T + 7)) and P(a visit on [T, T + 14)) given the log before T.

    Parameters
    ----------
    world : World
        Must know the days looked ahead to.
    history : History
        Sessions on or after the last of `days` are not looked at.
    days : sequence of int
        Every T, rising, counted from the world's day 0.
    observed_from : int
        First day of the log; sessions before it must not be in it.
    order_horizon, active_horizon : int
        Days to look ahead.

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        A user has no session on a day of signup that the log shows, or one before signing up.
    """
    _refuse_impossible(history, observed_from, days[-1])
    tables = process(world)
    alive = survival(world, int(days[-1]) + max(order_horizon, active_horizon))
    order_ahead, active_ahead = (
        np.stack([first_event_days(world, day, horizon, event) for day in days])
        for event, horizon in ((Event.ORDER, order_horizon), (Event.ACTIVE, active_horizon))
    )
    result = np.full((2, len(history.signup_day), len(days)), np.nan)
    shape = order_ahead.shape[1:4]
    group = np.ravel_multi_index((history.arm, history.country, history.channel), shape)
    by_group = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[by_group], prepend=-1, append=-1))
    for start, end in pairwise(bounds):
        arm, country, channel = np.unravel_index(group[by_group[start]], shape)
        filter_users(
            result,
            by_group[start:end],
            history.signup_day,
            history.first_session,
            history.session_day,
            history.outcome,
            np.array(days, dtype=np.int64),
            group_tables(tables, int(arm), int(country), int(channel), observed_from),
            _by_cell(order_ahead[:, arm, country, channel]),
            _by_cell(active_ahead[:, arm, country, channel]),
            alive,
        )
    return Forecast(order=result[0], active=result[1])


def _by_cell(first: Float64Array) -> Float64Array:
    """From (days, rates, conversions, 3, horizon) to (days, horizon, 3, cells)."""
    cells = first.reshape(first.shape[0], -1, *first.shape[3:])
    return np.ascontiguousarray(cells.transpose(0, 3, 2, 1))


def _refuse_impossible(history: History, observed_from: int, until: int) -> None:
    """A log in which somebody signs up without a visit is not of this process."""
    user = np.repeat(np.arange(len(history.signup_day)), np.diff(history.first_session))
    early = history.session_day < np.maximum(history.signup_day[user], observed_from)
    if early.any():
        raise ValueError("a session lies before its user's signup or before the log begins")
    on_signup = np.zeros(len(history.signup_day), dtype=bool)
    on_signup[user[history.session_day == history.signup_day[user]]] = True
    is_seen = (history.signup_day >= observed_from) & (history.signup_day < until)
    if not on_signup[is_seen].all():
        raise ValueError("a user has no session on the day of signup")
