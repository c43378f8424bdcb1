"""Small synthetic shops for the tests, with the settings of conf/base.yaml."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from jobs.core.config import load_config
from jobs.shop.events import Rectangle, generate_rectangle
from jobs.shop.settings import ShopSettings, shop_settings
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World, build_world

SEED = 42
MICROS_PER_DAY = 86_400_000_000


def raw_settings() -> dict[str, Any]:
    return copy.deepcopy(load_config().shop)


def settings(**changes: Any) -> ShopSettings:
    """The project's settings with some keys of the top level or of a section changed."""
    raw = raw_settings()
    for key, value in changes.items():
        raw[key] = {**raw[key], **value} if isinstance(value, dict) else value
    return shop_settings(raw)


def small_world(
    users: int = 3000,
    days: int = 40,
    seed: int = SEED,
    until: date | None = None,
    shop: ShopSettings | None = None,
    is_dirty: bool = False,
) -> World:
    """A shop with a short warm-up, so that it is quick to make from its very first day."""
    shop = shop or settings(warmup_days=30)
    until = until or shop.first_date + timedelta(days=days)
    return build_world(shop, users, days, seed, until, is_dirty)


def columns(arrays: Any) -> dict[str, np.ndarray]:
    """The arrays of a dataclass of arrays, by name."""
    return {name: getattr(arrays, name) for name in arrays.__dataclass_fields__}


def rows_by(arrays: Any, key: str) -> dict[str, np.ndarray]:
    """The arrays of a dataclass of arrays, in order of one of them."""
    order = np.argsort(getattr(arrays, key))
    return {name: values[order] for name, values in columns(arrays).items()}


@dataclass
class Sample:
    """A world, all its rows, and where each row belongs."""

    world: World
    users: Users
    rectangle: Rectangle
    user: np.ndarray
    day: np.ndarray


def make_sample(users: int, days: int) -> Sample:
    """Make all rows of a shop with a short warm-up, from its very first day."""
    world = small_world(users=users, days=days)
    people = generate_users(world, 0, world.user_count)
    rectangle = generate_rectangle(world, 0, world.user_count, world.warmup_start, world.until)
    order = np.argsort(people.user_id)
    user = order[np.searchsorted(people.user_id[order], rectangle.events.user_id)]
    day = rectangle.events.ts // MICROS_PER_DAY - world.first_epoch_day
    return Sample(world, people, rectangle, user, day)


def normalised_effects(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shares (c, h) of the segments, and effects on rate, conversion and amount."""
    countries, channels = world.settings.countries.values(), world.settings.channels
    share = np.array([[c.share * c.channels[name] for name in channels] for c in countries])
    rate = np.array([channel.rate for channel in channels.values()])[None, :]
    rate = rate / np.sum(share * rate)
    conversion = np.array(
        [[c.conversion * channel.conversion for channel in channels.values()] for c in countries]
    )
    conversion = conversion / np.sum(share * rate * conversion)
    amount = np.array([c.amount for c in countries])[:, None]
    amount = amount / np.sum(share * rate * conversion * amount)
    return share, rate, conversion, amount


# Everything that changes chances, within a few weeks of each other and partly at once.
EVENTFUL: dict[str, Any] = {
    "traffic": [{"first": date(2023, 12, 28), "days": 2, "visits": 1.8}],
    "checkout_outages": [{"first": date(2024, 1, 5), "days": 3, "completed": 0.2}],
    "campaign": {
        "first": date(2024, 1, 1),
        "days": 10,
        "treated_share": 0.3,
        "conversion": {"seo": 1.5, "ads": 2.5, "referral": 1.1, "social": 3.0, "direct": 1.0},
    },
    "price_test": {
        "first": date(2024, 1, 7),
        "days": 6,
        "treated_share": 0.4,
        "price": 1.5,
        "conversion": 0.6,
    },
    "drifts": [{"first": date(2024, 1, 14), "visits": 1.6, "conversion": 0.5, "amount": 2.0}],
}
CALM: dict[str, Any] = {
    "traffic": [],
    "checkout_outages": [],
    "campaign": None,
    "price_test": None,
    "drifts": [],
}


def eventful_world(users: int, seed: int = 42, days: int = 20) -> World:
    return small_world(users, days, seed, shop=settings(warmup_days=20, incidents=EVENTFUL))
