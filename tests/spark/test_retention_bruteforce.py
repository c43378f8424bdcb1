"""retention_cohorts against its definition, cell by cell and user by user."""

from __future__ import annotations

import random
from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LIMITS = {"day": 40, "week": 9, "month": 3}
Rows = list[dict[str, Any]]


def histories(first: date, days: int) -> tuple[Rows, Rows]:
    draw = random.Random(5)
    users: Rows = []
    user_days: Rows = []
    for user in range(120):
        signup = draw.randrange(-20, days + 5)
        users.append(
            {
                "user_id": user,
                "signup_date": first + timedelta(days=signup),
                "country": draw.choice(["DE", "FR", "ES"]),
                "channel": draw.choice(["seo", "ads"]),
            }
        )
        chance = draw.choice([0.0, 0.05, 0.2, 0.6])
        user_days += [
            {"user_id": user, "metric_date": first + timedelta(days=day)}
            for day in range(max(signup, 0), days + 5)
            if draw.random() < chance
        ]
    return users, user_days


def cohort_of(unit: str, signup: date) -> date:
    if unit == "week":
        return signup - timedelta(days=signup.isocalendar().weekday - 1)
    return signup.replace(day=1) if unit == "month" else signup


def period(unit: str, signup: date, number: int) -> tuple[date, date]:
    """First and last date of a user's period."""
    if unit == "month":
        month = signup.year * 12 + signup.month - 1 + number
        year, month = month // 12, month % 12 + 1
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    length = 7 if unit == "week" else 1
    start = signup + timedelta(days=number * length)
    return start, start + timedelta(days=length - 1)


def by_definition(users: Rows, user_days: Rows, first: date, as_of: date) -> dict[Any, Any]:
    days_of: dict[int, list[date]] = {user["user_id"]: [] for user in users}
    for row in user_days:
        days_of[row["user_id"]].append(row["metric_date"])
    cohorts: dict[tuple[Any, ...], Rows] = {}
    for unit in LIMITS:
        for user in users:
            cohort = cohort_of(unit, user["signup_date"])
            if cohort >= first and user["signup_date"] <= as_of:
                for country in (user["country"], "all"):
                    for channel in (user["channel"], "all"):
                        cohorts.setdefault((unit, cohort, country, channel), []).append(user)
    cells = {}
    for (unit, *rest), members in cohorts.items():
        for number in range(LIMITS[unit] + 1):
            spans = [(user, *period(unit, user["signup_date"], number)) for user in members]
            complete = all(last <= as_of for _, _, last in spans)
            retained = sum(
                any(start <= day <= last for day in days_of[user["user_id"]])
                for user, start, last in spans
            )
            cell = (len(members), retained if complete else None, complete)
            cells[(unit, *rest, number)] = cell
    return cells


@pytest.mark.parametrize(
    ("first", "days"),
    [(date(2023, 12, 13), 100), (date(2024, 1, 1), 60)],
    ids=["over_new_year_and_leap_day", "ends_on_leap_day"],
)
def test_every_cell_is_that_of_the_definition(spark: SparkSession, first: date, days: int) -> None:
    users, user_days = histories(first, days)
    as_of = first + timedelta(days=days - 1)
    tables = all_tables()
    for name, rows in (("dim_users", users), ("user_daily_metrics", user_days)):
        frame(spark, tables[name].schema, rows).createOrReplaceTempView(name)
    limits = {f"retention_max_{unit}s": limit for unit, limit in LIMITS.items()}
    params = default_params() | limits | {"first_date": first, "as_of": as_of}
    cells = spark.sql(render(tables["retention_cohorts"].query or "", params)).collect()
    found = {tuple(row[:5]): (row["cohort_size"], row["retained"], row[8]) for row in cells}
    assert len(found) == len(cells)
    expected = by_definition(users, user_days, first, as_of)
    assert {place: found.get(place) for place in expected} == expected
    others = {found[place][:2] for place in found if place not in expected}
    assert others <= {(0, 0), (0, None)}
