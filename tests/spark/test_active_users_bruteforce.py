"""active_users_daily against its definition, counted date by date over sets of users."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST, DAYS = date(2024, 1, 10), 75
WINDOWS = {"wau_7": 7, "mau_28": 28, "mau_30": 30}
CHANNELS = ("seo", "ads")
# Whole log, its middle, and a range that reaches beyond its end.
RANGES = ((0, DAYS), (40, 55), (70, 90))

Rows = list[dict[str, Any]]


def histories(count: int) -> tuple[Rows, Rows]:
    """Users and user-days of many shops, one per country, from empty to crowded."""
    draw = random.Random(7)
    users: Rows = []
    user_days: Rows = []
    for shop in range(count):
        chance = draw.choice([0.0, 0.01, 0.03, 0.1, 0.5])
        for _ in range(draw.randint(1, 6)):
            user = {
                "user_id": len(users),
                "country": f"shop{shop:02d}",
                "channel": draw.choice(CHANNELS),
            }
            users.append(user)
            active = [day for day in range(DAYS) if draw.random() < chance]
            user_days += [
                {"user_id": user["user_id"], "metric_date": FIRST + timedelta(days=day)}
                for day in active
            ]
    return users, user_days


def by_definition(users: Rows, user_days: Rows, start: int, end: int) -> set[tuple[Any, ...]]:
    days_of: dict[int, set[date]] = {user["user_id"]: set() for user in users}
    for row in user_days:
        days_of[row["user_id"]].add(row["metric_date"])
    members: dict[tuple[str, str], list[int]] = {}
    for user in users:
        for country in (user["country"], "all"):
            for channel in (user["channel"], "all"):
                members.setdefault((country, channel), []).append(user["user_id"])

    def active(ids: list[int], last: date, length: int) -> int:
        window = {last - timedelta(days=back) for back in range(length)}
        return sum(1 for user in ids if days_of[user] & window)

    expected = set()
    for (country, channel), ids in members.items():
        for day in range(start, min(end, DAYS)):
            last = FIRST + timedelta(days=day)
            counts = [active(ids, last, length) for length in WINDOWS.values()]
            complete = [day >= length - 1 for length in WINDOWS.values()]
            mean = sum(active(ids, last - timedelta(days=back), 1) for back in range(28)) / 28
            sticky = round(mean / counts[1], 9) if complete[1] and counts[1] else None
            dau = active(ids, last, 1)
            expected.add((last, country, channel, dau, *counts, sticky, *complete))
    return expected


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_every_window_is_that_of_the_definition(spark: SparkSession, start: int, end: int) -> None:
    users, user_days = histories(30)
    tables = all_tables()
    for name, rows in (("dim_users", users), ("user_daily_metrics", user_days)):
        frame(spark, tables[name].schema, rows).createOrReplaceTempView(name)
    params = default_params() | {
        "from_date": FIRST + timedelta(days=start),
        "to_date": FIRST + timedelta(days=end),
        "first_date": FIRST,
        "as_of": FIRST + timedelta(days=DAYS - 1),
    }
    windows = spark.sql(render(tables["active_users_daily"].query or "", params)).collect()
    found = [
        (*row[:7], None if row["stickiness"] is None else round(row["stickiness"], 9), *row[8:])
        for row in windows
    ]
    assert len(found) == len(set(found))
    assert set(found) == by_definition(users, user_days, start, end)
