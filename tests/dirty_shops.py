"""Small shops whose log is far dirtier than conf/base.yaml makes it, so that every fault occurs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from jobs.shop.dirt.labels import KINDS, TABLES
from jobs.shop.dirt.recorded import Recorded, recorded_rectangle
from jobs.shop.events import Rectangle, generate_rectangle
from jobs.shop.settings import shop_settings
from jobs.shop.world import World
from tests.shop_worlds import raw_settings, small_world

EVENT_SHARES = {
    "duplicate_exact": 0.02,
    "duplicate_burst": 0.002,
    "duplicate_altered": 0.02,
    "late": 0.03,
    "out_of_order": 0.03,
    "clock_ahead": 0.01,
    "clock_reset": 0.01,
    "clock_skew": 0.02,
    "unknown_user": 0.01,
}
ORDER_SHARES = {
    kind: 4 * share
    for kind, share in EVENT_SHARES.items()
    if kind not in ("duplicate_burst", "out_of_order")
}
OUTAGE, WAVE = date(2024, 1, 20), date(2024, 1, 25)
LOST_SHARE = 0.6


def dirty_raw(**dirt: Any) -> dict[str, Any]:
    """Settings with much dirt, an outage of the tracking and a wave of bots in the first weeks."""
    raw = raw_settings()
    bots = {**raw["dirt"]["bots"], "per_1000_users": 0.3}
    much = {"events": EVENT_SHARES, "orders": ORDER_SHARES, "null_country": 0.1, "bots": bots}
    raw["dirt"] = raw["dirt"] | much | dirt
    raw["incidents"] = raw["incidents"] | {
        "tracking_outages": [{"first": OUTAGE, "days": 2, "lost": LOST_SHARE}],
        "bot_waves": [{"first": WAVE, "days": 3, "factor": 6}],
    }
    return raw | {"warmup_days": 30}


@dataclass
class Twins:
    """The world of a dirty shop, its rows as they happened, and as they arrived."""

    world: World
    clean: Rectangle
    dirty: Recorded


def make_twins(users: int = 4000, days: int = 40, **dirt: Any) -> Twins:
    """Make all rows of both twins."""
    world = small_world(
        users=users, days=days, shop=shop_settings(dirty_raw(**dirt)), is_dirty=True
    )
    whole = (0, world.user_count, world.warmup_start, world.until)
    return Twins(world, generate_rectangle(world, *whole), recorded_rectangle(world, *whole))


def labelled(recorded: Recorded, table: str, *kinds: str) -> np.ndarray:
    """Which labels are of a table and of some kinds, or of any kind."""
    labels = recorded.labels
    chosen = labels.table == TABLES.index(table)
    if kinds:
        chosen &= np.isin(labels.kind, [KINDS.index(kind) for kind in kinds])
    return chosen
