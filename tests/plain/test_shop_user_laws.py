"""Goodness of fit of what happens to users: signups, traits, lifetimes, and their states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jobs.shop.behaviour import generate_sessions, states_after
from jobs.shop.chances import DORMANT, MISSION
from jobs.shop.sessions import ORDER
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World
from tests.goodness import UNLIKELY, assert_uniform, spread
from tests.shop_worlds import normalised_effects, settings, small_world


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(users=60_000, days=15)


@pytest.fixture(scope="module")
def users(world: World) -> Users:
    return generate_users(world, 0, world.user_count)


def test_lifetimes_are_geometric() -> None:
    world = small_world(users=250_000, days=15)
    users = generate_users(world, 0, world.user_count)
    hazard = world.leave.values[users.leave_slice]
    lived = users.last_day - users.signup_day
    whole = lived < 30_000  # nobody is kept longer; the least prone to leave would live millennia
    law = stats.geom(hazard[whole], loc=-1)
    below, chance = law.cdf(lived[whole] - 1), law.pmf(lived[whole])
    assert_uniform(spread(below, chance) / law.cdf(29_999), rows=200_000)
    # Weighted by the hazard, so that a hazard taken for its rate, log(1 - x) for -x, shows.
    excess = hazard * (np.minimum(lived, 2000) * hazard - (1 - hazard))
    quick = hazard > 0.005  # of these one in 20,000 lives longer than the 2,000 days
    z = excess[quick].sum() / np.sqrt((hazard**2 * (1 - hazard))[quick].sum())
    assert abs(z) < stats.norm.isf(UNLIKELY / 2)


def test_traits_are_independent_of_each_other(world: World, users: Users) -> None:
    names = ("rate_slice", "leave_slice", "conversion_slice", "country", "starts_in_mission")
    traits = {name: getattr(users, name).astype(int) for name in names}
    traits["order level"] = np.digitize(
        users.order_level - _expected_level(world, users), [-0.5, 0.5]
    )
    for place, (name, left) in enumerate(traits.items()):
        for other, right in list(traits.items())[place + 1 :]:
            table = np.zeros((left.max() + 1, right.max() + 1))
            np.add.at(table, (left, right), 1)
            assert stats.chi2_contingency(table).pvalue > UNLIKELY / 15, (name, other)


def _expected_level(world: World, users: Users) -> np.ndarray:
    latent = np.minimum(np.log(world.rate.values[users.rate_slice]), 1.5)
    effect = np.log(normalised_effects(world)[3][:, 0])
    return 3.214 + 0.12 * latent + effect[users.country]


def test_signups_are_rounded_up_with_the_chance_of_their_fraction() -> None:
    fraction, above, counts = [], [], []
    for seed in range(12):
        world = small_world(users=5000, days=220, seed=seed)
        expected = np.exp(0.002 * np.arange(250)) * world.activity
        expected *= 5000 / expected.sum()
        signups = np.diff(world.first_user)
        assert set(np.unique(signups - np.floor(expected))) == {0, 1}
        fraction.append(expected % 1)
        above.append(signups - np.floor(expected))
        counts.append(signups - expected)
    chance, up = np.concatenate(fraction), np.concatenate(above)
    assert_uniform(
        spread(np.where(up == 1, 0, chance), np.where(up == 1, chance, 1 - chance)), 2900
    )
    noise = np.concatenate(counts)
    serial = np.corrcoef(noise[1:], noise[:-1])[0, 1] * np.sqrt(len(noise))
    assert abs(serial) < stats.norm.isf(UNLIKELY / 2)


def test_missions_start_and_end_with_their_daily_chance() -> None:
    # Nobody fills a cart, so nothing but the daily action moves anybody.
    shop = settings(warmup_days=30, behaviour={"cart_or_order": [0, 0, 0]})
    world = small_world(users=150_000, days=7, shop=shop)
    users = generate_users(world, 0, world.user_count)
    effect = normalised_effects(world)[1][0][users.channel]
    chance = 0.0055 * np.sqrt(world.rate.values[users.rate_slice] * effect)
    states = [states_after(world, users, day) for day in range(30, 36)]
    on_mission, moved, chances = [], [], []
    for before, after in zip(states, states[1:], strict=False):
        alive = (before >= 0) & (after >= 0)
        assert set(np.unique(after[alive])) == {DORMANT, MISSION}
        was = before[alive] == MISSION
        on_mission.append(was)
        moved.append(was != (after[alive] == MISSION))
        chances.append(np.where(was, 0.24, np.minimum(chance[alive], 0.25)))
    was, move, expected = (np.concatenate(parts) for parts in (on_mission, moved, chances))
    below, size = np.where(move, 0, expected), np.where(move, expected, 1 - expected)
    assert_uniform(spread(below, size), rows=200_000)
    for name, kind in (("end", was), ("start", ~was)):
        law = expected[kind]
        z = (move[kind].sum() - law.sum()) / np.sqrt((law * (1 - law)).sum())
        assert abs(z) < stats.norm.isf(UNLIKELY / 2), name


def test_an_order_leaves_its_mission_open_with_its_chance(world: World, users: Users) -> None:
    day = 40
    sessions = generate_sessions(world, users, day, day + 1)
    ordered = np.unique(sessions.user[sessions.outcome >= ORDER])
    after = states_after(world, users, day)[ordered]
    assert set(np.unique(after)) <= {DORMANT, MISSION} and len(ordered) > 80
    goes_on = int((after == MISSION).sum())
    assert stats.binomtest(goes_on, len(ordered), 0.12).pvalue > UNLIKELY
