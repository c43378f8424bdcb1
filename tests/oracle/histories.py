"""Small random histories of a shop, and what a query makes of one.

Few users, few instants on a coarse grid and short logs, so that ties, window edges, empty days,
returning users and unfinished periods come up all the time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from jobs.core.catalog import Table, all_tables, build_order
from jobs.core.queries import render
from tests.oracle.definitions import silver
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]
# Before a leap day, before the turn of an ISO year (2024-12-30 is a Monday of week 1 of 2025),
# from the 31st on, and an ordinary Wednesday.
STARTS = [dt.date(2024, 2, 20), dt.date(2024, 12, 20), dt.date(2023, 1, 31), dt.date(2024, 5, 8)]
EVENT_TYPES = ["view", "view", "add_to_cart", "purchase"]
HOURS = [0, 6, 12, 18, 23]


@dataclass(frozen=True)
class History:
    """A log as the silver layer holds it, for the dates first_date..as_of, both inclusive.

    users: user_id, signup_date, country, channel; events: event_id, user_id, ts, event_type;
    orders: order_id, user_id, ts, amount. ts is a naive datetime in UTC, amount a Decimal. No row
    lies before the signup of its user or outside the dates, which are those of `tz`.
    """

    first_date: dt.date
    as_of: dt.date
    users: list[Row]
    events: list[Row]
    orders: list[Row]
    tz: str = "UTC"

    def date_of(self, moment: dt.datetime) -> dt.date:
        """Date of an instant in the time zone of the history."""
        return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(self.tz)).date()

    @property
    def dates(self) -> list[dt.date]:
        """Every date of the log."""
        days = (self.as_of - self.first_date).days + 1
        return [self.first_date + dt.timedelta(days=n) for n in range(days)]


@st.composite
def histories(
    draw: st.DrawFn,
    max_days: int = 40,
    max_users: int = 6,
    max_events: int = 30,
    max_orders: int = 8,
    starts: Sequence[dt.date] = STARTS,
) -> History:
    """Draw a history."""
    first_date = draw(st.sampled_from(starts))
    days = draw(st.integers(1, max_days))
    as_of = first_date + dt.timedelta(days=days - 1)
    users = [
        {
            "user_id": user_id,
            "signup_date": first_date + dt.timedelta(days=draw(st.integers(-3, days - 1))),
            "country": draw(st.sampled_from(["DE", "FR"])),
            "channel": draw(st.sampled_from(["seo", "ads"])),
        }
        for user_id in range(draw(st.integers(0, max_users)))
    ]
    rows = [
        _activity(draw, user, first_date, as_of)
        for user in (draw(st.lists(st.sampled_from(users), max_size=max_events)) if users else [])
    ]
    events = [
        {"event_id": number, "event_type": draw(st.sampled_from(EVENT_TYPES))} | row
        for number, row in enumerate(rows)
    ]
    # Orders are not tied to purchase events here: no metric may confuse the two.
    bought = draw(st.lists(st.sampled_from(rows), max_size=max_orders)) if rows else []
    orders = [
        {"order_id": number, "amount": Decimal(draw(st.integers(0, 9999))) / 100} | row
        for number, row in enumerate(bought)
    ]
    return History(first_date, as_of, users, events, orders)


def _activity(draw: st.DrawFn, user: Row, first_date: dt.date, as_of: dt.date) -> Row:
    first = max(first_date, user["signup_date"])
    date = first + dt.timedelta(days=draw(st.integers(0, (as_of - first).days)))
    time = dt.time(draw(st.sampled_from(HOURS)), draw(st.sampled_from([0, 0, 0, 20, 59])))
    return {"user_id": user["user_id"], "ts": dt.datetime.combine(date, time)}


def in_zone(history: History, tz: str) -> History:
    """Read the clock times of a history drawn in UTC as those of a time zone."""

    def moved(row: Row) -> Row:
        local = row["ts"].replace(tzinfo=ZoneInfo(tz))
        return row | {"ts": local.astimezone(dt.UTC).replace(tzinfo=None)}

    events, orders = ([*map(moved, rows)] for rows in (history.events, history.orders))
    return dataclasses.replace(history, events=events, orders=orders, tz=tz)


def silver_tables(history: History) -> dict[str, list[Row]]:
    """Rows of the tables that metrics are built from, by their definitions."""
    events = silver.fact_events(history)
    orders = silver.fact_orders(history)
    return {
        "fact_events": events,
        "fact_orders": orders,
        "dim_users": silver.dim_users(history),
        "user_daily_metrics": silver.user_daily_metrics(history),
    }


def answer(spark: SparkSession, name: str, history: History, **params: Any) -> list[Row]:
    """Run the query of a table over a history, first those of the views and tables it reads.

    Parameters
    ----------
    params
        Parameters of the queries that differ from the settings; the dates are the history's.
    """
    given = default_params() | {
        "from_date": history.first_date,
        "to_date": history.as_of + dt.timedelta(days=1),
        "first_date": history.first_date,
        "as_of": history.as_of,
        "tz": history.tz,
    }
    known = silver_tables(history)
    for table, rows in known.items():
        frame(spark, all_tables()[table].schema, rows).createOrReplaceTempView(table)
    result = None
    for table in _needed(name, set(known)):
        result = spark.sql(render(table.query or "", given | params))
        # In memory, so that the next query does not run this one again.
        if table.name != name:
            _keep(spark, table, result.toArrow().to_pylist())
    assert result is not None
    return result.toArrow().to_pylist()


def _needed(name: str, known: set[str]) -> list[Table]:
    order = [table for table in build_order(("silver", "gold")) if table.name not in known]
    wanted = {name}
    for table in reversed(order):
        if table.name in wanted:
            wanted |= set(table.inputs({t.name for t in order}))
    return [table for table in order if table.name in wanted]


def _keep(spark: SparkSession, table: Table, rows: list[Row]) -> None:
    frame(spark, table.schema, rows).createOrReplaceTempView(table.name)


def same(found: Iterable[Row], expected: Iterable[Row]) -> tuple[list[Any], list[Any]]:
    """Both sides in one order and precision, to be compared with ==.

    All columns count. Floats are rounded to 9 digits: the order of a sum is nobody's business.
    """
    return _settled(found), _settled(expected)


def _settled(rows: Iterable[Row]) -> list[Any]:
    settled = [sorted((key, _value(value)) for key, value in row.items()) for row in rows]
    return sorted(settled, key=repr)


def _value(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"  # which is not equal to itself
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return value
