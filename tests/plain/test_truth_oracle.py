"""The history oracle against Bayes' rule written out on the full grid, and its own checks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from jobs.shop.behaviour import generate_sessions
from jobs.shop.sessions import CARRIED_ORDER, CART, ORDER, Sessions
from jobs.shop.truth.oracle import Forecast, forecast, history_of
from jobs.shop.truth.outlook import clairvoyant
from jobs.shop.truth.steps import Event
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World
from tests.shop_worlds import eventful_world, normalised_effects

DAYS = [18, 27]


class Grid:
    """One user's cells, rate x hazard x conversion x state, with chances from the settings."""

    def __init__(self, world: World, country: int, channel: int, arm: int) -> None:
        self.world, self.arm, self.channel = world, arm, channel
        acts = world.settings.behaviour
        _, rate_effect, conversion_effect, _ = normalised_effects(world)
        rate = world.rate.values * np.broadcast_to(rate_effect, conversion_effect.shape)[0, channel]
        self.conversion = world.conversion.values * conversion_effect[country, channel]
        self.on = np.minimum(acts.mission_start_cap, acts.mission_start * np.sqrt(rate))
        mission = np.minimum(acts.mission_sessions_cap, acts.mission_sessions * np.sqrt(rate))
        self.visits = np.stack([acts.dormant_sessions * rate, mission, mission], axis=-1)
        self.off, self.goes_on = acts.mission_end, acts.mission_after_order
        share = np.multiply.outer(
            np.multiply.outer(world.rate.shares, world.leave.shares), world.conversion.shares
        )
        start = [1 - acts.starts_in_mission, acts.starts_in_mission, 0]
        self.mass, self.dead = np.multiply.outer(share, start), 0.0

    def mean(self, day: int) -> np.ndarray:
        return (self.visits * self.world.activity[day])[:, None, None, :]

    def chances(self, day: int) -> tuple[np.ndarray, ...]:
        """Cart and order, carried order, cart only; by conversion and state."""
        acts, regimes = self.world.settings.behaviour, self.world.regimes
        regime = regimes.of_day[day]
        conversion = self.conversion[:, None] * regimes.conversion[regime, self.arm, self.channel]
        fills = np.minimum(acts.chance_cap, np.array(acts.cart_or_order) * conversion)
        carry = np.minimum(acts.chance_cap, acts.carried_order * conversion) * [0, 0, 1]
        done = regimes.completed[regime]
        order = fills * np.array(acts.order_share) * done
        return order, (1 - fills) * carry * done, fills - order

    def live(self) -> None:
        hazard = self.world.leave.values[:, None, None]
        self.dead += (self.mass * hazard).sum()
        mass = self.mass * (1 - hazard)
        total, on = mass.sum(axis=-1), self.on[:, None, None]
        mass = mass * (1 - on[..., None] - self.off)
        mass[..., 1] += on * total
        mass[..., 0] += self.off * total
        self.mass = mass

    def see(self, day: int, outcomes: np.ndarray, is_signup: bool) -> None:
        """A day that the log shows, by Bayes' rule."""
        order, carried, cart = self.chances(day)
        thin = self.world.settings.behaviour.repeat_order
        factor, ordered, mean = np.ones_like(order), False, self.mean(day)
        for outcome in outcomes:
            keep = thin if ordered else 1.0
            factor = (
                factor
                * {
                    ORDER: order * keep,
                    CARRIED_ORDER: carried * keep,
                    CART: cart + order * (1 - keep),
                    0: 1 - order - carried - cart + carried * (1 - keep),
                }[int(outcome)]
            )
            ordered |= outcome >= ORDER
        count = len(outcomes) - is_signup
        mass = self.mass * np.exp(-mean) * mean**count / np.prod(np.arange(1, count + 1)) * factor
        if len(outcomes):
            self.dead = 0.0
        total = mass.sum(axis=-1)
        if ordered:
            mass = np.multiply.outer(total, [1 - self.goes_on, self.goes_on, 0])
        elif (outcomes == CART).any():
            mass = np.multiply.outer(total, [0, 0, 1.0])
        scale = mass.sum() + self.dead
        self.mass, self.dead = mass / scale, self.dead / scale

    def miss(self, day: int, is_signup: bool) -> None:
        """A day that the log does not show: all may have happened."""
        order, carried, cart = self.chances(day)
        mean, bought = self.mean(day), order + carried
        none = np.exp(-mean * bought) * (1 - bought * is_signup)
        nothing = np.exp(-mean * (bought + cart)) * (1 - (bought + cart) * is_signup)
        after = self.mass * nothing
        orders = (self.mass * (1 - none)).sum(axis=-1)
        after[..., 0] += (1 - self.goes_on) * orders
        after[..., 1] += self.goes_on * orders
        after[..., 2] += (self.mass * (none - nothing)).sum(axis=-1)
        self.mass = after

    def ahead(self, day: int, horizon: int, event: Event) -> float:
        """P(event on [day, day + horizon)), by carrying on the mass without it."""
        saved = self.mass, self.dead
        for later in range(day, day + horizon):
            self.live()
            order, carried, cart = self.chances(later)
            mean = self.mean(later)
            if event is Event.ACTIVE:
                self.mass = self.mass * np.exp(-mean)
                continue
            nothing = np.exp(-mean * (order + carried + cart))
            filled = self.mass * (np.exp(-mean * (order + carried)) - nothing)
            self.mass = self.mass * nothing
            self.mass[..., 2] += filled.sum(axis=-1)
        chance = 1 - self.mass.sum() - self.dead
        self.mass, self.dead = saved
        return float(chance)


def on_the_grid(world: World, users: Users, sessions: Sessions, user: int, seen_from: int):
    """P(order in 7 days) and P(active in 14 days) of one user on each of `DAYS`."""
    grid = Grid(world, users.country[user], users.channel[user], users.arm[user])
    signup, told = int(users.signup_day[user]), {}
    for day in range(signup, DAYS[-1]):
        if day > signup:
            grid.live()
        if day < seen_from:
            grid.miss(day, day == signup)
        else:
            mine = (sessions.user == user) & (sessions.day == day)
            grid.see(day, sessions.outcome[mine], day == signup)
        told[day + 1] = [grid.ahead(day + 1, 7, Event.ORDER), grid.ahead(day + 1, 14, Event.ACTIVE)]
    return [told.get(day, [np.nan, np.nan]) for day in DAYS]


@pytest.mark.parametrize("seen_from", [0, 10])
def test_the_oracle_is_bayes_rule_on_the_full_grid(seen_from: int) -> None:
    world = eventful_world(3000, days=25)
    users = generate_users(world, 0, world.user_count)
    sessions = generate_sessions(world, users, seen_from, DAYS[-1])
    told = forecast(world, history_of(users, sessions), DAYS, seen_from)
    # The busiest, those with repeated orders, carried orders and carts, and newcomers and others.
    visits = np.bincount(sessions.user, minlength=len(users.key))
    carried = np.bincount(sessions.user, sessions.outcome == CARRIED_ORDER)
    orders = np.bincount(sessions.user * 100 + sessions.day, sessions.outcome >= ORDER)
    repeats = np.flatnonzero(orders >= 2) // 100
    chosen = np.unique(
        [*np.argsort(visits)[-4:], *repeats[:3], *np.argsort(carried)[-3:], 3, 900, 1500, 2400]
    )
    chosen = chosen[chosen < len(users.key)]
    assert len(repeats) >= 2 and carried.max() >= 1
    for user in chosen.tolist():
        expected = np.array(on_the_grid(world, users, sessions, user, seen_from))
        actual = np.stack([told.order[user], told.active[user]], axis=1)
        np.testing.assert_allclose(actual, expected, rtol=1e-9, err_msg=str(user))


@dataclasses.dataclass
class Told:
    """A shop told of, and what came of it: order in 7 days and active in 14."""

    world: World
    users: Users
    sessions: Sessions
    told: Forecast

    def came(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        sessions = self.sessions
        found = np.zeros((2, len(self.users.key)), dtype=bool)
        after = sessions.day >= day
        bought = after & (sessions.day < day + 7) & (sessions.outcome >= ORDER)
        found[0, sessions.user[bought]] = True
        found[1, sessions.user[after & (sessions.day < day + 14)]] = True
        return found[0], found[1]


@pytest.fixture(scope="module")
def big() -> Told:
    world = eventful_world(30_000, days=25)
    users = generate_users(world, 0, world.user_count)
    sessions = generate_sessions(world, users, 0, len(world.activity))
    return Told(world, users, sessions, forecast(world, history_of(users, sessions), DAYS))


def log_loss(chance: np.ndarray, happened: np.ndarray) -> np.ndarray:
    return -np.log(np.where(happened, chance, 1 - chance))


@pytest.mark.parametrize("place", [0, 1])
def test_its_own_checks_hold(big: Told, place: int) -> None:
    day = DAYS[place]
    known = big.users.signup_day < day
    for told, happened, horizon, event in (
        (big.told.order, big.came(day)[0], 7, Event.ORDER),
        (big.told.active, big.came(day)[1], 14, Event.ACTIVE),
    ):
        assert np.isnan(told[~known, place]).all()
        chance, came = told[known, place], happened[known]
        variance = chance * (1 - chance)
        assert abs(came.sum() - chance.sum()) < 4 * np.sqrt(variance.sum())
        odds = np.log(chance / (1 - chance))
        entropy = -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))
        loss = log_loss(chance, came)
        assert abs((loss - entropy).sum()) < 4 * np.sqrt((variance * odds**2).sum())
        # Nobody who knows less does better, a rule told by hindsight and age included.
        recent = big.sessions.day < day
        visits = np.bincount(
            big.sessions.user[recent & (big.sessions.day >= day - 7)], minlength=len(known)
        )
        rule = (
            np.minimum(visits, 3)[known] * 3
            + np.minimum(day - big.users.signup_day, 15)[known] // 6
        )
        rate = (np.bincount(rule, came) / np.maximum(np.bincount(rule), 1))[rule]
        assert loss.mean() < log_loss(rate, came).mean() - 0.0005
        knowing = clairvoyant(big.world, big.users, day, horizon, event)[known]
        assert log_loss(knowing, came).mean() < loss.mean() - 0.0005


def test_a_log_that_cannot_be_is_refused() -> None:
    world = eventful_world(300)
    users = generate_users(world, 0, world.user_count)
    sessions = generate_sessions(world, users, 0, 20)
    history = history_of(users, sessions)
    with pytest.raises(ValueError, match="before its user's signup"):
        forecast(world, dataclasses.replace(history, signup_day=history.signup_day + 3), [25])
    with pytest.raises(ValueError, match="before its user's signup or before the log"):
        forecast(world, history, [25], observed_from=5)
    with pytest.raises(ValueError, match="no session on the day of signup"):
        forecast(world, dataclasses.replace(history, signup_day=history.signup_day - 1), [25])
