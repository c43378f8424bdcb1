"""Small random logs as they arrive, dirty, and what a query of the silver layer makes of one.

Every fault that a rule names is drawn, often two in one row, and copies of rows that differ in
nothing, in what they say, in when they happened or in when they arrived.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.oracle.definitions import checked, facts, turned_away
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]
# Around the turn of a year, a leap day, and a day on which clocks in Los Angeles go forward.
STARTS = [dt.date(2023, 12, 30), dt.date(2024, 2, 28), dt.date(2024, 3, 9)]
MINUTES = [0, 30, 31, 60, 7 * 60, 8 * 60, 15 * 60, 23 * 60 + 59]
HOURS_TO_ARRIVAL = [0, 0, 0, 1, 30, -24, -25]


@dataclass(frozen=True)
class Bronze:
    """Rows of the bronze tables and the settings under which they are judged."""

    users: list[Row]
    events: list[Row]
    orders: list[Row]
    tz: str
    max_events_per_user_day: int
    active_event_types: tuple[str, ...]
    from_date: dt.date
    to_date: dt.date


@st.composite
def bronzes(draw: st.DrawFn) -> Bronze:
    """Draw a log of a few days, and the days asked for: some of them or all there could be."""
    start = draw(st.sampled_from(STARTS))
    users = [_user(draw, start) for _ in range(draw(st.integers(0, 6)))]
    events = [_event(draw, start) for _ in range(draw(st.integers(0, 12)))]
    orders = [_order(draw, start) for _ in range(draw(st.integers(0, 6)))]
    first = start + dt.timedelta(days=draw(st.integers(0, 1)))
    some = first, first + dt.timedelta(days=draw(st.integers(1, 2)))
    days = draw(st.sampled_from([(dt.date(1, 1, 1), dt.date(9999, 12, 31)), some]))
    return Bronze(
        _with_copies(draw, users, "country", ["DE", None], day="signup_date"),
        _with_copies(draw, events, "value", [None, 1.5, -1.0]),
        _with_copies(draw, orders, "amount", [Decimal("1.50"), Decimal("-1.50")]),
        draw(st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata"])),
        draw(st.sampled_from([2, 4, 500])),
        draw(st.sampled_from([("view", "add_to_cart", "purchase"), ("purchase",)])),
        *days,
    )


def _user(draw: st.DrawFn, start: dt.date) -> Row:
    signup = start + dt.timedelta(days=draw(st.sampled_from([-2, -2, -2, 0, 1, 3])))
    arrived = dt.datetime.combine(start, dt.time(draw(st.sampled_from([0, 12, 23]))))
    return {
        "user_id": draw(st.integers(1, 3)),
        "signup_date": draw(st.sampled_from([signup] * 9 + [dt.date(1989, 12, 31)])),
        "country": draw(st.sampled_from(["DE"] * 4 + ["FR"] * 4 + [None, "all"])),
        "channel": draw(st.sampled_from(["seo"] * 4 + ["ads"] * 4 + [None, "all"])),
        "ingest_ts": arrived,
        "source": draw(st.sampled_from(["log", "log", "log (derived)"])),
        "batch_id": draw(st.sampled_from(["a", "b"])),
    }


def _moments(draw: st.DrawFn, start: dt.date) -> Row:
    day = start + dt.timedelta(days=draw(st.integers(0, 2)))
    day = draw(st.sampled_from([day] * 9 + [dt.date(1989, 12, 31)]))
    ts = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=draw(st.sampled_from(MINUTES)))
    waited = dt.timedelta(hours=draw(st.sampled_from(HOURS_TO_ARRIVAL)))
    arrived = ts + waited + dt.timedelta(microseconds=draw(st.sampled_from([0, 0, -1])))
    return {"ts": ts, "ingest_ts": arrived, "source": "log", "batch_id": "a"}


def _event(draw: st.DrawFn, start: dt.date) -> Row:
    return {
        "event_id": draw(st.integers(1, 8)),
        "user_id": draw(st.sampled_from([1, 1, 1, 2, 2, 3, 4])),
        "event_type": draw(st.sampled_from(["view", "view", "add_to_cart", "purchase", "click"])),
        "value": draw(
            st.sampled_from([None, None, 0.0, 1.5, 2.5, float("nan"), float("inf"), -0.5])
        ),
    } | _moments(draw, start)


def _order(draw: st.DrawFn, start: dt.date) -> Row:
    return {
        "order_id": draw(st.integers(1, 4)),
        "user_id": draw(st.sampled_from([1, 1, 1, 2, 3, 4])),
        "amount": Decimal(draw(st.sampled_from([0, 1, 999, 999, -1]))) / 100,
    } | _moments(draw, start)


def _with_copies(
    draw: st.DrawFn, rows: list[Row], payload: str, others: list[Any], day: str = "ts"
) -> list[Row]:
    copies = []
    for row in draw(st.lists(st.sampled_from(rows), max_size=5)) if rows else []:
        changes = draw(st.sets(st.sampled_from(["batch", "arrival", "payload", "day"]), max_size=2))
        copy = dict(row)
        if "batch" in changes:
            copy |= {"source": draw(st.sampled_from(["again", "before"])), "batch_id": "b"}
        if "arrival" in changes:
            copy["ingest_ts"] += dt.timedelta(minutes=draw(st.sampled_from([-5, 5])))
        if "payload" in changes:
            copy[payload] = draw(st.sampled_from(others))
        if "day" in changes:
            copy[day] += dt.timedelta(days=draw(st.sampled_from([-1, 1])))
        copies.append(copy)
    return rows + copies


# How each table follows from bronze, and the date of its rows if it has one.
DEFINITIONS: dict[str, tuple[Callable[[Bronze], list[Row]], str | None]] = {
    "users_checked": (checked.users_checked, None),
    "known_users": (checked.known_users, None),
    "events_arrived": (checked.events_arrived, "event_date"),
    "repeated_events": (checked.repeated_events, "event_date"),
    "bot_dates": (checked.bot_dates, "event_date"),
    "events_checked": (checked.events_checked, "event_date"),
    "orders_checked": (checked.orders_checked, "order_date"),
    "quarantine": (turned_away.quarantine, "row_date"),
    "fact_events": (facts.fact_events, "event_date"),
    "fact_orders": (facts.fact_orders, "order_date"),
    "sessions": (facts.sessions, "session_date"),
    "dim_users": (facts.dim_users, None),
    "user_daily_metrics": (facts.user_daily_metrics, "metric_date"),
}


def expected_rows(name: str, bronze: Bronze) -> list[Row]:
    """Rows of the days asked for, by the definition."""
    definition, column = DEFINITIONS[name]
    rows = definition(bronze)
    if column is None:
        return rows
    return [row for row in rows if bronze.from_date <= row[column] < bronze.to_date]


def found_rows(spark: SparkSession, name: str, bronze: Bronze) -> list[Row]:
    """Rows that the query gives, over inputs that are right by their definitions."""
    table = all_tables()[name]
    made: dict[str, Callable[[], list[Row]]] = {
        "bronze_users": lambda: bronze.users,
        "bronze_events": lambda: bronze.events,
        "bronze_orders": lambda: bronze.orders,
    }
    for known, (definition, _) in DEFINITIONS.items():
        made[known] = functools.partial(definition, bronze)
    # A view gives no more than the days asked for, a table holds all.
    made["events_arrived"] = functools.partial(expected_rows, "events_arrived", bronze)
    for known in table.inputs(set(made)):
        rows = made[known]()
        frame(spark, all_tables()[known].schema, rows).createOrReplaceTempView(known)
    params = default_params() | {
        "tz": bronze.tz,
        "max_events_per_user_day": bronze.max_events_per_user_day,
        "active_event_types": bronze.active_event_types,
        "from_date": bronze.from_date,
        "to_date": bronze.to_date,
    }
    return spark.sql(render(table.query or "", params)).toArrow().to_pylist()
