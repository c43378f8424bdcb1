"""`verify --realism`: honest verdicts, targets without slips, and a sample that is what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.core.config import load_config
from jobs.core.errors import ContractError, UsageError
from jobs.proof.realism import FAIL, KNOWN_MISS, OK, Comparison, Realism, compare, render, require
from jobs.proof.realism_figures import traffic_figures
from jobs.proof.realism_sample import cohort_orders, cohort_window, traffic_counts, traffic_window
from jobs.proof.realism_targets import (
    TARGETS_FILE,
    RealismSettings,
    SampleSettings,
    Target,
    read_targets,
)
from jobs.shop.events import generate_rectangle
from tests.shop_worlds import settings

SMALL = SampleSettings(cohort_users=4000, traffic_users=3000)


@pytest.fixture(scope="module")
def targets() -> RealismSettings:
    return read_targets()


def some_target(**changes: object) -> Target:
    known = {"low": 36.5, "high": 45.0, "why": "because"}
    values = {"name": "gap_p50", "label": "50 %", "group": "Gaps", "unit": "days", "target": 34}
    values |= {"tolerance": 2.5, "reason": "noise", "source": "CDNOW", "known_miss": known}
    return Target(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reached", "verdict"),
    [
        (34.0, OK),
        (36.5, OK),
        (31.5, OK),
        (37.0, KNOWN_MISS),
        (45.0, KNOWN_MISS),
        (45.1, FAIL),  # it has become worse than is known
        (31.0, FAIL),  # it misses on the other side
        (float("nan"), FAIL),
    ],
)
def test_verdicts(reached: float, verdict: str) -> None:
    assert Comparison(some_target(), reached).verdict == verdict


def test_without_a_known_reason_a_miss_fails_and_is_named(targets) -> None:
    found = {target.name: target.target for target in targets.figures} | {"gap_p75": 120.0}
    realism = Realism(targets, compare(targets, found), "sample", date(2025, 6, 30))
    with pytest.raises(ContractError, match=r"1 FAILED; .*Days between orders.*120 d for 94 d"):
        require(realism)
    assert realism.verdict.startswith(f"{len(found) - 1} of {len(found)} figures within")
    table = render(realism)
    assert [line for line in table.splitlines() if "FAIL" in line and "75 %" in line]


def test_a_known_miss_passes_and_the_table_says_why(targets) -> None:
    found = {target.name: target.target for target in targets.figures} | {"gap_p50": 41.0}
    realism = Realism(targets, compare(targets, found), "sample", date(2025, 6, 30))
    require(realism)
    table = render(realism)
    assert "1 known misses" not in table and "1 known miss" in table
    assert "nothing in the process brings people back" in table
    for target in targets.figures:
        assert target.label in table


def test_a_figure_without_target_is_refused(targets) -> None:
    found = {target.name: target.target for target in targets.figures}
    for wrong in (found | {"new": 1.0}, {k: v for k, v in found.items() if k != "gap_p50"}):
        with pytest.raises(UsageError, match="not both a target and a figure"):
            compare(targets, wrong)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: gap_p50", "name: gap_p25", "a figure is named twice"),
        ("tolerance: 2.8", "tolerance: -1", "tolerance"),
        ("reason: noise, source: CDNOW", "reason: noise, source: XYZ", "unknown source or reason"),
        ("unit: money", "unit: gold", "unit"),
        ("sample:", "samples:", "sample"),
        ("low: 36.8, high: 44", "low: 44, high: 36.8", "low must be below high"),
        ("sources:", "sources: [", "is not YAML"),
    ],
)
def test_bad_targets_are_refused_in_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = TARGETS_FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "realism.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=says) as refusal:
        read_targets(path)
    assert "\n" not in str(refusal.value)
    with pytest.raises(UsageError, match="cannot read"):
        read_targets(tmp_path / "nowhere.yaml")


def test_the_cohort_is_everybody_whose_first_order_lies_in_the_quarter() -> None:
    window = cohort_window(settings(), SMALL, seed=42)
    world = window.world
    cuts = (0, 1, 1500, window.users)
    blocks = [cohort_orders(window, a, b) for a, b in zip(cuts, cuts[1:], strict=False)]
    found = pd.concat(blocks)
    rows = generate_rectangle(world, 0, world.user_count, world.warmup_start, world.until).orders
    first: dict[int, int] = {}
    for user, day in zip(rows.user_id.tolist(), (rows.ts // 86_400_000_000).tolist(), strict=True):
        first[user] = min(day, first.get(user, day))
    begin = (window.first - date(1970, 1, 1)).days
    wanted = {user for user, day in first.items() if begin <= day < begin + 90}
    assert set(found["user_id"]) == wanted and len(wanted) > 300
    assert len(found) == np.isin(rows.user_id, list(wanted)).sum()
    assert found["amount"].sum() == pytest.approx(
        rows.amount_cents[np.isin(rows.user_id, list(wanted))].sum() / 100
    )
    assert found["day"].max() >= (world.until - date(1970, 1, 1)).days - 10
    assert (window.end - window.first, world.until - window.first) == (
        timedelta(days=90),
        timedelta(days=545),
    )


def test_incidents_are_not_what_the_shop_is_like() -> None:
    assert load_config().shop["incidents"]["traffic"], "nothing to leave out"
    without = {name: [] for name in load_config().shop["incidents"]}
    without |= {"campaign": None, "price_test": None}
    for lay_out in (cohort_window, traffic_window):
        here = lay_out(settings(), SMALL, seed=42).world
        there = lay_out(settings(incidents=without), SMALL, seed=42).world
        assert here.world_id == there.world_id


def test_traffic_counts_are_those_of_the_events() -> None:
    window = traffic_window(settings(), SMALL, seed=42)
    assert (window.first, window.end) == (date(2024, 7, 1), date(2025, 7, 1))
    later = traffic_window(settings(first_date=date(2024, 8, 1)), SMALL, seed=42)
    assert later.first == date(2025, 7, 1)
    some = replace(window, first=date(2024, 8, 1), end=date(2024, 8, 8))
    counts = traffic_counts(some, 100, 1500)
    rectangle = generate_rectangle(some.world, 100, 1500, some.first, some.end)
    events = rectangle.events
    assert counts["orders"].sum() == len(rectangle.orders.order_id)
    assert counts[["views", "carts", "orders"]].to_numpy().sum() == len(events.event_id)
    assert counts["sessions"].sum() == len(np.unique(events.event_id >> 8))
    by_day = counts.groupby("day")["views"].sum()
    days, views = np.unique(events.ts[events.event_type == 0] // 86_400_000_000, return_counts=True)
    np.testing.assert_array_equal(by_day[days], views)
    # The hour is local: in the US the quiet of the night lies elsewhere in UTC.
    night = counts[counts["hour"].between(1, 5)].groupby("country")["sessions"].sum()
    assert (night / counts.groupby("country")["sessions"].sum() < 0.12).all()


def test_a_month_of_a_small_shop_already_has_the_mix_of_events(targets) -> None:
    window = traffic_window(settings(), SampleSettings(1, 15_000), seed=42)
    month = replace(window, first=date(2024, 9, 1), end=date(2024, 10, 1))
    found = traffic_figures(traffic_counts(month, 0, month.users).assign(day=days))
    for target in targets.figures:
        if target.group == "Events and orders":
            assert Comparison(target, found[target.name]).verdict != FAIL, target.name


def days(counts: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(counts["day"], unit="D")
