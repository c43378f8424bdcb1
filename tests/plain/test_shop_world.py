"""Worlds of the synthetic shop: signups, calendar, traits, effects, and what is refused."""

from __future__ import annotations

import math
import pickle
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from jobs.core.errors import UsageError
from jobs.shop.ids import MAX_USERS, user_ids
from jobs.shop.population import conversion_slices, leave_slices, rate_slices
from jobs.shop.settings import shop_settings
from jobs.shop.users import generate_users
from jobs.shop.world import activity_factors, build_world
from tests.shop_worlds import columns, raw_settings, settings, small_world


def test_a_later_end_never_changes_an_earlier_day() -> None:
    short = small_world(until=date(2024, 1, 10))
    for until in (date(2024, 1, 11), date(2024, 2, 10), date(2025, 6, 1)):
        longer = small_world(until=until)
        known = len(short.first_user)
        np.testing.assert_array_equal(longer.first_user[:known], short.first_user)
        np.testing.assert_array_equal(longer.activity[: known - 1], short.activity)
        assert longer.world_id == short.world_id


def test_world_id_tells_shops_apart() -> None:
    worlds = [
        small_world(),
        small_world(users=3001),
        small_world(days=41),
        small_world(seed=43),
        small_world(shop=settings(warmup_days=31)),
        small_world(shop=settings(warmup_days=30, sessions={"views_mean": 3.5})),
    ]
    assert len({world.world_id for world in worlds}) == len(worlds)


def test_as_many_users_sign_up_as_asked_for() -> None:
    counts = [small_world(users=20_000, seed=seed).user_count for seed in range(20)]
    # 70 days, each rounded up or down: the count of a world varies by some 4 users, not by 140.
    assert np.mean(counts) == pytest.approx(20_000, abs=5)
    assert np.std(counts) < 10


def test_signups_grow_and_follow_the_calendar() -> None:
    world = small_world(users=200_000, days=60)
    signups = np.diff(world.first_user)
    days = np.arange(len(signups))
    expected = np.exp(0.002 * days) * world.activity
    np.testing.assert_allclose(signups / signups.sum(), expected / expected.sum(), rtol=2e-3)


def test_user_numbers_are_the_users_of_those_days() -> None:
    world = small_world()
    first, last = world.first_date, world.first_date + timedelta(days=3)
    numbers = world.user_numbers(first, last)
    users = generate_users(world, 0, world.user_count)
    on_those_days = (users.signup_day >= world.day(first)) & (users.signup_day < world.day(last))
    np.testing.assert_array_equal(np.flatnonzero(on_those_days), np.array(numbers))


def test_calendar_by_hand() -> None:
    factors = activity_factors(
        settings().calendar, settings().incidents.traffic, date(2023, 11, 1), 181
    )
    days = (75, 40, 332, 8)
    wave = {day: 1 + 0.06 * math.cos(2 * math.pi * (day - 345) / 365.25) for day in days}
    friday_of_peak = 0.945 * wave[332] * (1 + 0.5 + 0.3 * math.exp(-0.5 * (14 / 7) ** 2))
    by_hand = {
        date(2024, 1, 9): 1.029 * wave[8],  # a Tuesday without anything special
        date(2024, 3, 16): 0.959 * wave[75] * 0.30,  # the outage, a Saturday
        date(2024, 2, 10): 0.959 * wave[40] * 1.35,  # the promotion, a Saturday
        date(2023, 11, 29): 0.987 / 0.945 * friday_of_peak,  # day 332 of 2023, a Wednesday
    }
    for day, expected in by_hand.items():
        assert factors[(day - date(2023, 11, 1)).days] == pytest.approx(expected, rel=1e-6), day


def test_slices_keep_the_mean_of_their_law() -> None:
    mixture = settings().mixture
    beta_mean = mixture.leave_alpha / (mixture.leave_alpha + mixture.leave_beta)
    for slices, mean in (
        (rate_slices(mixture), 1.0),
        (conversion_slices(mixture), 1.0),
        (leave_slices(mixture), beta_mean),
    ):
        assert slices.shares @ slices.values == pytest.approx(mean, rel=1e-12)
        assert (np.diff(slices.values) > 0).all()
    # A slice's value is the mean within it: against the quantiles of the law itself.
    chances = 0.985 + (0.993 - 0.985) * (np.arange(10_000) + 0.5) / 10_000
    expected = stats.gamma(0.4, scale=1 / 0.4).ppf(chances).mean()
    assert rate_slices(mixture).values[13] == pytest.approx(expected, rel=1e-6)


def test_effects_leave_the_means_of_the_shop_alone() -> None:
    segments = small_world().segments
    users = segments.shares
    visits = users * segments.rate_effect
    orders = visits * segments.conversion_effect
    assert users.sum() == pytest.approx(1)
    assert visits.sum() == pytest.approx(1)
    assert orders.sum() == pytest.approx(1)
    assert (orders.sum(axis=1) * np.exp(segments.log_amount_effect)).sum() == pytest.approx(1)


def test_traits_have_their_configured_shares() -> None:
    world = small_world(users=100_000)
    users = generate_users(world, 0, world.user_count)
    segments = world.segments
    joint = np.bincount(users.country * 5 + users.channel, minlength=25)
    drawn = {
        "rate": (np.bincount(users.rate_slice, minlength=16), world.rate.shares),
        "leave": (np.bincount(users.leave_slice, minlength=8), world.leave.shares),
        "conversion": (np.bincount(users.conversion_slice, minlength=6), world.conversion.shares),
        "segment": (joint, segments.shares.ravel()),
        "start": (np.bincount(users.starts_in_mission, minlength=2), np.array([0.4, 0.6])),
    }
    for name, (counts, shares) in drawn.items():
        assert stats.chisquare(counts, shares * world.user_count).pvalue > 1e-5, name
    lifetime = users.last_day - users.signup_day
    hazard = world.leave.values[7]
    lived = lifetime[users.leave_slice == 7]
    assert lived.mean() == pytest.approx((1 - hazard) / hazard, rel=0.05)
    level = users.order_level - segments.log_amount_effect[users.country]
    level -= 0.12 * np.minimum(np.log(world.rate.values[users.rate_slice]), 1.5)
    assert stats.kstest((level - 3.214) / 0.70, "norm").pvalue > 1e-5


def test_users_are_the_same_in_any_block() -> None:
    world = small_world()
    whole = columns(generate_users(world, 0, world.user_count))
    for start, end in ((0, 1), (17, 1800), (world.user_count - 5, world.user_count)):
        for name, values in columns(generate_users(world, start, end)).items():
            np.testing.assert_array_equal(values, whole[name][start:end], err_msg=name)


def test_user_ids_are_a_bijection_that_hides_the_order_of_signup() -> None:
    numbers = np.arange(3 * 4096)
    ids = user_ids(numbers, seed=42)
    assert len(np.unique(ids)) == len(ids)
    assert (ids >= 0).all() and (ids < MAX_USERS).all()
    for block in ids.reshape(3, 4096):
        # A block fills one block of ids exactly, in an order that says nothing.
        np.testing.assert_array_equal(np.sort(block) % 4096, np.arange(4096))
        assert abs(np.corrcoef(np.arange(4096), block)[0, 1]) * 64 < 4
    assert not np.array_equal(ids[:4096] % 4096, ids[4096:8192] % 4096)
    assert not np.array_equal(ids, user_ids(numbers, seed=43))
    blocks = user_ids(np.arange(1 << 16) << 12, seed=42) >> 12
    assert len(np.unique(blocks)) == 1 << 16


def test_world_travels_light() -> None:
    world = small_world(users=1_800_000, days=700)
    assert len(pickle.dumps(world)) < 100_000


@pytest.mark.parametrize(
    ("users", "days", "first_date", "says"),
    [
        (0, 10, "2024-01-01", "at least one user"),
        (10, 0, "2024-01-01", "at least one user and one day"),
        (10, 10, "2020-01-10", "event_id can hold"),
        (10, 10, "2031-03-11", "event_id can hold"),
        (MAX_USERS + 1, 10, "2024-01-01", "more than an event_id can hold"),
    ],
)
def test_what_an_id_cannot_hold_is_refused(
    users: int, days: int, first_date: str, says: str
) -> None:
    shop = settings(first_date=first_date, warmup_days=30)
    with pytest.raises(UsageError, match=says):
        build_world(shop, users, days, 42, shop.first_date + timedelta(days=days))


def test_days_outside_the_world_are_refused() -> None:
    world = small_world()
    assert world.day(world.until) == 70
    for outside in (world.warmup_start - timedelta(days=1), world.until + timedelta(days=1)):
        with pytest.raises(UsageError, match="outside this shop's days"):
            world.day(outside)


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        (None, "warmup_dais", 3, "shop.warmup_dais"),
        ("behaviour", "mission_end", 1.5, "shop.behaviour.mission_end"),
        ("behaviour", "cart_or_order", [0.1, 0.2], "shop.behaviour.cart_or_order"),
        ("behaviour", "mission_start_cap", 0.9, "together exceed 1"),
        ("mixture", "rate_quantiles", [0, 0.5, 0.5, 1], "rate_quantiles must rise from 0 to 1"),
        ("sessions", "pause_cap_minutes", 30, "shop.sessions.pause_cap_minutes"),
        ("channels", "seo", {"rate": 1}, "shop.channels.seo.conversion"),
        ("channels", "all", {"rate": 1, "conversion": 1}, "must name every channel"),
        ("calendar", "weekdays", [1, 1, 1, 1, 1, 1, -1], "shop.calendar.weekdays.6"),
    ],
)
def test_bad_settings_are_refused_in_one_line(section, key, value, says: str) -> None:
    raw = raw_settings()
    (raw[section] if section else raw)[key] = value
    with pytest.raises(UsageError, match=says) as refusal:
        shop_settings(raw)
    assert "\n" not in str(refusal.value)


def test_shares_must_add_up() -> None:
    raw = raw_settings()
    raw["countries"]["DE"]["share"] = 0.5
    with pytest.raises(UsageError, match="shares of the countries must add up to 1"):
        shop_settings(raw)
