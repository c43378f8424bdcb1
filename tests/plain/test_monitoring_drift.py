"""Drift of features: what is a bin, what chance alone gives, and who counts as a row."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.core.catalog import all_tables
from jobs.propensity.monitoring.drift import ages, judge, measure, psi, shift
from jobs.propensity.monitoring.findings import Finding

AS_OF = date(2024, 6, 1)


def numbers(*values: float) -> pd.Series:
    return pd.Series(values, dtype=np.float64)


def one(
    reference: pd.Series, current: pd.Series, level: float = 1e-4, floor: float = 0.0
) -> Finding:
    moved = {"views_7d": shift(reference, current)}
    (finding,) = judge(moved, "feature_psi", AS_OF, len(reference), level, floor)
    return finding


def test_index_by_hand() -> None:
    # Shares 1/4, 3/4 and 1/2, 1/2 after half a row is added to each count.
    by_hand = 0.25 * np.log(2) - 0.25 * np.log(2 / 3)
    assert psi(np.array([1.5, 5.5]), np.array([9.5, 9.5])) == pytest.approx(by_hand)


def test_equal_shares_are_no_drift_whatever_the_size() -> None:
    assert psi(np.array([9.5, 29.5]), np.array([999.5, 2999.5])) == pytest.approx(0)


def test_a_bin_that_one_sample_lacks_stays_finite() -> None:
    assert 0 < psi(np.array([100.0, 0.0]), np.array([90.0, 10.0])) < 1


@pytest.mark.parametrize("common", [0.0, 1.0])
def test_a_rare_flag_is_a_bin_of_its_own(common: float) -> None:
    rare = 1 - common
    before, after = (pd.Series([rare] * n + [common] * (1000 - n)) for n in (30, 150))
    assert shift(before, after).psi > 0.15
    assert shift(before, before).psi == 0


def test_booleans_are_flags() -> None:
    before, after = (pd.Series([True] * n + [False] * (1000 - n)) for n in (30, 150))
    assert shift(before, after).bins == 2
    assert shift(before, after).psi > 0.15


def test_the_sentinel_is_a_bin_beside_the_greatest_numbers() -> None:
    spread = np.arange(1000.0)
    before, after = spread.copy(), spread.copy()
    before[950:] = 9999
    after[900:950] = 9999  # as many missing, others among them: only their own bin has the same
    assert shift(pd.Series(before), pd.Series(before)).bins == 11
    lost = spread.copy()
    lost[800:] = 9999
    found = shift(pd.Series(before), pd.Series(lost))
    expected = 0.15 * np.log(0.2 / 0.05)
    assert found.psi > expected > 0.2


def test_numbers_fall_into_tenths_of_the_reference() -> None:
    draw = np.random.default_rng(3)
    before = pd.Series(draw.lognormal(0, 2, 5000))
    found = shift(before, before * 1.0)
    assert (found.bins, found.psi) == (10, 0)
    assert shift(before, before * 3).psi > 0.15


def test_a_name_never_seen_is_a_bin_of_its_own() -> None:
    before, after = pd.Series(["DE", "FR"] * 500), pd.Series(["DE", "FR"] * 450 + ["unknown"] * 100)
    found = shift(before, after)
    assert found.bins == 3
    assert found.psi > 0.3


def test_a_feature_with_one_value_cannot_drift() -> None:
    finding = one(numbers(*[1] * 50), numbers(*[1] * 50))
    assert (finding.value, finding.reference, finding.is_alarm) == (0, 0, False)


@pytest.mark.parametrize("kind", ["names", "counts", "numbers"])
def test_without_drift_alarms_are_as_many_as_stated(kind: str) -> None:
    draw = np.random.default_rng(5)

    def drawn(count: int) -> pd.Series:
        if kind == "names":
            return pd.Series(
                draw.choice(list("abcdef"), count, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
            )
        if kind == "counts":
            return pd.Series(draw.poisson(draw.gamma(1, 3, count)))
        return pd.Series(draw.lognormal(0, 2, count))

    level, draws = 0.05, 1_500
    alarms = sum(one(drawn(4000), drawn(2000), level).is_alarm for _ in range(draws))
    interval = stats.binomtest(alarms, draws).proportion_ci(0.999, "exact")
    assert interval.low <= level <= interval.high, alarms / draws


def test_the_same_users_on_several_dates_count_once() -> None:
    draw = np.random.default_rng(6)
    level, draws, users, dates = 0.05, 600, 1000, 8
    alarms = {users: 0, users * dates: 0}
    for _ in range(draws):
        reference = pd.Series(np.tile(draw.choice(list("abcd"), users), dates))
        moved = {"country": shift(reference, pd.Series(draw.choice(list("abcd"), 1000)))}
        for counted in alarms:
            alarms[counted] += judge(moved, "c", AS_OF, counted, level, 0.0)[0].is_alarm
    assert stats.binomtest(alarms[users], draws).proportion_ci(0.999, "exact").low <= level
    # What it would be if rows were counted.
    assert alarms[users * dates] / draws > 3 * level


def test_the_floor_forgives_trifles_and_nothing_else() -> None:
    draw = np.random.default_rng(7)
    before = pd.Series(draw.random(200_000) < 0.50)
    trifle = pd.Series(draw.random(200_000) < 0.52)
    drift = pd.Series(draw.random(200_000) < 0.60)
    assert one(before, trifle).is_alarm
    assert not one(before, trifle, floor=0.02).is_alarm
    assert one(before, drift, floor=0.02).is_alarm


@pytest.mark.parametrize(
    ("feature", "is_ageing"),
    [
        ("active_days_7d", False),
        ("revenue_30d", False),
        ("active_days_90d", True),
        ("orders_last_day", False),
        ("orders_lifetime", True),
        ("country", False),
        ("has_open_cart", False),
        ("tenure_days", True),
        ("is_last_order_missing", True),
        ("mean_order_gap_days", True),
    ],
)
def test_what_reaches_back_beyond_30_days_ages_with_the_log(feature: str, is_ageing: bool) -> None:
    assert feature in all_tables()["user_snapshots"].schema.names
    assert ages(feature) == is_ageing


def test_without_a_level_a_shift_is_shown_and_never_an_alarm() -> None:
    shifts = measure(pd.DataFrame({"x": [1.0] * 500}), pd.DataFrame({"x": [2.0] * 500}), ["x"])
    (shown,) = judge(shifts, "feature_psi", AS_OF, 500, None, 0.02)
    (limited,) = judge(shifts, "feature_psi", AS_OF, 500, 1e-4, 0.02)
    assert (shown.value, shown.high, shown.is_alarm) == (limited.value, None, False)
    assert limited.is_alarm
