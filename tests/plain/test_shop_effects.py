"""Each configured effect and law of the synthetic shop, measured on its rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from jobs.shop.behaviour import generate_sessions
from jobs.shop.events import ADD_TO_CART, VIEW, generate_rectangle
from jobs.shop.users import generate_users
from tests.shop_worlds import (
    MICROS_PER_DAY,
    Sample,
    make_sample,
    normalised_effects,
    settings,
    small_world,
)

LIMIT = 4.0


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(users=40_000, days=50)


def test_country_sets_the_price_level(sample: Sample) -> None:
    world, orders = sample.world, sample.rectangle.orders
    row = sample.user[np.isin(sample.rectangle.events.event_id, orders.order_id)]
    buyers, first = np.unique(row, return_index=True)  # one order each, so they are independent
    log_amount = np.log(orders.amount_cents[first] / 100)
    latent = np.minimum(np.log(world.rate.values[sample.users.rate_slice[buyers]]), 1.5)
    level = log_amount - 3.214 - 0.12 * latent
    spread = np.hypot(0.70, 0.37)
    effect = np.log(normalised_effects(world)[3][:, 0])
    assert level.std() == pytest.approx(spread, rel=0.1)
    for country in range(len(effect)):
        mine = level[sample.users.country[buyers] == country]
        z = (mine.mean() - effect[country]) / (spread / np.sqrt(len(mine)))
        assert abs(z) < LIMIT, world.segments.country_names[country]


def test_an_outage_keeps_seven_visits_in_ten_away() -> None:
    day = date(2024, 1, 17)
    total, error = [], []
    for outages in ([], [{"first": day, "days": 1, "visits": 0.30}]):
        shop = settings(warmup_days=30, incidents={"traffic": outages})
        world = small_world(users=100_000, shop=shop)
        users = generate_users(world, 0, world.user_count)
        sessions = generate_sessions(world, users, world.day(day), world.day(day) + 1)
        of_user = np.bincount(sessions.user, minlength=world.user_count)
        total.append(of_user.sum())
        error.append(of_user.std() * np.sqrt(world.user_count) / of_user.sum())
    assert abs(total[1] / total[0] - 0.30) < LIMIT * 0.30 * np.hypot(*error)
    assert np.hypot(*error) < 0.05


def test_weekdays_have_their_factors() -> None:
    calm = {"season_amplitude": 0, "peaks": []}
    per_day = []
    for weekdays in ([1, 1, 1, 1, 1, 1, 1], [2, 1, 1, 1, 1, 1, 0.5]):
        shop = settings(
            warmup_days=30, calendar={**calm, "weekdays": weekdays}, incidents={"traffic": []}
        )
        world = small_world(users=60_000, days=7, shop=shop)
        users = generate_users(world, 0, world.user_count)
        # 2024-01-01 was a Monday.
        per_day.append(np.bincount(generate_sessions(world, users, 30, 37).day - 30, minlength=7))
    share = per_day[1] / per_day[0]
    assert share[0] / share[1:6].mean() == pytest.approx(2.0, rel=0.15)
    assert share[6] / share[1:6].mean() == pytest.approx(0.5, rel=0.15)


def test_pages_and_carts_of_a_session(sample: Sample) -> None:
    events = sample.rectangle.events
    session = np.cumsum((events.event_id & 255) == 0) - 1
    views = np.bincount(session, weights=events.event_type == VIEW)
    error = np.sqrt(3.55 * 2.55 / len(views))  # geometric from 1: variance mean x (mean - 1)
    assert abs(views.mean() - 3.55) < LIMIT * error
    assert (views == 1).mean() == pytest.approx(1 / 3.55, abs=0.005)
    cart = np.flatnonzero(events.event_type == ADD_TO_CART)
    before = events.event_id[cart] & 255  # views before the cart: 1 to all, each equally often
    of_four = before[views[session[cart]] == 4]
    counts = np.bincount(of_four, minlength=5)
    assert counts[0] == 0 and len(counts) == 5
    assert (np.abs(counts[1:] - len(of_four) / 4) < LIMIT * np.sqrt(len(of_four) * 3 / 16)).all()


def test_pauses_delays_and_hours(sample: Sample) -> None:
    events, world = sample.rectangle.events, sample.world
    inside = (events.event_id[1:] >> 8) == (events.event_id[:-1] >> 8)
    pause = np.diff(events.ts)[inside] / 1e6
    assert np.median(pause) == pytest.approx(35, rel=0.02)
    assert np.log(pause).std() == pytest.approx(1.1, rel=0.02)
    assert pause.max() <= 25 * 60 + 0.1
    delay = (events.ingest_ts - events.ts) / 1e6
    assert np.median(delay) == pytest.approx(1.5, rel=0.02)
    assert np.log(delay).std() == pytest.approx(0.8, rel=0.02)
    starts = (events.event_id & 255) == 0
    for country, offset in (("DE", 1), ("US", -6)):
        place = world.segments.country_names.tolist().index(country)
        mine = starts & (sample.users.country[sample.user] == place)
        local_hour = (events.ts[mine] // 3_600_000_000 + offset) % 24
        shares = np.bincount(local_hour, minlength=24) / mine.sum()
        weights = np.array(world.settings.sessions.hour_weights)
        np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.006)


def test_the_shop_looks_like_the_logs_it_was_fitted_to() -> None:
    world = small_world(users=40_000, days=60, shop=settings())
    rectangle = generate_rectangle(world, 0, world.user_count, world.first_date, world.until)
    events, orders = rectangle.events, rectangle.orders
    mix = np.bincount(events.event_type) / len(events.event_type)
    np.testing.assert_allclose(mix, [0.952, 0.036, 0.012], atol=0.004)
    sessions = ((events.event_id & 255) == 0).sum()
    assert len(orders.order_id) / sessions == pytest.approx(0.045, abs=0.004)
    buyer_days = np.unique(orders.user_id * 100_000 + orders.ts // MICROS_PER_DAY)
    assert 1 - len(buyer_days) / len(orders.order_id) == pytest.approx(0.030, abs=0.012)
    amount = orders.amount_cents / 100
    assert np.median(amount) == pytest.approx(26.0, rel=0.06)
    assert amount.mean() == pytest.approx(35.9, rel=0.06)
