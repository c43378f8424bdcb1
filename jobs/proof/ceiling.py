"""How well anyone could foretell a synthetic shop's users: the ceiling for every model.

The history oracle knows the process and what the log shows of a user, no more; nothing learned
from the same log can be better, but by chance. The clairvoyant knows each user's traits and state
too, which no log shows. Both speak of the clean shop: faults of the log are not held against them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from jobs.core.building.flow import calendar
from jobs.shop.behaviour import generate_sessions
from jobs.shop.stored import stored_world
from jobs.shop.truth.daily import TABLE
from jobs.shop.truth.outlook import clairvoyant
from jobs.shop.truth.steps import Event
from jobs.shop.users import Users, generate_users

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from jobs.core.entry import Run
    from jobs.propensity.features import Sample
    from jobs.propensity.targets import Target
    from jobs.shop.world import World

    Floats = NDArray[np.float64]

ORACLE, CLAIRVOYANT = "history_oracle", "clairvoyant"
_BLOCK_USERS = 16_384
# Chances of exactly 0 or 1, as of who has left for good, have no logarithm.
_EDGE = 1e-9


def ceiling_of(run: Run) -> Callable[[Sample, Target], dict[str, Floats]] | None:
    """Give the function that judges rows of a run's shop; None where its truth is not known.

    That is for a team's own log, and where days are dates of another zone than the shop's.

    Raises
    ------
    UsageError
        The settings are others than those the shop was made with.
    """
    world = known_world(run)
    if world is None:
        return None
    first, _ = calendar(run.warehouse)
    observed_from = world.day(first)
    return lambda sample, target: foretell(world, sample, target, observed_from)


def known_world(run: Run) -> World | None:
    """Build the world of a run's shop again; None where its truth is not known: see `ceiling_of`.

    Raises
    ------
    UsageError
        The settings are others than those the shop was made with.
    """
    if not run.warehouse.exists(TABLE) or run.config.metrics.tz != "UTC":
        return None
    return stored_world(run.warehouse, run.config)


def foretell(world: World, sample: Sample, target: Target, observed_from: int) -> dict[str, Floats]:
    """Probability of the label of each row, by oracle and clairvoyant.

    Parameters
    ----------
    world
        Must know the horizon of the last row.
    sample
        Rows of users of this world.
    observed_from
        First day of the log, counted from the world's day 0.

    Returns
    -------
    dict
        By name, one probability per row.

    Raises
    ------
    ValueError
        A row is of nobody in this world.
    """
    # The compiler behind the oracle takes a while to start, and few runs are synthetic.
    from jobs.shop.truth.oracle import forecast, history_of

    epoch = np.datetime64(world.warmup_start, "D")
    row_day = (sample.as_of.astype("datetime64[D]") - epoch).astype(np.int64)
    days = np.unique(row_day).tolist()
    event = Event.ORDER if target.kind == "purchase" else Event.ACTIVE
    horizon = target.horizon_days
    found = {name: np.full(len(sample), np.nan) for name in (ORACLE, CLAIRVOYANT)}
    by_user = np.argsort(sample.user_id, kind="stable")
    for start in range(0, int(world.first_user[days[-1]]), _BLOCK_USERS):
        everyone = generate_users(
            world, start, min(start + _BLOCK_USERS, int(world.first_user[days[-1]]))
        )
        users = _taken(everyone, np.isin(everyone.user_id, sample.user_id))
        if not len(users.key):
            continue
        sessions = generate_sessions(world, users, observed_from, days[-1])
        told = forecast(world, history_of(users, sessions), days, observed_from, horizon, horizon)
        chances = told.order if event is Event.ORDER else told.active
        first = np.searchsorted(sample.user_id[by_user], users.user_id, "left")
        end = np.searchsorted(sample.user_id[by_user], users.user_id, "right")
        rows = by_user[_ranges(first, end)]
        who = np.repeat(np.arange(len(users.key)), end - first)
        found[ORACLE][rows] = chances[who, np.searchsorted(days, row_day[rows])]
        for day in days:
            today = row_day[rows] == day
            knowing = clairvoyant(world, users, day, horizon, event)
            found[CLAIRVOYANT][rows[today]] = knowing[who[today]]
    if any(np.isnan(chances).any() for chances in found.values()):
        raise ValueError("rows of users that are not of this world")
    sign = (lambda p: 1 - p) if target.kind == "churn" else (lambda p: p)
    return {name: np.clip(sign(p), _EDGE, 1 - _EDGE) for name, p in found.items()}


def _taken(users: Users, rows: NDArray[np.bool_]) -> Users:
    fields = {f.name: getattr(users, f.name)[rows] for f in dataclasses.fields(users)}
    return Users(**fields)


def _ranges(first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate the ranges [first, end)."""
    lengths = end - first
    offsets = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(first - offsets, lengths)
