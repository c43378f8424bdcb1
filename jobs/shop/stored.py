"""The world a warehouse was made of, found again from the record of its batches."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.core import batches
from jobs.core.batches import SHOP_PREFIX
from jobs.core.errors import UsageError
from jobs.shop.settings import shop_of
from jobs.shop.world import World, build_world

if TYPE_CHECKING:
    from jobs.core.config import Config
    from jobs.core.tables import Warehouse


def identity_of(world: World) -> dict[str, Any]:
    """What, beside the settings, makes a world the one it is."""
    return {
        "users": world.planned_users,
        "days": world.planned_days,
        "seed": world.seed,
        "is_dirty": world.is_dirty,
    }


def stored_world(warehouse: Warehouse, config: Config) -> World | None:
    """Build the world of a warehouse again, up to the last day made; None for a team's own log.

    Parameters
    ----------
    warehouse : Warehouse
    config : Config
        Must hold the settings the shop was made with.

    Returns
    -------
    World or None

    Raises
    ------
    UsageError
        The settings are others than those of the shop.
    """
    made = [
        row
        for row in batches.recorded(warehouse)
        if row["source"].startswith(SHOP_PREFIX) and row["table_name"] == "bronze_events"
    ]
    if not made:
        return None
    identity = json.loads(made[0]["detail"])
    until = max(row["last_date"] for row in made) + timedelta(days=1)
    world = build_world(shop_of(config), until=until, **identity)
    if made[0]["source"] != SHOP_PREFIX + world.world_id:
        raise UsageError(
            f"{warehouse.root} holds a shop of other settings than those given: "
            "use the --conf-file it was generated with"
        )
    return world
