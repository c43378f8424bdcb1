"""Settings: complete base, overlays that may only say what base knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jobs.core.building.days import EVERY_DAY, Days
from jobs.core.building.reach import FUNNEL, days_of
from jobs.core.catalog import all_tables
from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.propensity.settings import settings_of
from jobs.shop.settings import shop_of


def overlay(folder: Path, text: str) -> Path:
    path = folder / "overlay.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_overlay_changes_only_what_it_names(tmp_path: Path) -> None:
    base = load_config()
    changed = load_config(overlay(tmp_path, "metrics: {tz: Europe/Berlin}"))
    assert changed.metrics.tz == "Europe/Berlin"
    assert changed.metrics.session_gap_minutes == base.metrics.session_gap_minutes
    assert changed.scales == base.scales


def test_a_scale_of_ones_own_may_be_added(tmp_path: Path) -> None:
    config = load_config(overlay(tmp_path, "scales: {mine: {users: 10, days: 3}}"))
    assert config.scales["mine"].users == 10
    assert "default" in config.scales


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("metrics: {sesion_gap_minutes: 5}", "unknown setting metrics.sesion_gap_minutes"),
        ("seeds: 1", "unknown setting seeds"),
        ("generate: {writer: pandas}", "'files' or 'spark'"),
        ("generate: {rows_per_file: 0}", "rows_per_file"),
        ("metrics: {session_gap_minutes: soon}", "metrics.session_gap_minutes: .*given: 'soon'"),
        ("metrics: {session_gap_minutes: 0}", "session_gap_minutes"),
        ("metrics: {tz: Mars/Base}", "metrics.tz: no such time zone"),
        ("metrics: {earliest_date: foo}", "earliest_date"),
        ("metrics: {funnel_order: sorted}", "funnel_order"),
        (
            "metrics: {funnel_order: any_order, funnel_window_from: previous_step}",
            "funnel_order any_order has no previous step",
        ),
        (
            "metrics: {funnel_unit: attempt, funnel_entry: best_chain}",
            "funnel_unit attempt needs funnel_entry first_entry",
        ),
        ("metrics: {funnel_unit: attempt, funnel_range: period}", "funnel_unit user only"),
        (
            "metrics: {funnel_step_2: ad_to_cart}",
            "funnel_step_2: ad_to_cart is not among the event_types .view, add_to_cart, purchase.",
        ),
        ("metrics: {funnel_step_3: view}", "funnel_step_1, .*: each must be another event type"),
        ("metrics: {event_types: [view, purchase]}", "funnel_step_2: add_to_cart is not among"),
        ("metrics: {active_event_types: [view, search]}", "active_event_types: search is not"),
        ("metrics: {ltv_horizon_days: [30, 7]}", "ltv_horizon_days: .*above the one before"),
        ("metrics: {ltv_horizon_days: []}", "ltv_horizon_days"),
        ("shop: {first_date: 2024-02-31}", "day is out of range"),
        ("scales: {mine: {users: 0, days: 3}}", "scales.mine.users"),
        ("metrics: 5", "metrics must be a mapping"),
        ("scales: {mine: {users: 10, days: 3, hours: 3}}", "hours"),
        ("- a list", "expected a mapping"),
        ("{", "is not YAML"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        load_config(overlay(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "overlay.yaml" in str(caught.value)


def test_a_step_of_ones_own_is_named_twice(tmp_path: Path) -> None:
    """Among the steps, and among the types that silver accepts."""
    text = """metrics: {event_types: [view, wish, purchase], active_event_types: [view],
      funnel_step_2: wish}"""
    assert load_config(overlay(tmp_path, text)).metrics.funnel_step_2 == "wish"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("shop: {warmup_days: -1}", "shop.warmup_days: .*given: -1"),
        ("shop: {mixture: {rate_quantiles: [0, 2]}}", "shop.mixture.rate_quantiles.1: "),
        ("shop: {mixture: {rate_quantiles: [0, 0.5]}}", "shop.mixture: rate_quantiles must rise"),
        ("shop: {countries: {DE: {share: 0.5}}}", "shop: the shares of the countries must add"),
        ("shop: {dirt: {bots: {views: [9, 8]}}}", "shop.dirt.bots: views: the first must not"),
        ("shop: {incidents: {drifts: [{first: 2024-01-09}]}}", "shop.incidents.drifts.0.visits: "),
    ],
)
def test_mistakes_in_the_shop_name_the_file_and_the_keys(
    tmp_path: Path, text: str, complaint: str
) -> None:
    config = load_config(overlay(tmp_path, text))
    with pytest.raises(UsageError, match=f"overlay.yaml: {complaint}") as caught:
        shop_of(config)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_mistakes_in_the_model_name_the_file_and_the_keys(tmp_path: Path) -> None:
    config = load_config(overlay(tmp_path, "propensity: {churn: {boosting: {max_trees: 0}}}"))
    complaint = "overlay.yaml: propensity.churn.boosting.max_trees: .*given: 0"
    with pytest.raises(UsageError, match=complaint):
        settings_of(config)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("{}", (402, 120)),
        ("{retention_max_months: 0, retention_max_weeks: 0}", (92, 120)),
        ("{retention_max_months: 0, retention_max_days: 0, ltv_horizon_days: [3]}", (194, 33)),
    ],
)
def test_cohorts_reach_as_far_as_their_longest_period(
    tmp_path: Path, text: str, reach: tuple[int, int]
) -> None:
    params = load_config(overlay(tmp_path, f"metrics: {text}")).metrics.parameters()
    assert (params["retention_reach_days"], params["ltv_reach_days"]) == reach


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere.yaml"):
        load_config(tmp_path / "nowhere.yaml")


def test_null_takes_an_experiment_out_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("shop: {incidents: {campaign: null, price_test: null}}", encoding="utf-8")
    incidents = shop_of(load_config(path)).incidents
    assert incidents.campaign is None and incidents.price_test is None
    assert incidents.drifts == shop_of(load_config()).incidents.drifts
    path.write_text("shop: {incidents: null}", encoding="utf-8")
    with pytest.raises(UsageError, match="shop.incidents must be a mapping"):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("funnel_ties: strict_increase", 8),
        ("funnel_window_from: previous_step", 15),
        ("funnel_unit: attempt", None),
        ("funnel_range: period", None),
    ],
)
def test_every_day_of_the_funnel_is_built_where_an_entry_needs_more_than_its_days(
    tmp_path: Path, text: str, ahead: int | None
) -> None:
    metrics = load_config(overlay(tmp_path, f"metrics: {{{text}}}")).metrics
    assert metrics.funnel_days_ahead == ahead
    touched = [Days(date(2024, 3, 9), date(2024, 3, 10))]
    widened = [Days(date(2024, 3, 1), date(2024, 3, 10))]
    found = days_of(all_tables()[FUNNEL], {}, touched, metrics)
    assert found == (widened if ahead == 8 else [EVERY_DAY])


@pytest.mark.parametrize("seed", ["1.7", "true", "'1'", "null"])
def test_a_seed_is_a_whole_number(tmp_path: Path, seed: str) -> None:
    with pytest.raises(UsageError, match="seed must be a whole number"):
        load_config(overlay(tmp_path, f"seed: {seed}"))
