"""Rows of truth_users as Arrow batches, in the column types of the table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from jobs.core.columns import plain_strings
from jobs.shop.chances import conversion_multipliers, rate_multipliers
from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.regimes import OTHER_PRICE, has
from jobs.shop.truth.outlook import campaign_arms, campaign_truth
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World

TRUTH_USERS_SCHEMA = (
    "user_id BIGINT, signup_date DATE, rate_multiplier DOUBLE, leave_hazard DOUBLE, "
    "conversion_multiplier DOUBLE, order_value_level DOUBLE, lifetime_days INT, "
    "last_alive_date DATE, starts_in_mission BOOLEAN, campaign_arm STRING, price_arm STRING, "
    "true_uplift DOUBLE, campaign_order_probability DOUBLE"
)


def truth_batch(world: World, user_from: int, user_to: int) -> pa.RecordBatch:
    """Make the latent traits of users; columns of truth_users without source, batch_id."""
    return plain_strings(truth_rows(world, generate_users(world, user_from, user_to)))


def truth_rows(world: World, users: Users) -> pa.RecordBatch:
    """Put the latent traits of users into columns; the arms are dictionaries."""
    rate = rate_multipliers(world)[users.rate_slice, users.channel]
    conversion = conversion_multipliers(world)[users.conversion_slice, users.country, users.channel]
    campaign = campaign_truth(world, users)
    return pa.record_batch(
        {
            "user_id": pa.array(users.user_id),
            "signup_date": _dates(users.signup_day + world.first_epoch_day),
            "rate_multiplier": pa.array(rate),
            "leave_hazard": pa.array(world.leave.values[users.leave_slice]),
            "conversion_multiplier": pa.array(conversion),
            "order_value_level": pa.array(users.order_level),
            "lifetime_days": pa.array((users.last_day - users.signup_day).astype(np.int32)),
            "last_alive_date": _dates(users.last_day + world.first_epoch_day),
            "starts_in_mission": pa.array(users.starts_in_mission),
            "campaign_arm": _arms(campaign_arms(world, users)),
            "price_arm": _arms(_price_arms(world, users)),
            "true_uplift": _nullable(campaign.uplift),
            "campaign_order_probability": _nullable(campaign.held_out),
        }
    )


def _arms(names: list[str | None]) -> pa.Array:
    return pa.array(names, pa.string()).dictionary_encode()


def _price_arms(world: World, users: Users) -> list[str | None]:
    """Name each user's arm of the price test: other_price or usual_price; None without a test."""
    if world.settings.incidents.price_test is None:
        return [None] * len(users.key)
    return np.where(has(OTHER_PRICE)[users.arm], "other_price", "usual_price").tolist()


def _dates(epoch_days: IntArray) -> pa.Array:
    return pa.array(epoch_days.astype(np.int32)).cast(pa.date32())


def _nullable(values: Float64Array) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
