"""The two experiments: each reaches its own arm, by its factor, and nobody else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from jobs.shop.behaviour import generate_sessions
from jobs.shop.regimes import CONTACTED, OTHER_PRICE
from jobs.shop.users import Users
from jobs.shop.world import World
from tests.shop_pairs import (
    CONFIGURED,
    DAY,
    LIMIT,
    WARMUP_DAYS,
    Pair,
    amounts,
    assert_effect,
    assert_price,
    calm_shop,
    everybody,
    filled_carts,
    pair_of,
    per_user,
    rows_of,
    world_until,
)

UNLIKELY = 1e-5


def configured(name: str, **changes: Any) -> dict[str, Any]:
    """The incident of conf/base.yaml, moved to the day of these tests."""
    return {name: {**CONFIGURED[name], "first": DAY, **changes}}


def later_rows(world: World, users: Users, mask: np.ndarray) -> np.ndarray:
    sessions = generate_sessions(world, users, WARMUP_DAYS, world.day(world.until))
    return rows_of(sessions, mask)


@pytest.fixture(scope="module")
def campaign() -> Pair:
    # The smallest effect is 1.1 on a tenth of the users: it takes many to tell it from 1.05.
    return pair_of(configured("campaign"), users=250_000)


def test_campaign_lifts_the_contacted_by_channel(campaign: Pair) -> None:
    users = campaign.users
    contacted = (users.arm & CONTACTED) > 0
    for number, name in enumerate(campaign.there.segments.channel_names):
        mine = contacted & (users.channel == number)
        factor = CONFIGURED["campaign"]["conversion"][str(name)]
        assert_effect(*campaign.carts(mine), factor, str(name))


def test_campaign_leaves_the_held_out_and_newcomers_alone() -> None:
    both = pair_of(configured("campaign"), users=10_000, days=20)
    held_out = (both.users.arm & CONTACTED) == 0
    newcomers = both.users.signup_day >= WARMUP_DAYS
    assert held_out[newcomers].all() and newcomers.sum() > 500
    for mask, equal in ((held_out, True), (~held_out, False)):
        rows = later_rows(both.there, both.users, mask)
        calm_rows = later_rows(both.calm, both.calm_users, mask)
        assert np.array_equal(rows, calm_rows) == equal
        assert len(rows) > 10_000


def test_the_coin_of_the_campaign_is_fair_and_knows_nobody(campaign: Pair) -> None:
    users = campaign.users
    there = users.signup_day < WARMUP_DAYS
    contacted = (users.arm[there] & CONTACTED) > 0
    error = np.sqrt(0.25 / there.sum())
    assert abs(contacted.mean() - CONFIGURED["campaign"]["treated_share"]) < LIMIT * error
    for name in ("rate_slice", "leave_slice", "conversion_slice", "country", "channel"):
        trait = getattr(users, name)[there]
        counts = np.stack([np.bincount(trait[contacted == arm]) for arm in (False, True)])
        assert stats.chi2_contingency(counts).pvalue > UNLIKELY, name


def test_without_the_experiment_nobody_is_in_an_arm(campaign: Pair) -> None:
    assert not campaign.calm_users.arm.any()
    assert not (campaign.users.arm & OTHER_PRICE).any()


def test_the_treated_convert_better_than_the_held_out(campaign: Pair) -> None:
    """The comparison an analyst can make, without a world in which nothing happened."""
    users, sessions = campaign.users, campaign.sessions
    carts, visits = filled_carts(users, sessions), per_user(users, sessions)
    there = users.signup_day < WARMUP_DAYS
    rates, errors = [], []
    for arm in (0, CONTACTED):
        mine = there & ((users.arm & CONTACTED) == arm)
        rate = carts[mine].sum() / visits[mine].sum()
        residual = carts[mine] - rate * visits[mine]
        rates.append(rate)
        errors.append(residual.std() * np.sqrt(mine.sum()) / visits[mine].sum())
    lift = rates[1] / rates[0] - 1
    error = np.hypot(errors[0], errors[1]) / rates[0]
    held_out = there & ((users.arm & CONTACTED) == 0)
    factor = np.array([CONFIGURED["campaign"]["conversion"][n] for n in _channels(campaign)])
    expected = np.average(factor[users.channel[held_out]], weights=carts[held_out]) - 1
    assert abs(lift - expected) < LIMIT * error
    assert expected / 2 > LIMIT * error, "half the lift would not have been noticed"


def _channels(both: Pair) -> list[str]:
    return [str(name) for name in both.there.segments.channel_names]


@pytest.fixture(scope="module")
def price_test() -> Pair:
    return pair_of(configured("price_test"))


def test_other_prices_cost_conversion(price_test: Pair) -> None:
    treated = (price_test.users.arm & OTHER_PRICE) > 0
    factor = CONFIGURED["price_test"]["conversion"]
    assert_effect(*price_test.carts(treated), factor, "conversion")
    with_effect, without = price_test.carts(~treated)
    np.testing.assert_array_equal(with_effect, without)


def test_the_same_order_costs_the_treated_the_other_price(price_test: Pair) -> None:
    users = price_test.users
    treated_ids = set(users.user_id[(users.arm & OTHER_PRICE) > 0].tolist())
    both = amounts(price_test, DAY)
    treated = {order: pair for order, pair in both.items() if order >> 25 in treated_ids}
    assert_price(treated, CONFIGURED["price_test"]["price"])
    assert_price({order: both[order] for order in both.keys() - treated.keys()}, 1.0)


def test_the_two_experiments_flip_different_coins() -> None:
    world = world_until(
        calm_shop(DAY, incidents={**configured("campaign"), **configured("price_test")}), 50_000
    )
    users = everybody(world)
    arms = np.bincount(users.arm[users.signup_day < WARMUP_DAYS], minlength=4)
    assert stats.chi2_contingency(arms.reshape(2, 2), correction=False).pvalue > UNLIKELY
