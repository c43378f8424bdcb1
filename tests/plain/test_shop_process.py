"""The shop's rows against what its process must give on average, computed without drawing.

The expectation is written out here once more, from the settings and not from the generator's own
tables: the share of users in every cell of traits and state is carried forward day by day. Users
are independent, so the standard error of a total follows from its spread over users.
"""

from __future__ import annotations

import numpy as np
import pytest

from jobs.shop.layout import ADD_TO_CART
from jobs.shop.world import World
from tests.shop_worlds import Sample, make_sample, normalised_effects

# Four standard errors: one total in 16,000 lies beyond by chance.
LIMIT = 4.0
MEASURES = ("active_days", "sessions", "carts", "orders", "revenue")


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(users=60_000, days=70)


def expected_per_day(world: World) -> np.ndarray:
    """Expectations by day, measure, country and channel, shape (days, 5, c, h).

    Axes of the cells: country, channel, rate, hazard, conversion, state.
    """
    acts, money = world.settings.behaviour, world.settings.orders
    share, rate_effect, conversion_effect, amount_effect = normalised_effects(world)
    cell = (slice(None), slice(None), None, None, None, None)
    rate = world.rate.values[:, None, None, None] * np.broadcast_to(rate_effect, share.shape)[cell]
    conversion = world.conversion.values[:, None] * conversion_effect[cell]
    hazard = world.leave.values[:, None, None]
    on = np.minimum(acts.mission_start_cap, acts.mission_start * np.sqrt(rate))
    dormant = acts.dormant_sessions * rate
    mission = np.minimum(acts.mission_sessions_cap, acts.mission_sessions * np.sqrt(rate))
    visits = np.concatenate([dormant, mission, mission], axis=-1)
    fills = np.minimum(acts.chance_cap, np.array(acts.cart_or_order) * conversion)
    carries = np.minimum(acts.chance_cap, acts.carried_order * conversion)
    order = fills * np.array(acts.order_share) + np.array([0, 0, 1]) * (1 - fills) * carries
    cart_only = fills * (1 - np.array(acts.order_share))
    log_rate = np.minimum(np.log(world.rate.values), money.log_rate_cap)
    spread = (money.log_value_sd_between**2 + money.log_value_sd_within**2) / 2
    amount = np.exp(money.log_value + spread + money.log_value_per_log_rate * log_rate)
    amount = amount[:, None, None, None] * amount_effect[cell]
    start = np.array([1 - acts.starts_in_mission, acts.starts_in_mission, 0])
    newcomer = (
        share[cell]
        * start
        * (
            world.rate.shares[:, None, None, None]
            * world.leave.shares[:, None, None]
            * world.conversion.shares[:, None]
        )
    )
    mass, days, repeat = np.zeros(newcomer.shape), [], acts.repeat_order
    for day, signups in enumerate(np.diff(world.first_user)):
        mass = mass * (1 - hazard)
        total = mass.sum(axis=-1, keepdims=True)
        mass = mass * (1 - on - acts.mission_end)
        mass[..., 1:2] += on * total
        mass[..., 0:1] += acts.mission_end * total
        new, visit = signups * newcomer, visits * world.activity[day]
        no_order, new_no_order = np.exp(-visit * order), np.exp(-visit * order) * (1 - order)
        more, new_more = visit * order - 1 + no_order, order + visit * order - 1 + new_no_order
        orders = mass * (1 - no_order + repeat * more)
        orders = orders + new * (1 - new_no_order + repeat * new_more)
        measures = (
            mass * (1 - np.exp(-visit)) + new,
            (mass + new) * visit + new,
            ((mass + new) * visit + new) * fills,
            orders,
            orders * amount,
        )
        days.append([measure.sum(axis=(2, 3, 4, 5)) for measure in measures])
        nothing = np.exp(-visit * (order + cart_only))
        bought = mass * (1 - no_order) + new * (1 - new_no_order)
        stays = mass * nothing + new * nothing * (1 - order - cart_only)
        filled = (mass + new - bought - stays).sum(axis=-1)
        bought = bought.sum(axis=-1)
        mass = stays
        mass[..., 0] += (1 - acts.mission_after_order) * bought
        mass[..., 1] += acts.mission_after_order * bought
        mass[..., 2] += filled
    return np.array(days)


def observed_per_user(sample: Sample, first_day: int, end_day: int) -> np.ndarray:
    """Totals of the measures on the days [first_day, end_day), shape (5, users)."""
    events, orders = sample.rectangle.events, sample.rectangle.orders
    count = sample.world.user_count
    inside = (sample.day >= first_day) & (sample.day < end_day)
    user_day = np.unique(sample.user[inside] * 1000 + sample.day[inside])
    starts = inside & ((events.event_id & 255) == 0)
    carts = inside & (events.event_type == ADD_TO_CART)
    purchase = np.isin(events.event_id, orders.order_id)
    rows = sample.user[purchase & inside]
    cents = orders.amount_cents[inside[purchase]]
    return np.array(
        [
            np.bincount(user_day // 1000, minlength=count),
            np.bincount(sample.user[starts], minlength=count),
            np.bincount(sample.user[carts], minlength=count),
            np.bincount(rows, minlength=count),
            np.bincount(rows, weights=cents / 100, minlength=count),
        ]
    )


@pytest.fixture(scope="module")
def expected(sample: Sample) -> np.ndarray:
    return expected_per_day(sample.world)


@pytest.mark.parametrize("days", [(0, 3), (3, 10), (10, 30), (30, 65), (65, 100), (0, 100)])
def test_totals_meet_their_expectation(sample: Sample, expected: np.ndarray, days) -> None:
    observed = observed_per_user(sample, *days)
    totals = expected[slice(*days)].sum(axis=(0, 2, 3))
    z = (observed.sum(axis=1) - totals) / (observed.std(axis=1) * np.sqrt(observed.shape[1]))
    assert np.abs(z).max() < LIMIT, dict(zip(MEASURES, z.round(1), strict=True))


def test_segments_meet_their_expectation(sample: Sample, expected: np.ndarray) -> None:
    observed, by_segment = observed_per_user(sample, 0, 100), expected.sum(axis=0)
    users = sample.users
    for axis, of_user in ((1, users.country), (2, users.channel)):
        for place, total in enumerate(by_segment.sum(axis=3 - axis).T):
            mine = np.where(of_user == place, observed, 0)
            z = (mine.sum(axis=1) - total) / (mine.std(axis=1) * np.sqrt(mine.shape[1]))
            assert np.abs(z).max() < LIMIT, (axis, place, dict(zip(MEASURES, z, strict=True)))


def test_every_day_has_the_active_users_it_should(sample: Sample, expected: np.ndarray) -> None:
    user_day = np.unique(sample.user * 1000 + sample.day)
    active = np.bincount(user_day % 1000, minlength=100)
    # A sum of independent yes-or-no variables varies less than a Poisson count.
    z = (active - expected[:, 0].sum(axis=(1, 2))) / np.sqrt(active)
    assert np.abs(z).max() < 4.5, z.round(1)
