"""Settings of the dirt: what cannot be is refused in one line, and a command line may switch it."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

import pytest

from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.shop.request import add_shop_arguments, requested_world, require_dirt_that_can_be_told
from jobs.shop.settings import shop_settings
from tests.shop_worlds import raw_settings


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dust": 1}, "dirt.dust"),
        ({"null_country": 1.5}, "dirt.null_country"),
        ({"late_hours": [[0, 1], [0.9, 6]]}, "late_hours must rise"),
        ({"late_hours": [[0, 5], [0.5, 4], [1, 6]]}, "late_hours must rise"),
        ({"clock_ahead_days": [3, 2]}, "clock_ahead_days"),
        ({"out_of_order_minutes": 5}, "out_of_order_minutes"),
        ({"bots": {"per_1000_users": 1, "views": [9, 8], "pause_seconds": [1, 2]}}, "bots: views:"),
        ({"bots": {"per_1000_users": 1, "views": [1, 9000], "pause_seconds": [1, 2]}}, "bots"),
        ({"bots": {"per_1000_users": 1, "views": [1, 8000], "pause_seconds": [1, 20]}}, "fit"),
    ],
)
def test_mistakes_are_named_in_one_line(change: dict[str, Any], complaint: str) -> None:
    raw = raw_settings()
    raw["dirt"] = raw["dirt"] | change
    with pytest.raises(UsageError, match=complaint) as caught:
        shop_settings(raw)
    assert "\n" not in str(caught.value)


def test_shares_of_one_row_do_not_exceed_it() -> None:
    raw = raw_settings()
    raw["dirt"]["events"] = raw["dirt"]["events"] | {"late": 0.5, "clock_skew": 0.499}
    with pytest.raises(UsageError, match="add up to more than 1"):
        shop_settings(raw)


@pytest.mark.parametrize(
    ("options", "is_dirty"),
    [
        (["--scale", "tiny"], False),
        (["--scale", "default"], True),
        (["--scale", "tiny", "--dirt", "on"], True),
        (["--scale", "default", "--dirt", "off"], False),
    ],
)
def test_the_scale_or_the_command_line_says_whether_the_log_is_dirty(
    options: list[str], is_dirty: bool
) -> None:
    parser = argparse.ArgumentParser()
    add_shop_arguments(parser)
    world, _ = requested_world(parser.parse_args(options), load_config())
    assert world.is_dirty is is_dirty


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        ({"max_clock_ahead_hours": 48}, "clock_ahead_days: 2.* are no more than"),
        ({"max_events_per_user_day": 600}, "bots.views: 600 are no more than"),
    ],
)
def test_faults_that_silver_could_not_tell_are_refused(
    metrics: dict[str, int], complaint: str
) -> None:
    config = load_config()
    require_dirt_that_can_be_told(config)
    others = dataclasses.replace(config, metrics=dataclasses.replace(config.metrics, **metrics))
    with pytest.raises(UsageError, match=complaint):
        require_dirt_that_can_be_told(others)
