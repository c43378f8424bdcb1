"""What is told of single users, of cohorts and of the funnel, against what they go on to do."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from jobs.core.errors import UsageError
from jobs.shop.behaviour import generate_sessions
from jobs.shop.chances import DEAD
from jobs.shop.regimes import CONTACTED
from jobs.shop.sessions import CART, ORDER, Sessions
from jobs.shop.truth.cohorts import date_funnel, retention
from jobs.shop.truth.expectation import expectation
from jobs.shop.truth.outlook import campaign_arms, campaign_truth, check_campaign, clairvoyant
from jobs.shop.truth.steps import Event
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World
from tests.shop_worlds import EVENTFUL, eventful_world, settings, small_world

LIMIT = 4.0
# Of the eventful world's days: 20 is the first of the campaign, 26 of the price test.
CAMPAIGN_DAY, CAMPAIGN_DAYS = 20, 10


class Play:
    """A shop, its users and all their sessions."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.users: Users = generate_users(world, 0, world.user_count)
        days = len(world.activity)
        self.sessions: Sessions = generate_sessions(world, self.users, 0, days)

    def had(self, event: Event, day: int, days: int) -> np.ndarray:
        """Which users had an event on the days [day, day + days)."""
        sessions = self.sessions
        has_cart = (sessions.outcome == CART) | (sessions.outcome == ORDER)
        which = {
            Event.ACTIVE: np.ones(len(has_cart), dtype=bool),
            Event.CART: has_cart,
            Event.ORDER: sessions.outcome >= ORDER,
        }[event]
        found = np.zeros(len(self.users.key), dtype=bool)
        found[sessions.user[which & (sessions.day >= day) & (sessions.day < day + days)]] = True
        return found


@pytest.fixture(scope="module")
def play() -> Play:
    return Play(eventful_world(80_000))


@pytest.mark.parametrize("event", list(Event))
@pytest.mark.parametrize(("day", "horizon"), [(12, 7), (23, 9), (31, 5)])
def test_the_clairvoyant_is_right_in_every_tenth(play, event, day, horizon) -> None:
    chance = clairvoyant(play.world, play.users, day, horizon, event)
    known = play.users.signup_day < day
    assert np.isnan(chance[~known]).all()
    chance, happened = chance[known], play.had(event, day, horizon)[known]
    assert not happened[chance == 0].any()
    alive = play.users.last_day[known] >= day - 1
    assert ((chance > 0) == alive).all()
    chance, happened = chance[alive], happened[alive]
    group = np.searchsorted(np.quantile(chance, np.arange(1, 10) / 10), chance)
    mean = np.bincount(group, chance)
    spread = np.sqrt(np.bincount(group, chance * (1 - chance)))
    z = ((np.bincount(group, happened) - mean) / spread)[mean > 20]
    assert np.abs(z).max() < 4.5, z.round(1)
    assert abs(happened.sum() - chance.sum()) < LIMIT * np.sqrt((chance * (1 - chance)).sum())


def test_each_arm_of_the_campaign_does_what_its_truth_says(play: Play) -> None:
    truth = campaign_truth(play.world, play.users)
    inside = play.users.signup_day < CAMPAIGN_DAY
    assert (np.isnan(truth.uplift) == ~inside).all()
    arms = campaign_arms(play.world, play.users)
    assert [arm is None for arm in arms] == (~inside).tolist()
    ordered = play.had(Event.ORDER, CAMPAIGN_DAY, CAMPAIGN_DAYS)
    contacted = (play.users.arm & CONTACTED) > 0
    assert [arm == "contacted" for arm in arms] == contacted.tolist()
    for mine, chance in (
        (inside & ~contacted, truth.held_out),
        (inside & contacted, truth.held_out + truth.uplift),
    ):
        told = chance[mine]
        z = (ordered[mine].sum() - told.sum()) / np.sqrt((told * (1 - told)).sum())
        assert abs(z) < LIMIT
    # Large enough to be seen: without it the contacted would lie far outside.
    missing = truth.uplift[inside & contacted].sum()
    assert missing > 8 * np.sqrt(truth.held_out[inside & contacted].sum())
    by_channel = [truth.uplift[inside & (play.users.channel == place)].max() for place in range(5)]
    assert by_channel[4] == 0.0  # `direct` needs no message
    assert min(by_channel[:4]) > 0.0


def test_the_truth_of_a_campaign_does_not_wait_for_it() -> None:
    early = small_world(
        2000, 20, until=date(2023, 12, 20), shop=settings(warmup_days=20, incidents=EVENTFUL)
    )
    late = eventful_world(2000)
    users = generate_users(early, 0, early.user_count)
    before, after = campaign_truth(early, users), campaign_truth(late, users)
    assert len(users.key) > 200
    np.testing.assert_array_equal(before.uplift, after.uplift)
    np.testing.assert_array_equal(before.held_out, after.held_out)


def test_without_a_campaign_nobody_has_an_uplift() -> None:
    world = small_world(500, shop=settings(warmup_days=30, incidents={"campaign": None}))
    users = generate_users(world, 0, world.user_count)
    assert np.isnan(campaign_truth(world, users).uplift).all()
    assert campaign_arms(world, users) == [None] * len(users.key)


def test_a_campaign_beyond_the_calendar_is_refused() -> None:
    far = {**EVENTFUL["campaign"], "first": date(2040, 1, 1)}
    world = small_world(500, shop=settings(incidents={"campaign": far}))
    with pytest.raises(UsageError, match="2031"):
        check_campaign(world)


def test_retention_of_every_channel(play: Play) -> None:
    world, users, sessions = play.world, play.users, play.sessions
    told = retention(world, 25)
    signups = np.diff(world.first_user)
    days = len(signups)
    visits = np.unique(sessions.user * 1000 + sessions.day)
    visitor, day = visits // 1000, visits % 1000
    lag = day - users.signup_day[visitor]
    for age in (0, 1, 2, 7, 20, 25):
        cohorts = np.arange(days - age)
        share = told[cohorts, age]
        assert np.isnan(told[days - age :, age]).all()
        people = signups[cohorts, None, None] * world.segments.shares
        mean, variance = (people * share).sum(axis=(0, 1)), (people * share).sum(axis=(0, 1))
        found = np.bincount(users.channel[visitor[lag == age]], minlength=5)
        z = (found - mean) / np.sqrt(variance)
        assert np.abs(z).max() < 4.5, (age, z.round(1))


def test_funnel_on_dates(play: Play) -> None:
    days, window = [0, 8, 15, 22, 29], 7  # windows of seven dates that do not overlap
    expected = expectation(play.world, mass_of=[day - 1 for day in days[1:]])
    for day in days:
        step = date_funnel(play.world, expected.mass_before(day), day, window)
        active = play.had(Event.ACTIVE, day, 1)
        assert abs(active.sum() - step.active) < LIMIT * np.sqrt(step.active) + 1e-6
        for event, told in ((Event.CART, step.cart), (Event.ORDER, step.order)):
            found = (active & play.had(event, day, window)).sum()
            share = told / step.active
            z = (found - share * active.sum()) / np.sqrt(active.sum() * share * (1 - share))
            assert abs(z) < LIMIT, (day, event, found, told)


def test_the_dead_are_told_from_those_still_to_come(play: Play) -> None:
    chance = clairvoyant(play.world, play.users, 20, 7)
    gone = play.users.last_day < 19
    assert DEAD == -1 and gone.sum() > 1000
    assert (chance[gone] == 0).all()
