"""`verify --realism`: figures measured as they were on CDNOW, honest verdicts, and their chart."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.core.config import load_config
from jobs.core.errors import ContractError, UsageError
from jobs.proof.realism import FAIL, KNOWN_MISS, OK, Comparison, Realism, compare, render, require
from jobs.proof.realism_figures import order_figures, traffic_figures
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


def cdnow_orders() -> pd.DataFrame:
    """The log inside the installed package, which is not imported: it wants older libraries."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None and spec.origin is not None, "install the extra dev"
    path = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    names = ["user_id", "date", "cds", "amount"]
    log = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names)
    days = pd.to_datetime(log["date"].astype(str)) - pd.Timestamp("1970-01-01")
    return log.assign(day=days.dt.days)[["user_id", "day", "amount"]]


def orders(*rows: tuple[int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "day", "amount"])


def test_the_targets_are_what_the_same_measurement_finds_in_the_cdnow_log(targets) -> None:
    found = order_figures(cdnow_orders())
    stated = {target.name: target for target in targets.figures if target.source == "CDNOW"}
    assert stated.keys() == found.keys()
    for name, target in stated.items():
        # Stated with three digits or more.
        assert target.target == pytest.approx(found[name], rel=0.0045), name


def test_order_figures_by_hand() -> None:
    found = order_figures(
        orders(
            (1, 100, 10.0),
            (2, 100, 20.0),
            (2, 100, 5.0),  # the same day: no gap, no further buying day
            (2, 104, 25.0),
            (3, 90, 0.0),  # given away: an order, but without a logarithm
            (3, 120, 40.0),  # day 30 after the first: month 1
            (3, 149, 100.0),  # day 59: still month 1
            (4, 95, 1.0),
            (4, 155, 9.0),  # day 60: month 2
        )
    )
    assert found["one_time_buyers"] == 1 / 4
    assert found["order_2_after_1"] == 3 / 4
    assert found["order_3_after_2"] == 1 / 3
    assert np.isnan(found["order_5_after_4"])
    assert found["gap_p50"] == np.median([4, 30, 29, 60])
    assert found["same_day_repeats"] == pytest.approx(1 / 9)
    assert found["value_mean"] == pytest.approx(210 / 9) and found["value_median"] == 10
    paid = np.log([10, 20, 5, 25, 40, 100, 1, 9])
    assert found["value_log_sd"] == pytest.approx(paid.std(ddof=1))
    assert found["active_month_1"] == 1 / 4 and found["active_month_2"] == 1 / 4
    assert found["active_month_3"] == 0


def test_top_buyers_are_those_who_spend_most() -> None:
    spent = [901.0, *[1.0] * 99]
    found = order_figures(orders(*((user, user, spent[user]) for user in range(100))))
    assert found["top_1_revenue"] == pytest.approx(0.901)
    assert found["top_10_revenue"] == pytest.approx(0.910)


def year_of_traffic(per_day: np.ndarray) -> pd.DataFrame:
    days = pd.date_range("2024-07-01", periods=len(per_day))
    hours = {"DE": 21, "US": 19}
    frames = [
        pd.DataFrame({"country": name, "day": days, "hour": hour, "sessions": per_day})
        for name, hour in hours.items()
    ]
    frames.append(frames[0].assign(hour=9, sessions=per_day / 2))
    traffic = pd.concat(frames, ignore_index=True)
    sessions = traffic["sessions"]
    return traffic.assign(views=9.0 * sessions, carts=0.5 * sessions, orders=0.1 * sessions)


def test_traffic_figures_see_the_calendar_through_growth() -> None:
    days = pd.date_range("2024-07-01", periods=365)
    per_day = 1000 * np.exp(0.002 * np.arange(365))  # doubles within the year
    per_day *= np.where(days.weekday == 6, 1.3, 1.0)
    per_day *= np.where(np.isin(days.month, (11, 12)), 1.2, 1.0)
    found = traffic_figures(year_of_traffic(per_day))
    mean = (6 + 1.3) / 7
    assert found["weekday_high"] == pytest.approx(1.3 / mean, abs=0.01)
    assert found["weekday_low"] == pytest.approx(1 / mean, abs=0.01)
    assert found["season_months"] == pytest.approx(1.2, abs=0.01)
    assert found["busiest_hour"] in (19, 21)
    assert found["view_share"] == pytest.approx(9 / 9.6)
    assert found["orders_per_session"] == pytest.approx(0.1)
    assert found["orders_per_cart"] == pytest.approx(0.2)


def test_a_peak_in_one_week_is_found() -> None:
    per_day = np.full(365, 1000.0)
    per_day[150:157] = 1600  # 28 November to 4 December
    found = traffic_figures(year_of_traffic(per_day))
    assert found["season_week"] == pytest.approx(1.6)
    assert found["season_months"] == pytest.approx(1 + 0.6 * 7 / 61)


def test_one_country_that_shops_in_the_morning_is_noticed() -> None:
    traffic = year_of_traffic(np.full(365, 1000.0))
    assert traffic_figures(traffic)["busiest_hour"] != 9
    traffic.loc[(traffic["country"] == "DE") & (traffic["hour"] == 9), "sessions"] *= 3
    assert traffic_figures(traffic)["busiest_hour"] == 9


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
