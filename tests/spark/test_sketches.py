"""Sketches of users: how far off they are, and whether one engine reads those of the other."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.catalog import SQL_ROOT, all_tables
from jobs.core.queries import render
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ENGINES = ["spark", "sail"]
# Far more users than registers, so that nothing is exact any more.
USERS, LG_K = 6000, 9
MIDNIGHT = dt.datetime(2024, 1, 5)
NAME = "activity_sketches_hourly"
Rows = list[dict[str, Any]]


def people(users: int) -> Rows:
    return [
        {"user_id": user, "country": "DE", "channel": "seo" if user % 3 else "ads"}
        for user in range(users)
    ]


def event(user: int | None, hour: int, event_type: str) -> dict[str, Any]:
    return {
        "user_id": user,
        "ts": MIDNIGHT + dt.timedelta(hours=hour),
        "event_date": MIDNIGHT.date(),
        "event_type": event_type,
    }


def sketches(spark: SparkSession, users: Rows, events: Rows, lg_k: int) -> DataFrame:
    """What the query of the table makes of these rows, registered under its name."""
    for name, rows in (("dim_users", users), ("fact_events", events)):
        frame(spark, all_tables()[name].schema, rows).createOrReplaceTempView(name)
    query = all_tables()[NAME].query or ""
    made = spark.sql(render(query, default_params() | {"sketch_lg_k": lg_k}))
    kept = spark.createDataFrame(made.toArrow().combine_chunks())
    kept.createOrReplaceTempView(NAME)
    return kept


def one(spark: SparkSession, statement: str) -> dict[str, Any]:
    (row,) = spark.sql(statement).toArrow().to_pylist()
    return row


def crowd() -> Rows:
    """Everybody looks, in one of three hours; two thirds have a cart, one third buys."""
    views = [event(user, 8 + user % 3, "view") for user in range(USERS)]
    carts = [event(user, 9, "add_to_cart") for user in range(USERS * 2 // 3)]
    bought = [event(user, 9, "purchase") for user in range(USERS // 3)]
    return views + carts + bought


@pytest.mark.parametrize("engine", ENGINES)
def test_errors_stay_within_four_standard_errors(
    request: pytest.FixtureRequest, engine: str
) -> None:
    spark = request.getfixturevalue(engine)
    sketches(spark, people(USERS), crowd(), LG_K)
    found = one(
        spark,
        f"""
        SELECT
            HLL_SKETCH_ESTIMATE(
                HLL_UNION_AGG(users_hll) FILTER (WHERE event_type = 'view')
            ) AS hll,
            THETA_SKETCH_ESTIMATE(
                THETA_UNION_AGG(users_theta, {LG_K}) FILTER (WHERE event_type = 'view')
            ) AS theta,
            THETA_SKETCH_ESTIMATE(THETA_DIFFERENCE(
                THETA_UNION_AGG(users_theta, {LG_K}) FILTER (WHERE event_type = 'add_to_cart'),
                THETA_UNION_AGG(users_theta, {LG_K}) FILTER (WHERE event_type = 'purchase')
            )) AS carted_only
        FROM {NAME}
        """,
    )
    registers = 2**LG_K
    assert abs(found["hll"] - USERS) <= 4 * 1.04 / math.sqrt(registers) * USERS
    assert abs(found["theta"] - USERS) <= 4 / math.sqrt(registers) * USERS
    # A difference is as uncertain as what it was taken from.
    carters, carted_only = USERS * 2 // 3, USERS // 3
    assert abs(found["carted_only"] - carted_only) <= 4 / math.sqrt(registers) * carters
    # Nothing was exact by chance, or the bounds above would say nothing.
    assert found["hll"] != USERS and found["theta"] != USERS


@pytest.mark.parametrize("engine", ENGINES)
def test_users_of_several_hours_and_segments_count_once(
    request: pytest.FixtureRequest, engine: str
) -> None:
    spark = request.getfixturevalue(engine)
    events = [event(user, hour, "view") for user in range(50) for hour in (8, 9, 9)]
    made = sketches(spark, people(50), events, 12)
    assert made.count() == 4
    found = one(
        spark,
        f"""
        SELECT
            SUM(users) AS added,
            SUM(events) AS events,
            HLL_SKETCH_ESTIMATE(HLL_UNION_AGG(users_hll)) AS hll,
            THETA_SKETCH_ESTIMATE(THETA_UNION_AGG(users_theta)) AS theta
        FROM {NAME}
        """,
    )
    assert found == {"added": 100, "events": 150, "hll": 50, "theta": 50}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lg_k", [8, 14])
def test_nulls_alone_make_no_sketch_of_another_precision(
    request: pytest.FixtureRequest, engine: str, lg_k: int
) -> None:
    """A sketch of NULLs alone has lgK 12, whatever was asked for, and no other merges with it."""
    spark = request.getfixturevalue(engine)
    events = [event(None, 8, "view"), event(None, 8, "purchase"), event(1, 9, "view")]
    made = sketches(spark, [*people(3), {"user_id": None, "country": "FR"}], events, lg_k)
    assert [row["event_type"] for row in made.toArrow().to_pylist()] == ["view"]
    found = one(spark, f"SELECT HLL_SKETCH_ESTIMATE(HLL_UNION_AGG(users_hll)) AS hll FROM {NAME}")
    assert found == {"hll": 1}


@pytest.mark.parametrize(("writer", "reader"), [("spark", "sail"), ("sail", "spark")])
def test_sketches_of_one_engine_are_read_by_the_other(
    request: pytest.FixtureRequest, writer: str, reader: str
) -> None:
    here, there = request.getfixturevalue(writer), request.getfixturevalue(reader)
    written = sketches(here, people(USERS), crowd(), LG_K).toArrow().combine_chunks()
    estimate = f"""
        SELECT
            HLL_SKETCH_ESTIMATE(HLL_UNION_AGG(users_hll)) AS hll,
            THETA_SKETCH_ESTIMATE(THETA_UNION_AGG(users_theta, {LG_K})) AS theta
        FROM {NAME}
    """
    own = one(here, estimate)
    there.createDataFrame(written).createOrReplaceTempView(NAME)
    assert one(there, estimate) == own


@pytest.mark.parametrize("engine", ENGINES)
def test_who_was_here_shows_the_exact_figure_beside_the_estimate(
    request: pytest.FixtureRequest, engine: str
) -> None:
    spark = request.getfixturevalue(engine)
    events = [event(user, 6 + user % 12, "add_to_cart") for user in range(90)]
    events += [event(user, 17, "purchase") for user in range(30)]
    # Out of the hours asked for: before and after, and what is bought too late.
    events += [event(user, 5, "add_to_cart") for user in range(90, 99)]
    events += [event(user, 18, "purchase") for user in range(30, 90)]
    sketches(spark, people(99), events, 12)
    question = (SQL_ROOT / "shell" / "who_was_here.sql").read_text(encoding="utf-8")
    rows = spark.sql(question).toArrow().to_pylist()
    assert [(row["channel"], row["estimated_users"], row["exact_users"]) for row in rows] == [
        ("all", 60, 60),
        ("seo", 40, 40),
        ("ads", 20, 20),
    ]
    assert {row["error"] for row in rows} == {0}
