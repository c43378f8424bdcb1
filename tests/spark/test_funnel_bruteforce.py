"""funnel_daily against its definition: try every chain of three events of every user."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STEPS = ("view", "add_to_cart", "purchase")
WINDOW = timedelta(days=7)
# In New York the clocks go forward on 10 March.
STARTS = {
    "UTC": date(2024, 1, 1),
    "America/New_York": date(2024, 2, 25),
    "Asia/Tokyo": date(2024, 1, 1),
}
DAYS = 24

Rows = list[dict[str, Any]]


def random_events(tz: str, users: int) -> Rows:
    """Events on a grid of 6 hours, so that ties and windows that end on the point are common."""
    draw = random.Random(11)
    zone = ZoneInfo(tz)
    start = datetime(*STARTS[tz].timetuple()[:3], tzinfo=zone).astimezone(UTC)
    events: Rows = []
    for user in range(users):
        weights = draw.choice([(8, 3, 2), (1, 1, 1), (1, 4, 4), (5, 1, 0)])
        for _ in range(draw.randint(0, 14)):
            ts = start + timedelta(hours=6 * draw.randrange(4 * DAYS))
            events.append(
                {
                    "event_id": draw.randrange(10**9),
                    "user_id": user,
                    "ts": ts.replace(tzinfo=None),
                    "event_type": draw.choices(STEPS, weights)[0],
                    "event_date": ts.astimezone(zone).date(),
                }
            )
    return events


def key(event: dict[str, Any]) -> tuple[Any, ...]:
    return (event["ts"], STEPS.index(event["event_type"]), event["event_id"])


def level(entry: dict[str, Any], events: Rows) -> int:
    """Furthest step reached from an entry."""
    end = entry["ts"] + WINDOW
    later = [e for e in events if key(e) > key(entry) and e["ts"] <= end]
    carts = [e for e in later if e["event_type"] == STEPS[1]]
    buys = [e for e in later if e["event_type"] == STEPS[2]]
    if any(key(buy) > key(cart) for cart in carts for buy in buys):
        return 3
    return 2 if carts else 1


def by_definition(events: Rows, tz: str, first: date, end: date, as_of: date) -> set[Any]:
    zone = ZoneInfo(tz)
    known = [event for event in events if event["event_date"] <= as_of]
    counts: Counter[tuple[Any, ...]] = Counter()
    for user in {event["user_id"] for event in known}:
        own = [event for event in known if event["user_id"] == user]
        for day in {e["event_date"] for e in own if e["event_type"] == STEPS[0]}:
            if not first <= day < end:
                continue
            views = [e for e in own if e["event_type"] == STEPS[0] and e["event_date"] == day]
            entry = min(views, key=key)
            reached = level(entry, own)
            last = (entry["ts"] + WINDOW).replace(tzinfo=UTC).astimezone(zone).date()
            for step in range(1, reached + 1):
                counts[day, user, step] += 1
                counts[day, user, step + 3] += last <= as_of
    keys = {(day, user) for day, user, _ in counts}
    return {(day, user, *(counts[day, user, step] for step in range(1, 7))) for day, user in keys}


@pytest.mark.parametrize("tz", STARTS)
def test_every_entry_reaches_the_step_of_the_definition(spark: SparkSession, tz: str) -> None:
    start = STARTS[tz]
    events = random_events(tz, users=150)
    users = [{"user_id": user, "country": f"u{user}", "channel": "seo"} for user in range(150)]
    tables = all_tables()
    for name, rows in (("dim_users", users), ("fact_events", events)):
        frame(spark, tables[name].schema, rows).createOrReplaceTempView(name)
    first, end = start + timedelta(days=3), start + timedelta(days=21)
    as_of = start + timedelta(days=18)
    params = default_params() | {
        "from_date": first,
        "to_date": end,
        "first_date": start,
        "as_of": as_of,
        "tz": tz,
    }
    result = spark.sql(render(tables["funnel_daily"].query or "", params))
    cells = result.where("country <> 'all' AND channel = 'all' AND viewers > 0").collect()
    found = {(row["entry_date"], int(row["country"][1:]), *row[3:9]) for row in cells}
    expected = by_definition(events, tz, first, end, as_of)
    assert found == expected
    # The histories reach every step, matured or not: nothing above was equal for being empty.
    assert {row[2:] for row in expected} >= {(1, 0, 0, 1, 0, 0), (1, 1, 0, 1, 1, 0)}
    assert {row[2:] for row in expected} >= {(1, 1, 1, 1, 1, 1), (1, 1, 1, 0, 0, 0)}
