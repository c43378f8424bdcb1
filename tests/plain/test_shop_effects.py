"""Each configured effect of the calendar and of the segments, in pairs of worlds.

The pair shares its random numbers, so that even half of an effect would be noticed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from jobs.shop.behaviour import generate_sessions
from jobs.shop.events import Orders, generate_orders
from jobs.shop.sessions import Sessions
from jobs.shop.users import Users
from jobs.shop.world import World
from tests.shop_pairs import (
    LIMIT,
    assert_effect,
    calm_shop,
    everybody,
    filled_carts,
    first_day,
    per_user,
    same_morning,
    world_until,
)
from tests.shop_worlds import normalised_effects, raw_settings

CALENDAR = raw_settings()["calendar"]
INCIDENTS = raw_settings()["incidents"]


@pytest.mark.parametrize(
    ("day", "changes", "factor"),
    [
        (date(2024, 1, 15), {"calendar": {"weekdays": CALENDAR["weekdays"]}}, 1.071),  # Monday
        (date(2024, 1, 19), {"calendar": {"weekdays": CALENDAR["weekdays"]}}, 0.945),  # Friday
        (
            date(2024, 12, 10),
            {"calendar": {"season_amplitude": 0.06, "season_day_of_year": 345}},
            1.06,
        ),
        (
            date(2024, 6, 10),
            {"calendar": {"season_amplitude": 0.06, "season_day_of_year": 345}},
            0.94,
        ),
        (
            date(2024, 11, 28),
            {"calendar": {"peaks": CALENDAR["peaks"]}},
            1.5 + 0.3 * math.exp(-0.5 * (14 / 7) ** 2),
        ),
        (date(2024, 12, 12), {"calendar": {"peaks": CALENDAR["peaks"]}}, 1.3),
        (date(2024, 2, 10), {"incidents": {"traffic": INCIDENTS["traffic"]}}, 1.35),
        (date(2024, 3, 16), {"incidents": {"traffic": INCIDENTS["traffic"]}}, 0.30),
    ],
    ids=["monday", "friday", "winter", "summer", "peak", "christmas", "promotion", "outage"],
)
def test_a_day_has_the_visits_of_its_factor(
    day: date, changes: dict[str, Any], factor: float
) -> None:
    without = world_until(calm_shop(day), users=25_000)
    users = everybody(without)
    with_effect = same_morning(without, world_until(calm_shop(day, **changes), users=25_000))
    visits = [per_user(users, first_day(world, users)) for world in (with_effect, without)]
    assert_effect(visits[0], visits[1], factor, str(day))


def test_traffic_also_moves_signups_and_growth_is_exponential() -> None:
    day = date(2024, 3, 16)
    traffic = {"incidents": {"traffic": INCIDENTS["traffic"]}}
    worlds = [
        world_until(calm_shop(day, growth_per_day=growth, **changes), users=2_000_000, days=5)
        for growth, changes in ((0.0, {}), (0.0, traffic), (0.002, {}))
    ]
    flat, outage, growing = (np.diff(world.first_user).astype(float) for world in worlds)
    # About 57,000 a day, each rounded to a whole user: five digits are exact.
    share = outage[30] / outage[29]
    assert share == pytest.approx(0.30, abs=2e-4)
    steps = np.log(growing / flat)
    assert np.diff(steps).mean() == pytest.approx(0.002, abs=2e-6)
    assert np.abs(steps - np.polyval(np.polyfit(np.arange(35), steps, 1), np.arange(35))).max() < (
        5e-5
    )


def without_effect(section: str, **values: float) -> dict[str, Any]:
    """The countries or channels of the settings, each with some of its effects set to 1."""
    return {name: {**entry, **values} for name, entry in raw_settings()[section].items()}


@dataclass(frozen=True, eq=False)
class SignupDays:
    """A world and the sessions of everybody's signup day: before it effects cannot add up."""

    world: World
    users: Users
    sessions: Sessions


def signup_days(**changes: Any) -> SignupDays:
    world = world_until(calm_shop(date(2024, 5, 1), **changes), users=60_000)
    users = everybody(world)
    sessions = generate_sessions(world, users, 0, world.day(world.until))
    return SignupDays(world, users, sessions.take(sessions.day == users.signup_day[sessions.user]))


@pytest.fixture(scope="module")
def configured() -> SignupDays:
    return signup_days()


@pytest.mark.parametrize(("trait", "section"), [("country", "countries"), ("channel", "channels")])
def test_countries_and_channels_have_their_conversion(
    configured: SignupDays, trait: str, section: str
) -> None:
    flat = signup_days(**{section: without_effect(section, conversion=1.0)})
    carts = [filled_carts(days.users, days.sessions) for days in (configured, flat)]
    factors = normalised_effects(configured.world)[2] / normalised_effects(flat.world)[2]
    # Scaling all by one number leaves the ratio of a country the same in each channel.
    by_place = factors[:, 0] if trait == "country" else factors[0]
    place = getattr(configured.users, trait)
    for number, factor in enumerate(by_place):
        mine = place == number
        assert_effect(carts[0][mine], carts[1][mine], factor, f"{trait} {number}")


def test_channels_have_their_rate_of_visits(configured: SignupDays) -> None:
    flat = signup_days(channels=without_effect("channels", rate=1.0))
    users = configured.users
    # One visit of a signup day is certain, the others follow the rate.
    more = [per_user(days.users, days.sessions) - 1 for days in (configured, flat)]
    effects = normalised_effects(configured.world)[1][0]
    for number, effect in enumerate(effects):
        for starts, factor in ((False, effect), (True, math.sqrt(effect))):
            mine = (users.channel == number) & (users.starts_in_mission == starts)
            what = f"channel {number}, {'on a mission' if starts else 'dormant'}"
            assert_effect(more[0][mine], more[1][mine], factor, what)


def test_countries_have_their_price_level(configured: SignupDays) -> None:
    flat = world_until(
        calm_shop(date(2024, 5, 1), countries=without_effect("countries", amount=1.0)), 60_000
    )
    here, there = (orders_of(world) for world in (configured.world, flat))
    np.testing.assert_array_equal(here.order_id, there.order_id)
    users = configured.users
    by_id = np.argsort(users.user_id)
    row = by_id[np.searchsorted(users.user_id, here.user_id, sorter=by_id)]
    ratio = here.amount_cents / there.amount_cents
    expected = normalised_effects(configured.world)[3][:, 0][users.country[row]]
    # Both amounts are rounded to a cent.
    assert (np.abs(ratio - expected) * there.amount_cents < 1.2).all()
    assert len(ratio) > 5000
    assert set(users.country[row]) == set(range(5))


def orders_of(world: World) -> Orders:
    first = world.first_date - timedelta(days=5)
    return generate_orders(world, 0, world.user_count, first, world.until)


def test_users_leave_by_their_hazard(configured: SignupDays) -> None:
    world, users = configured.world, configured.users
    lifetime = users.last_day - users.signup_day
    for number, hazard in enumerate(world.leave.values):
        mine = lifetime[users.leave_slice == number]
        noticed = 0.0
        for days in (1, 7, 30, 90, 365):
            alive = (mine >= days).mean()
            expected = (1 - hazard) ** days
            error = math.sqrt(max(expected * (1 - expected), 1 / len(mine)) / len(mine))
            assert abs(alive - expected) < LIMIT * error, (number, days)
            noticed = max(noticed, ((1 - hazard / 2) ** days - expected) / error)
        # In the first slice a year's chance to leave is 1 in 100,000: nobody could tell half.
        assert noticed > LIMIT or hazard < 2e-4, number


def test_nobody_visits_after_leaving(configured: SignupDays) -> None:
    users, world = configured.users, configured.world
    sessions = generate_sessions(world, users, 0, world.day(world.until))
    left_for = sessions.day - users.last_day[sessions.user]
    assert left_for.max() == 0
    assert (left_for == 0).sum() > 1000, "the last day is one of being alive"
