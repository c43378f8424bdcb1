"""How the false alarms of a date are shared out, and a self-test that can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from jobs.core.config import load_config
from jobs.core.errors import ContractError, UsageError
from jobs.propensity.monitoring.findings import Finding, Levels
from jobs.propensity.monitoring.selftest import selftest
from jobs.propensity.recalibration import latest_dates, refit
from jobs.propensity.settings import read_settings, settings_of

AS_OF = date(2024, 6, 1)
LIMITS = settings_of(load_config()).monitoring


def test_levels_of_all_checks_add_up_to_the_rate() -> None:
    levels = Levels(0.02, targets=2)
    checks = 5 * levels.data + (2 * 50 + 10) * levels.features(50, 10) + 2 * levels.scores
    assert checks + 2 * 2 * levels.outcomes == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("low", "high", "is_alarm"),
    [
        (None, None, False),
        (1.0, 3.0, False),
        (2.0, 2.0, False),
        (2.5, None, True),
        (None, 1.5, True),
    ],
)
def test_an_alarm_is_a_value_outside_its_limits(
    low: float | None, high: float | None, is_alarm: bool
) -> None:
    finding = Finding("volume", "events", AS_OF, 2.0, 1, None, low, high)
    assert finding.is_alarm == is_alarm
    assert finding.as_row(AS_OF)["is_alarm"] == is_alarm


def test_selftest_holds_and_repeats() -> None:
    first = selftest(LIMITS, days=40, repeats=2)
    assert first.passed, first.told
    assert selftest(LIMITS, days=40, repeats=2) == first
    assert selftest(LIMITS, days=1, repeats=2, seed=8).told[-200:] != first.told[-200:]


def test_selftest_fails_where_drift_is_not_seen() -> None:
    blind = selftest(replace(LIMITS, psi_floor=2.0), days=1, repeats=1)
    assert not blind.passed
    assert "0 of 1  never" in blind.told
    assert blind.told.endswith("selftest FAILS")


def test_selftest_fails_where_there_are_more_false_alarms_than_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Levels, "data", property(lambda self: 0.05))
    assert not selftest(LIMITS, days=60, repeats=1).passed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"psi_flor": 0.1}, "psi_flor"),
        ({"false_alarm_rate": 0}, "false_alarm_rate"),
        ({"history_weeks": 3}, "history_weeks"),
        ({"lateness_days": -1}, "lateness_days"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, float], named: str) -> None:
    section = load_config().propensity
    wrong = section | {"monitoring": section["monitoring"] | change}
    with pytest.raises(UsageError, match=named):
        read_settings(wrong)


def test_the_latest_dates_a_stride_apart_are_calibrated_on() -> None:
    first = date(2024, 5, 1)
    known = [first + timedelta(days=d) for d in (0, 7, 14, 20, 21, 22, 23)]
    found = latest_dates(known, first + timedelta(days=7), 7, 3)
    assert found == tuple(first + timedelta(days=d) for d in (7, 14, 23))
    assert latest_dates(known, first + timedelta(days=15), 7, 3) == (first + timedelta(days=23),)
    assert latest_dates([], first, 7, 3) == ()


def test_a_refit_finds_the_curve_that_labels_follow() -> None:
    draw = np.random.default_rng(1)
    margin = draw.normal(size=40_000)
    label = (draw.random(40_000) < 1 / (1 + np.exp(2 - 1.5 * margin))).astype(float)
    found = refit(margin, label, "purchase_7d")
    assert found.slope == pytest.approx(1.5, abs=0.1)
    assert found.intercept == pytest.approx(-2, abs=0.1)


def test_a_model_that_ranks_the_wrong_way_is_not_recalibrated() -> None:
    margin = np.linspace(-1, 1, 100)
    with pytest.raises(ContractError, match="no better than chance"):
        refit(margin, (np.arange(100) % 3 == 0) * (margin < 0.5) * 1.0, "purchase_7d")
    with pytest.raises(ContractError, match="0 of 100 labels are 1"):
        refit(margin, np.zeros(100), "purchase_7d")
