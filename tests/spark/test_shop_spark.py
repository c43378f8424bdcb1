"""The synthetic shop through Spark: the same draws, and the same rows however it is split."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import reduce

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.shop import bronze
from jobs.shop.events import generate_rectangle
from jobs.shop.hashing import Stream, counter, draw, user_keys
from jobs.shop.layout import EVENT_TYPES
from jobs.shop.users import generate_users
from jobs.shop.world import World
from tests.shop_worlds import small_world


@pytest.fixture(scope="module")
def world() -> World:
    # More than one block of users and one chunk of days, so that both are put together again.
    return small_world(users=10_000, days=70)


def test_draws_are_sparks_own_xxhash64(spark: SparkSession) -> None:
    seed = -7
    source = spark.range(4000).select(
        ((F.col("id") * 7919) % 268_435_456).alias("user"),
        F.shiftleft(F.lit(int(Stream.SESSION)).cast("bigint"), 48)
        .bitwiseOR(F.shiftleft(F.lit(18_262) + F.col("id"), 32))
        .bitwiseOR(F.shiftleft(F.col("id") % 32, 16))
        .alias("counter"),
    )
    rows = source.withColumn("hash", F.xxhash64(F.lit(seed).cast("bigint"), "user", "counter"))
    ids = np.arange(4000)
    keys = user_keys(seed, ids * 7919 % 268_435_456)
    actual = draw(keys, ids, counter(Stream.SESSION, 18_262 + ids, ids % 32)).view(np.int64)
    assert actual.tolist() == [row["hash"] for row in rows.collect()]


def test_events_do_not_depend_on_partitions(spark: SparkSession, world: World) -> None:
    first, last = world.first_date, world.first_date + timedelta(days=5)
    expected = bronze.events_frame(spark, world, first, last, partitions=1)
    actual = bronze.events_frame(spark, world, first, last, partitions=3)
    assert actual.rdd.getNumPartitions() == 3
    assert same_rows(actual, expected)


def test_day_by_day_equals_all_in_one_go(spark: SparkSession, world: World) -> None:
    days = [world.first_date + timedelta(days=n) for n in range(29, 32)]
    for make in (bronze.events_frame, bronze.orders_frame):
        pieces = [make(spark, world, day, day + timedelta(days=1)) for day in days]
        expected = make(spark, world, days[0], days[-1] + timedelta(days=1))
        assert same_rows(reduce(DataFrame.unionByName, pieces), expected)


def test_frames_hold_the_rows_of_the_rectangle(spark: SparkSession, world: World) -> None:
    # All days, so that the chunks of 60 are put together too.
    whole = generate_rectangle(world, 0, world.user_count, world.warmup_start, world.until)
    frame = bronze.events_frame(spark, world, world.warmup_start, world.until)
    delay = F.unix_micros("ingest_ts") - F.unix_micros("ts")
    actual = frame.groupBy("event_type").agg(
        F.count("*").alias("rows"),
        F.count("value").alias("valued"),
        F.expr("bit_xor(event_id)").alias("ids"),
        F.expr("bit_xor(user_id)").alias("users"),
        F.expr("bit_xor(unix_micros(ts))").alias("times"),
        F.sum(delay).alias("delay"),
    )
    events = whole.events
    rows = actual.collect()
    assert {row["event_type"] for row in rows} == set(EVENT_TYPES)
    for row in rows:
        mine = events.event_type == EVENT_TYPES.index(row["event_type"])
        assert row["rows"] == mine.sum()
        assert row["valued"] == np.isfinite(events.value[mine]).sum()
        assert row["ids"] == np.bitwise_xor.reduce(events.event_id[mine])
        assert row["users"] == np.bitwise_xor.reduce(events.user_id[mine])
        assert row["times"] == np.bitwise_xor.reduce(events.ts[mine])
        assert row["delay"] == (events.ingest_ts - events.ts)[mine].sum()


def test_amounts_are_exact_cents(spark: SparkSession, world: World) -> None:
    whole = generate_rectangle(world, 0, world.user_count, world.first_date, world.until).orders
    rows = bronze.orders_frame(spark, world, world.first_date, world.until).collect()
    amounts = {row["order_id"]: row["amount"] for row in rows}
    assert amounts == {
        order_id: Decimal(cents).scaleb(-2)
        for order_id, cents in zip(
            whole.order_id.tolist(), whole.amount_cents.tolist(), strict=True
        )
    }


def test_users_and_their_truth(spark: SparkSession, world: World) -> None:
    first, last = world.first_date, world.first_date + timedelta(days=2)
    numbers = world.user_numbers(first, last)
    expected = generate_users(world, numbers.start, numbers.stop)
    users = {row["user_id"]: row for row in bronze.users_frame(spark, world, first, last).collect()}
    truth = {
        row["user_id"]: row
        for row in bronze.truth_users_frame(spark, world, first, last, partitions=3).collect()
    }
    assert sorted(users) == sorted(truth) == sorted(expected.user_id.tolist())
    assert len(numbers) > 100
    for place, user_id in enumerate(expected.user_id.tolist()):
        known, hidden = users[user_id], truth[user_id]
        signup = world.warmup_start + timedelta(days=int(expected.signup_day[place]))
        assert known["signup_date"] == hidden["signup_date"] == signup
        assert known["ingest_ts"].isoformat() == f"{signup}T00:00:00"
        assert known["country"] == world.segments.country_names[expected.country[place]]
        assert known["channel"] == world.segments.channel_names[expected.channel[place]]
        lived = (hidden["last_alive_date"] - signup).days
        assert (
            hidden["lifetime_days"]
            == lived
            == expected.last_day[place] - expected.signup_day[place]
        )
        effect = world.segments.rate_effect[expected.channel[place]]
        latent = world.rate.values[expected.rate_slice[place]]
        assert hidden["rate_multiplier"] == latent * effect
        assert hidden["starts_in_mission"] == bool(expected.starts_in_mission[place])


@pytest.mark.parametrize(
    ("table", "schema", "added"),
    [
        ("bronze_users", bronze.USERS_SCHEMA, {"source", "batch_id"}),
        ("bronze_events", bronze.EVENTS_SCHEMA, {"source", "batch_id"}),
        ("bronze_orders", bronze.ORDERS_SCHEMA, {"source", "batch_id"}),
        ("truth_users", bronze.TRUTH_USERS_SCHEMA, {"source", "batch_id"}),
    ],
)
def test_frames_have_the_columns_of_their_contract(table: str, schema: str, added: set) -> None:
    contract = [
        f"{column.name} {column.type}"
        for column in all_tables()[table].contract.columns
        if column.name not in added
    ]
    assert schema.split(", ") == contract


def same_rows(left: DataFrame, right: DataFrame) -> bool:
    """Compare two frames as bags, by the order-free sums of two hashes of their rows."""

    def digest(frame: DataFrame) -> tuple:
        hashes = frame.select(
            F.xxhash64(*frame.columns).cast("decimal(38,0)").alias("a"),
            F.hash(*frame.columns).cast("bigint").alias("b"),
        )
        return tuple(hashes.agg(F.count("*"), F.sum("a"), F.sum("b")).first())

    return digest(left) == digest(right) and digest(left)[0] > 0
