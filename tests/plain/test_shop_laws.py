"""Goodness of fit: every law the shop draws from, on enough rows to tell it from its neighbours.

Most tests put each value through the distribution it should have: what comes out is uniform if
and only if the law holds, however much it differs between users. Counts are spread over their
step by a number of the test's own.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from jobs.shop.behaviour import generate_sessions
from jobs.shop.events import Rectangle, generate_rectangle
from jobs.shop.layout import ADD_TO_CART, VIEW
from jobs.shop.sessions import CART, ORDER, Sessions
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World
from tests.goodness import UNLIKELY, assert_uncorrelated, assert_uniform, spread
from tests.shop_worlds import normalised_effects, small_world

FIRST, LAST = 30, 45


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(users=60_000, days=15)


@pytest.fixture(scope="module")
def users(world: World) -> Users:
    return generate_users(world, 0, world.user_count)


@pytest.fixture(scope="module")
def sessions(world: World, users: Users) -> Sessions:
    return generate_sessions(world, users, FIRST, LAST)


@pytest.fixture(scope="module")
def rows(world: World) -> Rectangle:
    until = world.warmup_start + timedelta(days=LAST)
    return generate_rectangle(world, 0, world.user_count, world.first_date, until)


@pytest.fixture(scope="module")
def session(rows: Rectangle) -> np.ndarray:
    """To which session each event belongs, in the order of `sessions`."""
    return np.cumsum((rows.events.event_id & 255) == 0) - 1


def signup_rates(world: World, users: Users) -> np.ndarray:
    """Visits to expect of each user on the signup day, beyond the one that is certain."""
    acts, effects = world.settings.behaviour, normalised_effects(world)[1][0]
    rate = world.rate.values[users.rate_slice] * effects[users.channel]
    mission = np.minimum(acts.mission_sessions * np.sqrt(rate), acts.mission_sessions_cap)
    mean = np.where(users.starts_in_mission, mission, acts.dormant_sessions * rate)
    return mean * world.activity[users.signup_day]


def test_sessions_of_a_day_are_poisson(world: World, users: Users, sessions: Sessions) -> None:
    today = sessions.day == users.signup_day[sessions.user]
    new = (users.signup_day >= FIRST) & (users.signup_day < LAST)
    more = np.bincount(sessions.user[today], minlength=len(new))[new] - 1
    law = stats.poisson(signup_rates(world, users)[new])
    assert_uniform(spread(law.cdf(more - 1), law.pmf(more)), rows=15_000)
    assert more.max() > 5


def test_what_comes_of_a_session(world: World, users: Users) -> None:
    # The first one of a signup day: the state is known, and no order has been thinned.
    played = generate_sessions(world, users, 0, LAST)
    first = played.take((played.day == users.signup_day[played.user]) & (played.number == 0))
    acts, user = world.settings.behaviour, first.user
    effect = normalised_effects(world)[2][users.country[user], users.channel[user]]
    state = users.starts_in_mission[user].astype(int)
    readiness = world.conversion.values[users.conversion_slice[user]] * effect
    fills = np.minimum(acts.chance_cap, np.array(acts.cart_or_order)[state] * readiness)
    orders = fills * np.array(acts.order_share)[state]
    below = np.select([first.outcome == ORDER, first.outcome == CART], [0 * fills, orders], fills)
    chance = np.select(
        [first.outcome == ORDER, first.outcome == CART], [orders, fills - orders], 1 - fills
    )
    assert set(np.unique(first.outcome)) == {0, CART, ORDER}
    assert_uniform(spread(below, chance), rows=50_000)
    # Orders are few, so their number says more of their chance than their part of that law.
    for outcome, expected in ((ORDER, orders), (CART, fills - orders)):
        spare = (first.outcome == outcome).sum() - expected.sum()
        z = spare / np.sqrt((expected * (1 - expected)).sum())
        assert abs(z) < stats.norm.isf(UNLIKELY / 2), outcome


def test_views_are_geometric(rows: Rectangle, session: np.ndarray) -> None:
    views = np.bincount(session, weights=rows.events.event_type == VIEW).astype(int)
    counts = np.bincount(np.minimum(views, 25), minlength=26)[1:]
    chance = stats.geom(1 / 3.55).pmf(np.arange(1, 25))
    expected = np.append(chance, 1 - chance.sum()) * len(views)
    assert len(views) > 30_000
    assert stats.chisquare(counts, expected).pvalue > UNLIKELY


def test_the_cart_comes_after_any_view_alike(rows: Rectangle, session: np.ndarray) -> None:
    events = rows.events
    views = np.bincount(session, weights=events.event_type == VIEW)
    cart = np.flatnonzero(events.event_type == ADD_TO_CART)
    before, of = events.event_id[cart] & 255, views[session[cart]]
    assert (before >= 1).all() and (before <= of).all()
    assert_uniform(spread((before - 1) / of, 1 / of), rows=3000)
    for number in (2, 3, 4):
        counts = np.bincount(before[of == number], minlength=number + 1)[1:]
        assert stats.chisquare(counts).pvalue > UNLIKELY, number


def test_pauses_are_lognormal_up_to_their_cap(rows: Rectangle) -> None:
    events = rows.events
    inside = (events.event_id[1:] >> 8) == (events.event_id[:-1] >> 8)
    pause = np.diff(events.ts)[inside] / 1e6
    law = stats.lognorm(s=1.1, scale=35)
    capped = pause >= 25 * 60
    short = pause[~capped]
    assert_uniform(law.cdf(short) / law.cdf(25 * 60), rows=80_000)
    assert stats.binomtest(int(capped.sum()), len(pause), law.sf(25 * 60)).pvalue > UNLIKELY


def test_delays_are_lognormal_and_know_nothing_of_the_pauses(rows: Rectangle) -> None:
    events = rows.events
    delay = (events.ingest_ts - events.ts) / 1e6
    assert_uniform(stats.lognorm(s=0.8, scale=1.5).cdf(delay), rows=100_000)
    inside = (events.event_id[1:] >> 8) == (events.event_id[:-1] >> 8)
    pause = np.diff(events.ts)[inside]
    correlation = stats.spearmanr(pause, delay[1:][inside]).statistic
    assert abs(correlation) * np.sqrt(inside.sum()) < stats.norm.isf(UNLIKELY / 2)


def test_sessions_start_by_the_clock_of_their_country(
    world: World, users: Users, sessions: Sessions, rows: Rectangle, session: np.ndarray
) -> None:
    ts, micros = rows.events.ts, 86_400_000_000
    first = np.flatnonzero((rows.events.event_id & 255) == 0)
    assert len(first) == len(sessions.user)
    last = np.append(first[1:], len(ts)) - 1
    alone = sessions.of_day == 1  # others make room for each other
    room = micros - (ts[last] - ts[first]) - 2001  # the day is shrunk so that it ends in time
    utc = (ts[first] % micros / room)[alone]
    country = users.country[sessions.user[alone]]
    weights = np.array([0, *world.settings.sessions.hour_weights])
    clock = np.cumsum(weights) / weights.sum()
    for name, offset in (("DE", 1), ("ES", 1), ("US", -6)):
        place = world.segments.country_names.tolist().index(name)
        hour = (utc[country == place] * 24 + offset) % 24
        assert_uniform(np.interp(hour, np.arange(25), clock), rows=2000)


def test_order_values_are_lognormal_within_a_user(
    world: World, users: Users, rows: Rectangle
) -> None:
    orders = rows.orders
    by_id = np.argsort(users.user_id)
    row = by_id[np.searchsorted(users.user_id, orders.user_id, sorter=by_id)]
    level = users.order_level[row]
    taste = (np.log(orders.amount_cents / 100) - level) / 0.37
    assert_uniform(stats.norm.cdf(taste), rows=1500)
    assert_uncorrelated(taste, level, "dear orders of users who spend much")
    again = row[1:] == row[:-1]
    assert again.sum() > 200
    assert_uncorrelated(taste[1:][again], taste[:-1][again], "two orders of one user")
