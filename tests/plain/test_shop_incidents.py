"""Incidents that befall everybody: their exact effect in pairs of worlds, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from jobs.shop.behaviour import generate_sessions
from jobs.shop.sessions import CARRIED_ORDER, ORDER
from tests.shop_pairs import (
    CONFIGURED,
    DAY,
    LIMIT,
    WARMUP_DAYS,
    Pair,
    amounts,
    assert_effect,
    assert_price,
    filled_carts,
    pair_of,
    per_user,
    rows_of,
    standard_errors,
)


@pytest.fixture(scope="module")
def checkout() -> Pair:
    outage = {**CONFIGURED["checkout_outages"][0], "first": DAY}
    return pair_of({"checkout_outages": [outage]}, users=60_000, days=8)


def test_a_checkout_outage_lets_through_its_share_of_the_orders(checkout: Pair) -> None:
    completed = CONFIGURED["checkout_outages"][0]["completed"]
    users = checkout.users
    for outcome in (ORDER, CARRIED_ORDER):
        orders = [
            per_user(users, sessions, sessions.outcome == outcome)
            for sessions in (checkout.sessions, checkout.calm_sessions)
        ]
        assert_effect(orders[0], orders[1], completed, f"outcome {outcome}")
    carts = checkout.carts()
    assert abs(standard_errors(*carts, 1.0)) < LIMIT
    # Had they fallen by a twelfth, it would have been noticed.
    assert standard_errors(*carts, 0.92) > LIMIT
    visits = per_user(users, checkout.sessions), per_user(users, checkout.calm_sessions)
    np.testing.assert_array_equal(*visits)


def test_carts_left_open_by_the_outage_are_bought_later(checkout: Pair) -> None:
    users = checkout.users
    per_day = []
    for world in (checkout.there, checkout.calm):
        sessions = generate_sessions(world, users, WARMUP_DAYS, world.day(world.until))
        ordered = sessions.outcome >= ORDER
        first = sessions.day == WARMUP_DAYS
        per_day.append(
            (
                per_user(users, sessions, ordered & first),
                per_user(users, sessions, ordered & ~first),
            )
        )
    lost = per_day[1][0] - per_day[0][0]
    later = per_day[0][1] - per_day[1][1]
    assert later.sum() > LIMIT * later.std() * np.sqrt(len(later))
    assert 0.02 < later.sum() / lost.sum() < 0.8


DRIFT = {"visits": 0.8, "conversion": 0.7, "amount": 1.2}


@pytest.mark.parametrize("part", list(DRIFT))
def test_a_drift_changes_its_part_from_the_first_day_on(part: str) -> None:
    drift = {"first": DAY, "visits": 1.0, "conversion": 1.0, "amount": 1.0, part: DRIFT[part]}
    both = pair_of({"drifts": [drift]}, users=40_000, days=40)
    users = both.users
    np.testing.assert_array_equal(both.there.first_user, both.calm.first_user)
    before = [generate_sessions(w, users, 20, WARMUP_DAYS) for w in (both.there, both.calm)]
    everyone = np.ones(len(users.key), dtype=bool)
    np.testing.assert_array_equal(rows_of(before[0], everyone), rows_of(before[1], everyone))
    visits = per_user(users, both.sessions), per_user(users, both.calm_sessions)
    if part == "visits":
        assert_effect(*visits, DRIFT[part], part)
    else:
        np.testing.assert_array_equal(*visits)
    if part == "conversion":
        assert_effect(*both.carts(), DRIFT[part], part)
    if part == "amount":
        for day in (DAY, DAY + timedelta(days=39)):  # for good
            assert_price(amounts(both, day), DRIFT[part])
        np.testing.assert_array_equal(*both.carts())


def test_a_drift_stays() -> None:
    drift = {"first": DAY, "visits": 0.8, "conversion": 0.7, "amount": 1.0}
    both = pair_of({"drifts": [drift]}, users=20_000, days=60)
    last = both.there.day(both.there.until)
    everyone = both.users.signup_day < WARMUP_DAYS
    carts, visits = [], []
    for world in (both.there, both.calm):
        sessions = generate_sessions(world, both.users, last - 14, last)
        kept = sessions.take(everyone[sessions.user])
        visits.append(per_user(both.users, kept))
        carts.append(filled_carts(both.users, kept))
    # Fewer carts and orders also change who is on a mission, so the effects are not exact here.
    assert visits[0].sum() / visits[1].sum() == pytest.approx(0.8, abs=0.06)
    assert carts[0].sum() / carts[1].sum() == pytest.approx(0.8 * 0.7, abs=0.06)
