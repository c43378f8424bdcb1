"""Probabilities of users against what became of them: the clairvoyant and the history oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jobs.proof.findings import Finding
from jobs.proof.truth_statistics import (
    FEW,
    LIMIT,
    Floats,
    single,
    surprise,
    too_few,
    worst,
)
from jobs.shop.behaviour import generate_sessions
from jobs.shop.sessions import CART, Sessions
from jobs.shop.truth.outlook import clairvoyant
from jobs.shop.truth.steps import Event
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World

if TYPE_CHECKING:
    from jobs.proof.truth_observed import Observed

ORDER_DAYS, ACTIVE_DAYS = 7, 14
# Users are drawn in blocks of consecutive signups, spread over all who ever signed up.
_BLOCK_USERS, _MOST_BLOCKS = 4096, 6
_RECENT_DAYS, _MONTH_DAYS = 7, 28
_GROUPS = 10


@dataclass(frozen=True, eq=False)
class Judged:
    """Users on a date: probabilities told of them, and what became of them.

    `rule` is the group of a simple rule: sessions and carts of the last week and month.
    """

    clairvoyant_order: Floats
    clairvoyant_active: Floats
    order: Floats
    active: Floats
    rule: NDArray[np.int64]
    ordered: NDArray[np.bool_]
    came: NDArray[np.bool_]


def check_outlooks(seen: Observed, world: World) -> list[Finding]:
    """Hold P(order in 7 days) and P(active in 14 days) against the days they speak of.

    Two dates, the later one as late as the log allows. Their windows do not overlap, so what is
    off in one says nothing of the other, and variances add up.
    """
    first, last = world.day(seen.first), world.day(seen.end) - ACTIVE_DAYS
    days = [first + (last - first) // 2, last]
    if days[1] - days[0] < ACTIVE_DAYS:
        return [too_few("probabilities of users (the log is shorter than six weeks)")]
    judged = _judge(seen, world, days, first)
    return [
        _deciles(judged.clairvoyant_order, judged.ordered),
        *_oracle(
            "order in 7 days", judged.order, judged.clairvoyant_order, judged.rule, judged.ordered
        ),
        *_oracle(
            "active in 14 days", judged.active, judged.clairvoyant_active, judged.rule, judged.came
        ),
    ]


def _judge(seen: Observed, world: World, days: list[int], first: int) -> Judged:
    # The compiler behind the oracle takes a while to start, and few runs are synthetic.
    from jobs.shop.truth.oracle import forecast, history_of

    ordered, came = [], []
    for day in days:
        when = world.warmup_start + timedelta(days=day)
        ordered.append(seen.users_with("orders > 0", when, ORDER_DAYS))
        came.append(seen.users_with("TRUE", when, ACTIVE_DAYS))
    parts: list[tuple[NDArray, ...]] = []
    for numbers in _blocks(int(world.first_user[days[-1]])):
        users = generate_users(world, numbers.start, numbers.stop)
        sessions = generate_sessions(world, users, first, days[-1])
        told = forecast(world, history_of(users, sessions), days, first, ORDER_DAYS, ACTIVE_DAYS)
        for place, day in enumerate(days):
            known = np.flatnonzero(users.signup_day < day)
            parts.append(
                (
                    clairvoyant(world, users, day, ORDER_DAYS, Event.ORDER)[known],
                    clairvoyant(world, users, day, ACTIVE_DAYS, Event.ACTIVE)[known],
                    told.order[known, place],
                    told.active[known, place],
                    _rule(users, sessions, day)[known],
                    np.isin(users.user_id[known], ordered[place]),
                    np.isin(users.user_id[known], came[place]),
                )
            )
    return Judged(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _blocks(users: int) -> list[range]:
    starts = np.arange(0, users, _BLOCK_USERS)
    chosen = np.unique(np.linspace(0, len(starts) - 1, _MOST_BLOCKS).round().astype(int))
    return [range(start, min(start + _BLOCK_USERS, users)) for start in starts[chosen].tolist()]


def _rule(users: Users, sessions: Sessions, day: int) -> NDArray[np.int64]:
    """Group users as a simple rule would: by visits and carts of the last week and month."""
    age = day - sessions.day
    count = len(users.key)
    week = np.bincount(sessions.user[(age > 0) & (age <= _RECENT_DAYS)], minlength=count)
    month = np.bincount(sessions.user[(age > 0) & (age <= _MONTH_DAYS)], minlength=count)
    has_basket = (sessions.outcome >= CART) & (age > 0) & (age <= _RECENT_DAYS)
    basket = np.bincount(sessions.user[has_basket], minlength=count)
    return 6 * np.minimum(week, 2) + 3 * (basket > 0) + np.minimum(month, 2)


def _deciles(chance: Floats, happened: NDArray[np.bool_]) -> Finding:
    """P(order in 7 days | traits and state) against the orders, by tenths of the users alive."""
    name = "P(order in 7 days | state) by decile"
    possible = chance > 0
    if happened[~possible].any():
        return Finding(f"truth: {name}", "no order of the dead", "an order", passed=False)
    chance, happened = chance[possible], happened[possible]
    if chance.sum() < FEW:
        return too_few(name)
    group = np.searchsorted(np.quantile(chance, np.arange(1, _GROUPS) / _GROUPS), chance)
    sums = [
        np.bincount(group, weights=weights, minlength=_GROUPS).astype(np.float64)
        for weights in (chance, chance * (1 - chance), _third(chance), happened)
    ]
    # A group in which hardly anything is expected says hardly anything.
    mean, variance, third, observed = (column[sums[0] >= 1] for column in sums)
    labels = [f"decile {number + 1}" for number in np.flatnonzero(sums[0] >= 1)]
    sd = np.sqrt(variance)
    z = surprise(observed, mean, sd, third / sd**3, is_count=True)
    return worst(name, labels, (mean, sd, observed, z))


def _oracle(
    name: str,
    chance: Floats,
    knowing: Floats,
    rule: NDArray[np.int64],
    happened: NDArray[np.bool_],
) -> list[Finding]:
    """The oracle's own checks: its sum, its entropy, and only the clairvoyant is better."""
    if min(chance.sum(), (1 - chance).sum()) < FEW:
        return [too_few(f"oracle, {name}")]
    variance = chance * (1 - chance)
    sd = np.sqrt(variance.sum(keepdims=True))
    count = np.array([happened.sum()], dtype=float)
    total = chance.sum(keepdims=True)
    z = surprise(count, total, sd, _third(chance).sum(keepdims=True) / sd**3, is_count=True)
    loss = _log_loss(chance, happened)
    log_odds = np.log(chance / (1 - chance))
    entropy = -(chance * np.log(chance) + (1 - chance) * np.log1p(-chance))
    off = (loss - entropy).sum() / np.sqrt((variance * log_odds**2).sum())
    size = np.maximum(np.bincount(rule), 1)
    rate = (np.bincount(rule, weights=happened) / size)[rule]
    return [
        single(f"oracle, {name}: users with one", total[0], count[0], z[0]),
        single(f"oracle, {name}: log-loss = entropy", entropy.mean(), loss.mean(), off, digits=5),
        _not_below(f"oracle, {name}: a rule's log-loss", loss, _log_loss(rate, happened)),
        _not_below(
            f"clairvoyant, {name}: the oracle's log-loss", _log_loss(knowing, happened), loss
        ),
    ]


def _not_below(name: str, better: Floats, worse: Floats) -> Finding:
    """Someone who knows more has no higher log-loss, four standard errors of the pairs aside."""
    gain = worse - better
    error = gain.std() / np.sqrt(len(gain))
    return Finding(
        f"truth: {name} is no lower",
        f">= {better.mean():.5f}",
        f"{worse.mean():.5f}",
        bool(gain.mean() >= -LIMIT * error),
    )


def _log_loss(chance: Floats, happened: NDArray[np.bool_]) -> Floats:
    return -np.log(np.where(happened, chance, 1 - chance))


def _third(chance: Floats) -> Floats:
    """Third central moment of a yes or no."""
    return chance * (1 - chance) * (1 - 2 * chance)
