"""Pairs of worlds that differ in one effect alone, and how large that effect is.

Both worlds draw the same random numbers, so whatever the effect does not touch is the same in
both, row by row, and the error of a ratio is that of the few rows that change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from jobs.shop.behaviour import generate_sessions
from jobs.shop.events import generate_orders
from jobs.shop.sessions import CART, ORDER, Sessions
from jobs.shop.settings import ShopSettings
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World, build_world
from tests.shop_worlds import SEED, raw_settings, settings

# Four standard errors: one ratio in 16,000 lies beyond by chance.
LIMIT = 4.0
FLAT = {"weekdays": [1] * 7, "season_amplitude": 0, "peaks": []}
NOTHING: dict[str, Any] = {name: [] for name in raw_settings()["incidents"]}
NOTHING |= {"campaign": None, "price_test": None}
# Many visits, so that effects show; and no chance so high that its cap would blunt an effect, no
# order undone because it is not the day's first: the effects are exact.
BUSY = {
    "cart_or_order": [0.1, 0.1, 0.1],
    "dormant_sessions": 0.8,
    "mission_sessions": 3,
    "mission_sessions_cap": 20,
    "repeat_order": 1.0,
}
WARMUP_DAYS = 30
DAY = date(2024, 3, 18)  # on which the incidents of the tests begin
CONFIGURED = raw_settings()["incidents"]


def calm_shop(first: date, **changes: Any) -> ShopSettings:
    """A busy shop without calendar and incidents but for `changes`, first shown on `first`."""
    sections: dict[str, Any] = {"calendar": FLAT, "incidents": NOTHING, "behaviour": BUSY}
    for name, values in changes.items():
        known = sections.get(name)
        sections[name] = {**known, **values} if isinstance(known, dict) else values
    return settings(first_date=first, warmup_days=WARMUP_DAYS, **sections)


def world_until(shop: ShopSettings, users: int, days: int = 1) -> World:
    """The shop up to `days` after its first day; that day is day `WARMUP_DAYS`."""
    return build_world(shop, users, days, SEED, shop.first_date + timedelta(days=days))


def same_morning(without: World, with_effect: World) -> World:
    """The world `without` until its first day shown, and from then on with the effect.

    The same people sign up, and on that morning everybody is in the same state.
    """
    activity = without.activity.copy()
    activity[WARMUP_DAYS:] = with_effect.activity[WARMUP_DAYS:]
    return replace(without, activity=activity, regimes=with_effect.regimes)


def everybody(world: World) -> Users:
    return generate_users(world, 0, world.user_count)


def first_day(world: World, users: Users) -> Sessions:
    """Sessions of the first day shown, of those who signed up before it.

    Whoever signs up that day has a visit which no effect takes away.
    """
    sessions = generate_sessions(world, users, WARMUP_DAYS, WARMUP_DAYS + 1)
    return sessions.take(users.signup_day[sessions.user] < WARMUP_DAYS)


def per_user(users: Users, sessions: Sessions, kept: Any = slice(None)) -> np.ndarray:
    """How many of the sessions each user has."""
    return np.bincount(sessions.user[kept], minlength=len(users.key)).astype(np.float64)


def filled_carts(users: Users, sessions: Sessions) -> np.ndarray:
    """How many carts each user fills, whether or not they are bought."""
    return per_user(users, sessions, np.isin(sessions.outcome, (CART, ORDER)))


def standard_errors(with_effect: np.ndarray, without: np.ndarray, factor: float) -> float:
    """Distance of a total from `factor` times the other; users are independent of each other."""
    difference = with_effect - factor * without
    if not difference.any():
        return 0.0
    return float(difference.sum() / (difference.std() * np.sqrt(len(difference))))


def assert_effect(with_effect: np.ndarray, without: np.ndarray, factor: float, what: str) -> None:
    """Hold a ratio against its factor, and show that half the effect would have been noticed.

    Where the effect is below 2 %, there is nothing to halve.
    """
    found = f"{what}: {with_effect.sum() / without.sum():.4f} for {factor:.4f}"
    assert abs(standard_errors(with_effect, without, factor)) < LIMIT, found
    if abs(factor - 1) < 0.02:
        return
    half = standard_errors(with_effect, without, 1 + (factor - 1) / 2)
    assert abs(half) > LIMIT, f"{found}; too few rows to tell it from half of it"
    assert np.sign(half) == np.sign(factor - 1), found


def rows_of(sessions: Sessions, users: np.ndarray) -> np.ndarray:
    """The sessions of some users (mask over users) as rows of comparable numbers."""
    kept = sessions.take(users[sessions.user])
    return np.stack([kept.user, kept.day, kept.number, kept.outcome], axis=1)


@dataclass(frozen=True, eq=False)
class Pair:
    """A shop with an incident that begins on its first day shown, and without it."""

    there: World
    users: Users
    sessions: Sessions
    calm: World
    calm_users: Users
    calm_sessions: Sessions

    def carts(self, kept: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Carts that users fill on the first day, with the incident and without."""
        return (
            filled_carts(self.users, self.sessions)[kept],
            filled_carts(self.users, self.calm_sessions)[kept],
        )


def pair_of(incidents: dict[str, Any], users: int = 100_000, days: int = 1) -> Pair:
    """Make a shop with these incidents, and its twin in which nothing happens."""
    found: list[Any] = []
    for shop in (calm_shop(DAY, incidents=incidents), calm_shop(DAY)):
        world = world_until(shop, users, days)
        people = everybody(world)
        found += [world, people, first_day(world, people)]
    return Pair(*found)


def paid(world: World, day: date, days: int = 1) -> dict[int, int]:
    """Cents of each order of some days, by its id."""
    orders = generate_orders(world, 0, world.user_count, day, day + timedelta(days=days))
    return dict(zip(orders.order_id.tolist(), orders.amount_cents.tolist(), strict=True))


def amounts(both: Pair, day: date) -> dict[int, tuple[int, int]]:
    """Cents with the incident and without, of the orders that are in both worlds."""
    there, calm = paid(both.there, day), paid(both.calm, day)
    return {order: (there[order], calm[order]) for order in there.keys() & calm.keys()}


def assert_price(pairs: dict[int, tuple[int, int]], factor: float) -> None:
    """Hold each order against its twin; both amounts are rounded to a cent."""
    cents = np.array(list(pairs.values()), dtype=np.float64)
    assert len(cents) > 300
    np.testing.assert_allclose(cents[:, 0], factor * cents[:, 1], atol=1.1)
