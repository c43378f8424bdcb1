"""Counts of a day against the weeks before: centre, limits, and what must not move them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.core.config import load_config
from jobs.propensity.monitoring.findings import Finding
from jobs.propensity.monitoring.volume import forecast, judge_day
from jobs.propensity.settings import settings_of

AS_OF = date(2024, 6, 1)
LIMITS = settings_of(load_config()).monitoring
DAYS = 57
LEVEL = 5e-4


def quiet(days: int = DAYS, seed: int = 1) -> pd.DataFrame:
    """Days of about 1,000 events, 60 orders and 300 users, 2 % of the rows turned away."""
    draw = np.random.default_rng(seed)
    weekday = np.tile([1.0, 1.0, 0.9, 1.0, 1.1, 1.3, 1.2], 9)[:days]
    return pd.DataFrame(
        {
            "events": draw.poisson(1000 * weekday),
            "orders": draw.poisson(60 * weekday),
            "users": draw.poisson(300 * weekday),
            "silent_seconds": draw.exponential(60, days),
            "rejected": draw.poisson(20 * weekday),
            "judged": 1000,
        }
    )


def judged(days: pd.DataFrame, level: float = LEVEL) -> dict[str, Finding]:
    found = judge_day(days, AS_OF, level, LIMITS)
    return {f"{finding.check_name} {finding.feature}": finding for finding in found}


def last(days: pd.DataFrame, **values: float) -> pd.DataFrame:
    changed = days.copy()
    for name, value in values.items():
        changed[name] = changed[name].astype(float)
        changed.loc[changed.index[-1], name] = value
    return changed


def test_line_and_weekdays_are_carried_on() -> None:
    weekday = np.array([5.0, 1, 0, 2, 4, 9, 7])
    place = np.arange(57)
    series = 100 + 0.5 * place + weekday[place % 7]
    assert forecast(series[:-1], 1e-12).centre == pytest.approx(series[-1])


def test_a_day_without_incident_is_no_alarm() -> None:
    found = judged(quiet())
    assert len(found) == 5
    assert not [name for name, finding in found.items() if finding.is_alarm]


@pytest.mark.parametrize(
    ("values", "alarm"),
    [
        ({"events": 500}, "volume events"),
        ({"events": 2000}, "volume events"),
        ({"orders": 15}, "volume orders"),
        ({"users": 150}, "volume users"),
        ({"silent_seconds": 3600}, "silence events"),
        ({"rejected": 90}, "quarantine rejected_share"),
    ],
)
def test_a_day_far_off_is_an_alarm_of_its_own_check_alone(
    values: dict[str, float], alarm: str
) -> None:
    found = judged(last(quiet(), **values))
    assert [name for name, finding in found.items() if finding.is_alarm] == [alarm]


def test_an_outage_in_the_past_neither_widens_nor_shifts_the_limits() -> None:
    days = quiet()
    hurt = days.copy()
    hurt.loc[[28, 36], "events"] = 0
    hurt.loc[[28, 36], "silent_seconds"] = 50_000.0
    hurt.loc[[28, 36], "rejected"] = 900
    for name, whole in judged(days).items():
        other = judged(hurt)[name]
        assert other.reference == pytest.approx(whole.reference, rel=0.06), name
        assert other.high == pytest.approx(whole.high, rel=0.06), name


def test_limits_are_never_narrower_than_poisson_chance() -> None:
    days = quiet()
    days["orders"] = 100
    finding = judged(days)["volume orders"]
    assert finding.low is not None
    assert finding.high is not None
    reach = float(stats.norm.isf(LEVEL / 2)) * 10
    assert finding.low < 100 - reach
    assert finding.high > 100 + reach


def test_an_order_in_a_log_without_orders_is_no_alarm() -> None:
    days = quiet()
    days["orders"] = 0
    found = judged(last(days, orders=1))["volume orders"]
    assert found.low == 0
    assert not found.is_alarm


def test_a_rise_below_the_floor_is_no_alarm_in_a_clean_log() -> None:
    days = quiet()
    days["rejected"], days["judged"] = 0, 1_000_000
    assert not judged(last(days, rejected=4_000))["quarantine rejected_share"].is_alarm
    assert judged(last(days, rejected=6_000))["quarantine rejected_share"].is_alarm


def test_below_three_weeks_nothing_is_said() -> None:
    for days, limited in ((21, False), (22, True)):
        found = judged(last(quiet(days), events=0))
        assert found["volume events"].is_alarm == limited
        assert {f.high is not None for f in found.values()} == {limited}


def test_a_day_without_rows_has_no_silence_and_no_share() -> None:
    days = last(quiet(), events=0, silent_seconds=np.nan, rejected=0, judged=0)
    assert set(judged(days)) == {"volume events", "volume orders", "volume users"}


@pytest.mark.parametrize("check", ["volume events", "volume orders", "silence events"])
@pytest.mark.parametrize("day_sd", [0.0, 0.15])
def test_false_alarms_are_as_many_as_stated(check: str, day_sd: float) -> None:
    level, draws = 0.05, 2_000
    alarms = 0
    for seed in range(draws):
        days = quiet(seed=seed)
        factor = np.exp(day_sd * np.random.default_rng([seed, 1]).normal(size=DAYS))
        # Rounded, so that what is left is a count; Poisson chance is in it already.
        days["events"] = np.round(days["events"] * factor)
        days["orders"] = np.round(days["orders"] * factor)
        alarms += judged(days, level)[check].is_alarm
    interval = stats.binomtest(alarms, draws).proportion_ci(0.999, "exact")
    assert interval.low <= level, alarms / draws
    # Where days have nothing beyond Poisson chance, limits that never go below it are wider.
    is_exact = day_sd > 0 or check.startswith("silence")
    assert (level if is_exact else 0.5 * level) <= interval.high, alarms / draws
