"""The time split: whole windows before, whole labels after, nothing of one slice in the next."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from jobs.core.errors import ContractError, UsageError
from jobs.propensity.settings import PropensitySettings, read_settings
from jobs.propensity.snapshots import TimeSplit, plan_split

FIRST = date(2024, 1, 1)
SECTION = {
    "population_days": 30,
    "snapshot_stride_days": 7,
    "max_snapshots": 24,
    "calibrate_share": 0.2,
    "test_share": 0.2,
    "capacity_share": 0.1,
    "boosting": {
        "trees": 5,
        "max_depth": 3,
        "step_size": 0.3,
        "min_instances_per_node": 500,
        "max_bins": 64,
        "subsampling_rate": 1.0,
        "partitions": 2,
        "seed": 42,
    },
}


def settings(**changes: object) -> PropensitySettings:
    return dataclasses.replace(read_settings(SECTION), **changes)


def days(count: int) -> date:
    """Last day of a log of so many days."""
    return FIRST + timedelta(days=count - 1)


def test_last_label_ends_with_the_log() -> None:
    split = plan_split(FIRST, days(180), settings())
    assert split.test[-1] + timedelta(days=6) == days(180)


def test_first_window_lies_in_the_log() -> None:
    for count in range(60, 90):
        split = plan_split(FIRST, days(count), settings())
        before = (split.train[0] - FIRST).days
        assert 30 <= before < 37, count


def test_a_longer_population_needs_more_history() -> None:
    split = plan_split(FIRST, days(180), settings(population_days=60))
    assert (split.train[0] - FIRST).days >= 60


def test_slices_follow_each_other_with_the_shares_asked_for() -> None:
    split = plan_split(FIRST, days(180), settings())
    steps = {later - earlier for earlier, later in zip(split.dates, split.dates[1:], strict=False)}
    assert steps == {timedelta(days=7)}
    assert (len(split.train), len(split.calibrate), len(split.test)) == (13, 4, 4)


def test_only_the_latest_dates_are_taken() -> None:
    everything = plan_split(FIRST, days(180), settings())
    some = plan_split(FIRST, days(180), settings(max_snapshots=10))
    assert some.dates == everything.dates[-10:]


@pytest.mark.parametrize("stride", [7, 8, 13])
def test_no_label_reaches_into_the_next_slice(stride: int) -> None:
    split = plan_split(FIRST, days(200), settings(snapshot_stride_days=stride))
    horizon = timedelta(days=7)
    assert max(split.train) + horizon <= min(split.calibrate)
    assert max(split.calibrate) + horizon <= min(split.test)


def test_a_gap_of_exactly_the_horizon_is_enough() -> None:
    TimeSplit((FIRST,), (FIRST + timedelta(days=7),), (FIRST + timedelta(days=14),))


@pytest.mark.parametrize("gaps", [(6, 20), (7, 13)])
def test_a_day_less_is_refused(gaps: tuple[int, int]) -> None:
    calibrate, test = (FIRST + timedelta(days=gap) for gap in gaps)
    with pytest.raises(ValueError, match="a label ends on"):
        TimeSplit((FIRST,), (calibrate,), (test,))


def test_the_shortest_log_gives_one_date_per_slice() -> None:
    split = plan_split(FIRST, days(51), settings())
    assert [len(part) for part in (split.train, split.calibrate, split.test)] == [1, 1, 1]


@pytest.mark.parametrize("count", [50, 37, 36, 10, 1])
def test_a_shorter_log_is_refused_with_the_days_it_needs(count: int) -> None:
    with pytest.raises(ContractError, match="give it at least 51 days"):
        plan_split(FIRST, days(count), settings())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("snapshot_stride_days", 6, "propensity.snapshot_stride_days.*given: 6"),
        ("test_share", 1.0, "propensity.test_share"),
        ("horizon", 7, "propensity.horizon"),
        ("boosting", SECTION["boosting"] | {"trees": 0}, "propensity.boosting.trees"),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings(SECTION | {key: value})


def test_a_missing_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="propensity.capacity_share"):
        read_settings({k: v for k, v in SECTION.items() if k != "capacity_share"})


@pytest.mark.parametrize(("rows", "leaf"), [(10, 1), (2_000, 10), (100_000, 500), (10**6, 500)])
def test_leaves_shrink_with_small_data(rows: int, leaf: int) -> None:
    assert settings().boosting.min_instances_for(rows) == leaf
