"""funnel_entries and funnel_daily against their definition, under every combination of settings."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.core.catalog import all_tables
from jobs.core.queries import render
from tests.oracle.definitions import silver
from tests.oracle.definitions.funnel import Funnel, funnel_daily
from tests.oracle.histories import History, answer, histories, same
from tests.sql.harness import default_params, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]
CHOICES = {
    "funnel_order": ("ordered", "strict", "any_order"),
    "funnel_entry": ("first_entry", "best_chain"),
    "funnel_unit": ("user", "session", "attempt"),
    "funnel_window_from": ("first_step", "previous_step"),
    "funnel_edge": ("inclusive", "exclusive"),
    "funnel_ties": ("step_order", "strict_increase"),
    "funnel_range": ("day", "period"),
}
KINDS = ("view", "add_to_cart", "purchase", "search")
# In New York the clocks go forward on 10 March and back on 3 November.
STARTS = {
    "UTC": [dt.date(2024, 1, 1)],
    "America/New_York": [dt.date(2024, 2, 27), dt.date(2024, 10, 22)],
    "Asia/Tokyo": [dt.date(2024, 1, 1)],
}
DAYS = 24


def is_defined(settings: Row) -> bool:
    """Whether the settings may stand together, as the contract says."""
    order, unit = settings["funnel_order"], settings["funnel_unit"]
    if order == "any_order" and settings["funnel_window_from"] == "previous_step":
        return False
    if unit == "attempt" and settings["funnel_entry"] == "best_chain":
        return False
    return unit == "user" or settings["funnel_range"] == "day"


COMBINATIONS = [
    settings
    for values in itertools.product(*CHOICES.values())
    if is_defined(settings := dict(zip(CHOICES, values, strict=True)))
]


@st.composite
def cases(draw: st.DrawFn) -> tuple[History, Row]:
    """Few users with many events, some of another type; a range, and settings."""
    history = draw(histories(max_days=14, max_users=3, max_events=30))
    events = [event | {"event_type": draw(st.sampled_from(KINDS))} for event in history.events]
    history = dataclasses.replace(history, events=events)
    first = draw(st.sampled_from(history.dates))
    last = draw(st.sampled_from([date for date in history.dates if date >= first]))
    settings = draw(st.sampled_from(COMBINATIONS)) | {
        "funnel_window_days": draw(st.sampled_from([1, 2, 5])),
        "active_event_types": draw(st.sampled_from([KINDS, KINDS[:3]])),
        "from_date": draw(st.sampled_from([history.first_date, first])),
        "to_date": last + dt.timedelta(days=1),
    }
    return history, settings


def as_defined(history: History, settings: Row) -> Funnel:
    dates = {"first_date": history.first_date, "as_of": history.as_of, "tz": "UTC"}
    return Funnel(silver.fact_events(history), settings | dates)


@given(case=cases())
def test_entries_are_those_of_the_definition(sail: SparkSession, case: tuple[History, Row]) -> None:
    history, settings = case
    expected = as_defined(history, settings).entries()
    found, expected = same(answer(sail, "funnel_entries", history, **settings), expected)
    assert found == expected


@given(case=cases())
def test_days_are_those_of_the_definition(sail: SparkSession, case: tuple[History, Row]) -> None:
    history, settings = case
    expected = funnel_daily(history, as_defined(history, settings))
    found, expected = same(answer(sail, "funnel_daily", history, **settings), expected)
    assert found == expected


def random_events(zone: ZoneInfo, start: dt.date) -> list[Row]:
    """Events of 40 users on a grid of 6 hours of the zone, so that ties and edges are common."""
    draw = random.Random(11)
    midnight = dt.datetime(*start.timetuple()[:3], tzinfo=zone).astimezone(dt.UTC)
    events: list[Row] = []
    for user in range(40):
        weights = draw.choice([(8, 3, 2, 1), (1, 1, 1, 0), (1, 4, 4, 1), (5, 1, 0, 1)])
        crowd = draw.choice([DAYS, DAYS, 3])
        for _ in range(draw.randint(0, 16)):
            ts = midnight + dt.timedelta(hours=6 * draw.randrange(4 * crowd), days=DAYS - crowd)
            events.append(
                {
                    "event_id": len(events) * 7919 % 10007,
                    "user_id": user,
                    "ts": ts.replace(tzinfo=None),
                    "event_type": draw.choices(KINDS, weights)[0],
                    "event_date": ts.astimezone(zone).date(),
                    "session_no": 1 + ts.astimezone(zone).hour // 13,
                }
            )
    return events


@pytest.mark.parametrize(
    ("tz", "start"), [(tz, start) for tz, starts in STARTS.items() for start in starts]
)
def test_every_combination_of_settings(sail: SparkSession, tz: str, start: dt.date) -> None:
    events = random_events(ZoneInfo(tz), start)
    given_events = frame(sail, all_tables()["fact_events"].schema, events)
    given_events.createOrReplaceTempView("fact_events")
    reached: dict[str, set[Any]] = {order: set() for order in CHOICES["funnel_order"]}
    for settings in COMBINATIONS:
        params = default_params() | settings
        params |= {
            "tz": tz,
            "from_date": start + dt.timedelta(days=2),
            "to_date": start + dt.timedelta(days=21),
            "first_date": start,
            "as_of": start + dt.timedelta(days=18),
            "active_event_types": KINDS,
        }
        for name in ("funnel_steps", "funnel_chains", "funnel_entries"):
            result = sail.sql(render(all_tables()[name].query or "", params))
            result.createOrReplaceTempView(name)
        found, expected = same(result.toArrow().to_pylist(), Funnel(events, params).entries())
        assert found == expected, settings
        seen = reached[settings["funnel_order"]]
        seen |= {(row["level"], row["is_mature"]) for row in map(dict, found)}
    # Nothing above was equal for being empty.
    some = {(1, True), (2, True), (3, True), (1, False), (2, False)}
    assert all(kinds >= some for kinds in reached.values())
