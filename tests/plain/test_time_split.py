"""The time split: whole windows before, whole labels after, nothing of one slice in the next."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from jobs.core.config import load_config
from jobs.core.errors import ContractError, UsageError
from jobs.propensity.settings import PropensitySettings, read_settings, targets_of
from jobs.propensity.snapshots import TimeSplit, plan_split, snapshot_dates
from jobs.propensity.targets import Target

FIRST = date(2024, 1, 1)
OF_A_TARGET = {
    "decision": {"capacity_share": 0.1, "cost": 0.05, "effect": 0.1, "value": 10.0},
    "boosting": {
        "max_trees": 5,
        "max_depth": 3,
        "step_size": 0.3,
        "min_instances_per_node": 500,
        "max_bins": 64,
        "subsampling_rate": 1.0,
        "features_per_node": 1.0,
        "partitions": 2,
        "seed": 42,
    },
}
SECTION = {
    "population": "active",
    "population_days": 30,
    "snapshot_stride_days": 7,
    "max_snapshots": 24,
    "calibrate_share": 0.2,
    "test_share": 0.2,
    "max_train_rows": 1_000,
    "max_rows_judged": 1_000,
    "resamples": 20,
    "gates": load_config().propensity["gates"],
    "monitoring": load_config().propensity["monitoring"],
    "targets": ["purchase_7d"],
    "purchase": OF_A_TARGET,
    "churn": OF_A_TARGET,
}
BOTH = ("purchase_7d", "churn_14d")


def settings(**changes: object) -> PropensitySettings:
    return dataclasses.replace(read_settings(SECTION), **changes)


def split_of(count: int, of: PropensitySettings | None = None, horizon_days: int = 7) -> TimeSplit:
    """Split of a log of so many days."""
    return plan_split(FIRST, days(count), of or settings(), horizon_days)


def days(count: int) -> date:
    """Last day of a log of so many days."""
    return FIRST + timedelta(days=count - 1)


def test_last_label_ends_with_the_log() -> None:
    split = split_of(180)
    assert split.test[-1] + timedelta(days=6) == days(180)


def test_first_window_lies_in_the_log() -> None:
    for count in range(60, 90):
        split = split_of(count)
        before = (split.train[0] - FIRST).days
        assert 30 <= before < 37, count


def test_a_longer_population_needs_more_history() -> None:
    split = split_of(180, settings(population_days=60))
    assert (split.train[0] - FIRST).days >= 60


def test_slices_follow_each_other_with_the_shares_asked_for() -> None:
    split = split_of(180)
    steps = {later - earlier for earlier, later in zip(split.dates, split.dates[1:], strict=False)}
    assert steps == {timedelta(days=7)}
    assert (len(split.train), len(split.calibrate), len(split.test)) == (13, 4, 4)


def test_only_the_latest_dates_are_taken() -> None:
    everything = split_of(180)
    some = split_of(180, settings(max_snapshots=10))
    assert some.dates == everything.dates[-10:]


@pytest.mark.parametrize("stride", [1, 3, 7, 8, 13])
@pytest.mark.parametrize("horizon_days", [7, 14, 30])
def test_no_label_reaches_into_the_next_slice(stride: int, horizon_days: int) -> None:
    of = settings(snapshot_stride_days=stride, max_snapshots=100, targets=BOTH)
    split = split_of(250, of, horizon_days)
    horizon = timedelta(days=horizon_days)
    assert max(split.train) + horizon <= min(split.calibrate)
    assert max(split.calibrate) + horizon <= min(split.test)
    # No more dates than the embargo takes are lost: a stride earlier would touch.
    for earlier, later in ((split.train, split.calibrate), (split.calibrate, split.test)):
        assert max(earlier) + horizon + timedelta(days=stride) > min(later)
    assert split.test[-1] + horizon <= days(250) + timedelta(days=1)


def test_targets_share_one_grid_that_ends_where_the_shortest_label_does() -> None:
    of = settings(targets=BOTH)
    grid = snapshot_dates(FIRST, days(180), of)
    assert grid[-1] + timedelta(days=6) == days(180)
    purchase, churn = (split_of(180, of, Target.parse(name).horizon_days) for name in BOTH)
    assert purchase.dates == grid
    assert set(churn.dates) < set(grid)
    assert churn.test[-1] + timedelta(days=13) == days(180)


def test_a_gap_of_exactly_the_horizon_is_enough() -> None:
    TimeSplit((FIRST,), (FIRST + timedelta(days=7),), (FIRST + timedelta(days=14),), 7)


@pytest.mark.parametrize("gaps", [(6, 20), (7, 13)])
def test_a_day_less_is_refused(gaps: tuple[int, int]) -> None:
    calibrate, test = (FIRST + timedelta(days=gap) for gap in gaps)
    with pytest.raises(ValueError, match="a label ends on"):
        TimeSplit((FIRST,), (calibrate,), (test,), 7)


def test_the_shortest_log_gives_one_date_per_slice() -> None:
    split = split_of(51)
    assert [len(part) for part in (split.train, split.calibrate, split.test)] == [1, 1, 1]


@pytest.mark.parametrize("count", [50, 37, 36, 10, 1])
def test_a_shorter_log_is_refused_with_the_days_it_needs(count: int) -> None:
    with pytest.raises(ContractError, match="give it at least 51 days"):
        split_of(count)


@pytest.mark.parametrize("stride", [1, 5, 7, 10])
@pytest.mark.parametrize("horizon_days", [7, 14, 20])
def test_the_days_that_a_refusal_asks_for_are_enough_and_no_day_less(
    stride: int, horizon_days: int
) -> None:
    of = settings(snapshot_stride_days=stride, max_snapshots=100, targets=BOTH)
    with pytest.raises(ContractError) as caught:
        split_of(31, of, horizon_days)
    needed = int(str(caught.value).split("at least ")[1].split()[0])
    assert split_of(needed, of, horizon_days).train
    with pytest.raises(ContractError):
        split_of(needed - 1, of, horizon_days)


def test_a_limit_too_low_for_the_embargo_is_named_instead_of_the_length_of_the_log() -> None:
    of = settings(snapshot_stride_days=1, max_snapshots=21, targets=BOTH)
    assert split_of(300, of, 7).train
    with pytest.raises(ContractError, match="set propensity.max_snapshots to at least 36"):
        split_of(300, of, 14)
    assert split_of(300, dataclasses.replace(of, max_snapshots=36), 14).train


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("snapshot_stride_days", 0, "propensity.snapshot_stride_days.*given: 0"),
        ("population", "buyers", "propensity.population"),
        ("targets", [], "propensity.targets"),
        ("targets", ["buys_7d"], "a target is purchase_<days>d"),
        ("targets", ["purchase_7d", "purchase_7d"], "a target is named twice"),
        ("gates", SECTION["gates"] | {"roc_auc": 0.4}, "propensity.gates.roc_auc"),
        ("test_share", 1.0, "propensity.test_share"),
        ("horizon", 7, "propensity.horizon"),
        (
            "churn",
            OF_A_TARGET | {"boosting": OF_A_TARGET["boosting"] | {"max_trees": 0}},
            "propensity.churn.boosting.max_trees",
        ),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings(SECTION | {key: value})


def test_a_missing_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="propensity.test_share"):
        read_settings({k: v for k, v in SECTION.items() if k != "test_share"})


def test_a_target_is_named_by_what_it_foretells_and_for_how_long() -> None:
    assert Target.parse("churn_14d") == Target("churn", 14)
    assert Target("purchase", 7).name == "purchase_7d"
    for name in (
        "purchase_0d",
        "purchase_7",
        "purchase_07d",
        "visit_7d",
        "xpurchase_7d",
        "churn_1000d",
    ):
        with pytest.raises(ValueError, match="a target is"):
            Target.parse(name)


def test_a_target_outside_the_settings_is_refused() -> None:
    assert targets_of(settings(targets=BOTH)) == (Target("purchase", 7), Target("churn", 14))
    assert targets_of(settings(targets=BOTH), "churn_14d") == (Target("churn", 14),)
    with pytest.raises(UsageError, match="no target churn_7d .*has purchase_7d, churn_14d"):
        targets_of(settings(targets=BOTH), "churn_7d")


@pytest.mark.parametrize(("rows", "leaf"), [(10, 1), (2_000, 40), (25_000, 500), (10**6, 500)])
def test_leaves_shrink_with_small_data(rows: int, leaf: int) -> None:
    assert settings().purchase.boosting.min_instances_for(rows) == leaf


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(UsageError, match="leave nothing to train on"):
        read_settings(SECTION | {"calibrate_share": 0.5, "test_share": 0.5})
