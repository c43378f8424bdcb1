"""What `verify` says of a synthetic shop: it holds for the shop, and fails for another one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.proof.findings import Finding
from jobs.proof.truth_checks import compare
from jobs.proof.truth_cohorts import funnel_eves
from jobs.proof.truth_observed import Observed, observed
from jobs.proof.truth_outlooks import check_outlooks
from jobs.shop import bronze
from jobs.shop.events import generate_rectangle
from jobs.shop.truth.expectation import expectation
from jobs.shop.users import generate_users
from jobs.shop.world import World
from tests.jobs.commands import run_in
from tests.shop_worlds import CALM, MICROS_PER_DAY, settings, small_world

USERS, DAYS = 4000, 49


def calm_world(**changes: object) -> World:
    shop = settings(warmup_days=20, incidents=CALM, **changes)
    # Dirty, so that its rows are made anew and no silver table is needed.
    return dataclasses.replace(small_world(USERS, DAYS, shop=shop), is_dirty=True)


@pytest.fixture(scope="module")
def world() -> World:
    return calm_world()


@pytest.fixture(scope="module")
def seen(spark: SparkSession, world: World, tmp_path_factory: pytest.TempPathFactory):
    run = run_in(spark, Path(tmp_path_factory.mktemp("truth")))
    with observed(run, world, world.first_date, world.until) as relations:
        yield relations


def findings(seen: Observed, world: World) -> list[Finding]:
    eves = funnel_eves(world.day(seen.first), world.day(seen.end))
    return compare(seen, expectation(world, mass_of=eves))


def failed(found: list[Finding]) -> set[str]:
    return {
        finding.name.removeprefix("truth: ").split(",")[0] for finding in found if finding.failed
    }


def test_a_shop_meets_its_own_truth(seen: Observed, world: World) -> None:
    found = findings(seen, world) + check_outlooks(seen, world)
    assert not failed(found), found
    compared = [finding for finding in found if finding.found != "not compared"]
    assert len(compared) >= 20


def test_it_does_not_meet_the_truth_of_another(seen: Observed) -> None:
    acts = settings().behaviour
    tempting = [1.5 * chance for chance in acts.cart_or_order]
    wrong = failed(findings(seen, calm_world(behaviour={"cart_or_order": tempting})))
    assert {"carts per session", "active on a date: cart within 7"} <= wrong
    assert not {"dau per day", "retention on day 1"} & wrong
    wrong = failed(findings(seen, calm_world(behaviour={"mission_sessions": 2.8})))
    assert {"retention on day 1", "sessions by country x channel"} <= wrong


def test_totals_are_those_of_the_rows(seen: Observed, world: World) -> None:
    rectangle = generate_rectangle(world, 0, world.user_count, world.first_date, world.until)
    events, orders = rectangle.events, rectangle.orders
    day = events.ts // MICROS_PER_DAY
    days = seen.per_day()
    first = int(day.min())
    active = np.unique(events.user_id * 100_000 + day) % 100_000 - first
    assert days["dau"].tolist() == np.bincount(active).tolist()
    starts = (events.event_id & 255) == 0
    assert days["sessions"].tolist() == np.bincount(day[starts] - first).tolist()
    order_day = orders.ts // MICROS_PER_DAY - first
    expected = np.bincount(order_day, orders.amount_cents / 100, minlength=len(days))
    np.testing.assert_allclose(days["revenue"].to_numpy(), expected)
    by_user = np.unique(orders.user_id, return_counts=True)[1]
    assert seen.per_segment()["orders_orders"].sum() == (by_user.astype(np.int64) ** 2).sum()


def test_truth_users_tells_the_uplift_of_the_audience(spark: SparkSession) -> None:
    shop = small_world(2000, 10)  # before the campaign of the settings
    first, last = shop.warmup_start, shop.until
    truth = bronze.truth_users_frame(spark, shop, first, last)
    arms = {
        row["campaign_arm"]: row
        for row in truth.groupBy("campaign_arm")
        .agg(
            F.count("*").alias("users"),
            F.avg("true_uplift").alias("uplift"),
            F.avg("campaign_order_probability").alias("chance"),
        )
        .collect()
    }
    assert set(arms) == {"contacted", "held_out"}
    users = generate_users(shop, 0, shop.user_count)
    assert sum(row["users"] for row in arms.values()) == len(users.key)
    for row in arms.values():
        assert 0 < row["uplift"] < row["chance"] < 0.2
    prices = {row["price_arm"] for row in truth.select("price_arm").distinct().collect()}
    assert prices == {"other_price", "usual_price"}
