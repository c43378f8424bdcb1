"""The expectation of days against an independent recursion and against shops drawn anew."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from jobs.shop.behaviour import generate_sessions, states_after
from jobs.shop.events import generate_orders
from jobs.shop.sessions import CART, ORDER
from jobs.shop.truth.cohorts import retention
from jobs.shop.truth.expectation import Expectation, expectation
from jobs.shop.truth.moments import (
    amount_moments,
    count_factorials,
    order_factorials,
    raw_moments,
    revenue_moments,
)
from jobs.shop.truth.process import arm_shares
from jobs.shop.truth.recursion import (
    ALIVE,
    CARTS,
    DAU,
    MEASURES,
    ORDERS,
    REVENUE,
    SESSIONS,
    SIGNUPS,
)
from jobs.shop.users import generate_users
from jobs.shop.world import World
from tests.plain.test_shop_process import expected_per_day
from tests.shop_worlds import CALM, MICROS_PER_DAY, eventful_world, settings, small_world

LIMIT = 4.0


def totals_of(world: World) -> np.ndarray:
    """What a shop shows, by day and measure, shape (days, measures)."""
    users = generate_users(world, 0, world.user_count)
    days = len(world.activity)
    sessions = generate_sessions(world, users, 0, days)
    orders = generate_orders(world, 0, world.user_count, world.warmup_start, world.until)
    order_day = orders.ts // MICROS_PER_DAY - world.first_epoch_day
    has_cart = (sessions.outcome == CART) | (sessions.outcome == ORDER)
    visits = np.unique(sessions.user * 1000 + sessions.day)
    alive = np.zeros(days + 1)
    np.add.at(alive, users.signup_day, 1)
    np.add.at(alive, np.minimum(users.last_day + 1, days), -1)
    columns = {
        SIGNUPS: np.diff(world.first_user),
        ALIVE: np.cumsum(alive)[:days],
        DAU: np.bincount(visits % 1000, minlength=days),
        SESSIONS: np.bincount(sessions.day, minlength=days),
        CARTS: np.bincount(sessions.day[has_cart], minlength=days),
        ORDERS: np.bincount(order_day, minlength=days),
        REVENUE: np.bincount(order_day, orders.amount_cents / 100, minlength=days),
    }
    return np.stack([columns[measure] for measure in range(len(MEASURES))], axis=1)


def test_the_mean_is_that_of_an_independent_recursion() -> None:
    world = small_world(users=5000, days=40, shop=settings(warmup_days=30, incidents=CALM))
    expected = expected_per_day(world)
    actual = expectation(world).mean
    for place, measure in enumerate((DAU, SESSIONS, CARTS, ORDERS, REVENUE)):
        np.testing.assert_allclose(actual[..., measure], expected[:, place], rtol=1e-10)


def test_a_big_shop_meets_its_expectation_whatever_happens_to_it() -> None:
    world = eventful_world(60_000)
    mean, sd, _ = expectation(world).whole_shop()
    off = totals_of(world) - mean
    np.testing.assert_allclose(off[:, SIGNUPS], 0, atol=1e-9)
    assert abs(off[0, ALIVE]) < 1e-9  # nobody leaves on the day of signing up
    z = off[1:, ALIVE:] / sd[1:, ALIVE:]
    assert np.abs(z).max() < 4.8, np.abs(z).max(axis=0).round(1)  # 39 days x 6 measures
    # An effect left out would push all days after it the same way.
    assert np.abs(z.mean(axis=0)).max() < 2.0, z.mean(axis=0).round(2)


@pytest.fixture(scope="module")
def many() -> tuple[Expectation, np.ndarray]:
    """A small shop's expectation, and its totals under other draws: (shops, days, measures).

    Only the seed is replaced, so all have the same signups and one expectation.
    """
    world = eventful_world(500)
    seeds = range(150)
    drawn = [totals_of(dataclasses.replace(world, seed=seed)) for seed in seeds]
    return expectation(world), np.array(drawn)


def test_the_mean_is_right_to_a_per_cent(many: tuple[Expectation, np.ndarray]) -> None:
    mean, sd, _ = many[0].whole_shop()
    z = (many[1].mean(axis=0) - mean)[1:] / (sd[1:] + 1e-9) * np.sqrt(len(many[1]))
    assert np.abs(z[:, ALIVE:]).max() < 4.8, np.abs(z).max(axis=0).round(1)


def test_the_deviation_is_a_close_upper_bound(many: tuple[Expectation, np.ndarray]) -> None:
    _, sd, _ = many[0].whole_shop()
    ratio = (many[1].var(axis=0, ddof=1)[1:] / np.maximum(sd[1:], 1e-9) ** 2)[:, ALIVE:]
    by_measure = ratio.mean(axis=0)
    # Days share their users: about ten are independent, so each mean is good to .04.
    assert (by_measure < 1.12).all() and (by_measure > 0.82).all(), by_measure.round(3)


def test_segments_add_up_but_their_deviations_do_not() -> None:
    expected = expectation(eventful_world(500))
    mean, sd, _ = expected.whole_shop()
    np.testing.assert_allclose(expected.mean.sum(axis=(1, 2)), mean)
    assert (sd[:, SIGNUPS] == 0).all()
    shares = expected.world.segments.shares
    signups = np.diff(expected.world.first_user)[:, None, None]
    np.testing.assert_allclose(expected.sd[..., SIGNUPS] ** 2, signups * shares * (1 - shares))


def test_states_of_users_fill_the_cells_they_should() -> None:
    world = eventful_world(60_000)
    days = [19, 25, 33, 38]  # before and in the campaign, in the price test, after the drift
    expected = expectation(world, mass_of=days)
    users = generate_users(world, 0, world.user_count)
    for day in days:
        mass = expected.mass[day]
        state = states_after(world, users, day)
        counted = np.zeros(mass.shape)
        alive = state >= 0
        cell = (
            users.arm,
            users.country,
            users.channel,
            users.rate_slice,
            users.conversion_slice,
            users.leave_slice,
            state,
        )
        np.add.at(counted, tuple(axis[alive] for axis in cell), 1)
        for axis in range(mass.ndim):
            others = tuple(other for other in range(mass.ndim - 1) if other != axis)
            means, found = mass.sum(axis=others), counted.sum(axis=others)
            z = (found - means)[means > 30] / np.sqrt(means[means > 30])
            assert np.abs(z).max() < 4.6, (day, axis, np.abs(z).max())


def test_moments_of_orders_and_revenue_are_those_of_draws() -> None:
    rng = np.random.default_rng(1)
    draws, stands = 1_000_000, 0.15
    world = small_world()
    amounts = amount_moments(world)[0, 0, 1, 7]
    money = world.settings.orders
    log_rate = np.minimum(np.log(world.rate.values[7]), money.log_rate_cap)
    level = money.log_value + money.log_value_per_log_rate * log_rate
    level += world.segments.log_amount_effect[1]
    for extra, mean in ((0.0, 0.8), (0.3, 1.4)):
        count = rng.poisson(mean, draws) + (rng.random(draws) < extra)
        kept = np.where(count > 0, 1 + rng.binomial(np.maximum(count - 1, 0), stands), 0)
        user_level = level + money.log_value_sd_between * rng.standard_normal(draws)
        revenue = np.zeros(draws)
        for number in range(kept.max()):
            log_value = user_level + money.log_value_sd_within * rng.standard_normal(draws)
            revenue += np.where(kept > number, np.exp(log_value), 0)
        orders = order_factorials(extra, mean, stands)
        for told, drawn in (
            (raw_moments(count_factorials(extra, mean)), count),
            (raw_moments(orders), kept),
            (revenue_moments(orders, amounts), revenue),
        ):
            for power in (1, 2, 3):
                values = drawn.astype(np.float64) ** power
                error = values.std() / np.sqrt(draws)
                # The error of a lognormal's third power is itself hardly known.
                if drawn is revenue and power == 3:
                    assert told[2] == pytest.approx(values.mean(), rel=0.25)
                else:
                    assert abs(told[power - 1] - values.mean()) < LIMIT * error


def test_cohorts_add_up_to_the_active_users_of_each_day() -> None:
    # Two recursions, with the hazard as an axis and without: equal to the last digits.
    world = eventful_world(500)
    days = len(world.activity)
    by_age = retention(world, days - 1)
    signups, shares = np.diff(world.first_user), world.segments.shares
    active = np.zeros((days, *shares.shape))
    for cohort in range(days):
        active[cohort:] += signups[cohort] * shares * by_age[cohort, : days - cohort]
    np.testing.assert_allclose(active, expectation(world).mean[..., DAU], rtol=1e-10)


def test_arms_are_those_of_the_users_from_the_first_day_to_the_last() -> None:
    world = eventful_world(60_000)
    users = generate_users(world, 0, world.user_count)
    shares = arm_shares(world)
    counted = np.zeros(shares.shape)
    np.add.at(counted, (users.signup_day, users.arm), 1)
    assert ((counted > 0) == (shares > 0)).all()  # contacted: up to the eve of the campaign
    expected = np.diff(world.first_user)[:, None] * shares
    z = (counted - expected) / np.sqrt(np.maximum(expected * (1 - shares), 1))
    assert np.abs(z).max() < 4.6
