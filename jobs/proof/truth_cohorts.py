"""Retention and funnel of a synthetic shop against their closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.proof.findings import Finding
from jobs.proof.truth_observed import Observed
from jobs.proof.truth_statistics import FEW, FEW_FOR_SPREAD, Floats, ratio_z, single, too_few
from jobs.shop.world import World

if TYPE_CHECKING:
    import pandas as pd

    from jobs.shop.truth.expectation import Expectation

_RETENTION_DAYS = (1, 7, 30, 90)
_FUNNEL_WEEKS = 12
_WEEK = 7


def funnel_eves(start: int, stop: int) -> list[int]:
    """Days whose mass at their end the funnel is reckoned from; the world has no day -1."""
    return [start + _WEEK * week - 1 for week in _weeks(stop - start) if start + week > 0]


def session_findings(total: pd.Series, mean: Floats) -> list[Finding]:
    """Carts per session and orders per cart; the sums are over users, who are independent."""
    from jobs.shop.truth.recursion import CARTS, MEASURES, ORDERS

    if mean[ORDERS] < FEW_FOR_SPREAD:
        return [too_few("funnel of sessions")]
    findings = []
    for of, name in (("sessions", "carts"), ("carts", "orders")):
        per = mean[MEASURES.index(name)] / mean[MEASURES.index(of)]
        z = ratio_z(
            per,
            (total[name], total[of]),
            (total[f"{name}_{name}"], total[f"{of}_{name}"], total[f"{of}_{of}"]),
        )
        label = f"{name} per {'session' if name == MEASURES[CARTS] else 'cart'}"
        findings.append(single(label, per, total[name] / total[of], z, is_share=True))
    return findings


def retention_findings(seen: Observed, world: World, start: int, stop: int) -> list[Finding]:
    """Share active n days after signing up, over all cohorts whose day n was observed."""
    from jobs.shop.truth.cohorts import retention

    told = [age for age in _RETENTION_DAYS if age < stop]
    by_segment = retention(world, max(told))
    share = np.einsum("dnch,ch->dn", by_segment, world.segments.shares)
    signups = np.diff(world.first_user)
    counts = seen.active_at_age(_RETENTION_DAYS)
    findings = []
    for age in told:
        cohorts = slice(max(start - age, 0), stop - age)
        users, chance = signups[cohorts], share[cohorts, age]
        mean, variance = (users * chance).sum(), (users * chance * (1 - chance)).sum()
        label = f"retention on day {age}, {len(users)} cohorts"
        if mean < FEW:
            findings.append(too_few(label))
            continue
        found = counts.get(age, 0)
        z = float((found - mean) / np.sqrt(variance))
        total = users.sum()
        findings.append(single(label, mean / total, found / total, z, is_share=True))
    return findings


def _weeks(days: int) -> list[int]:
    """The weeks of the log whose funnel is compared: at most a dozen, spread evenly."""
    whole = days // _WEEK
    return list(range(0, whole, max(1, -(-whole // _FUNNEL_WEEKS))))


def funnel_findings(seen: Observed, expected: Expectation, start: int, stop: int) -> list[Finding]:
    """Of users active on a date, the share with a cart and with an order on it or 6 dates after."""
    from jobs.shop.truth.cohorts import date_funnel

    world = expected.world
    weeks = _weeks(stop - start)
    days = [start + _WEEK * week for week in weeks]
    steps = [date_funnel(world, expected.mass_before(day), day, _WEEK) for day in days]
    active, cart, order = (
        sum(getattr(step, name) for step in steps) for name in ("active", "cart", "order")
    )
    if order < FEW_FOR_SPREAD:
        return [too_few("funnel on dates")]
    sums = seen.funnel(weeks)
    cart_z = ratio_z(cart / active, (sums["x"], sums["n"]), (sums["xx"], sums["xn"], sums["nn"]))
    order_z = ratio_z(order / active, (sums["y"], sums["n"]), (sums["yy"], sums["yn"], sums["nn"]))
    return [
        single(f"active on a date: {name} within 7", told / active, sums[key] / sums["n"], z, True)
        for name, told, key, z in (("cart", cart, "x", cart_z), ("order", order, "y", order_z))
    ]
