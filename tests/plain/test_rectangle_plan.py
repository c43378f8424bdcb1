"""How users and days are divided into files: each once, and so that most files can be skipped."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from jobs.shop.events import generate_rectangle
from jobs.shop.ids import user_ids
from jobs.shop.rectangles import Part, expected_rows, plan
from jobs.shop.world import World
from tests.shop_worlds import small_world

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(users=200_000, days=90)


def boxes(parts: list[Part]) -> Counter:
    """How often each (user, first, end) occurs."""
    return Counter(
        (user, part.first, part.end) for part in parts for run in part.users for user in run
    )


@pytest.mark.parametrize(("rows", "tasks"), [(9_000_000, 2), (1_000, 2), (0, 1), (500_000, 4)])
def test_every_user_has_every_day_once(world: World, rows: int, tasks: int) -> None:
    parts = plan(world, world.first_date, world.until, rows, 1_000_000, tasks)
    found = boxes(parts)
    assert set(found.values()) == {1}
    cuts = sorted({(part.first, part.end) for part in parts})
    assert cuts[0][0] == world.first_date and cuts[-1][1] == world.until
    for (_, end), (following, _) in zip(cuts, cuts[1:], strict=False):
        assert end == following
    expected = sum(len(world.user_numbers(world.warmup_start, end)) for _, end in cuts)
    assert len(found) == expected


def test_a_day_and_a_user_each_lie_in_the_square_root_of_the_files(world: World) -> None:
    parts = plan(world, world.first_date, world.until, 25_000_000, 1_000_000, 2)
    assert len(parts) == 25
    day, user = world.first_date + 40 * DAY, 1_234
    public = int(user_ids([user], world.seed)[0])
    of_day = [part for part in parts if part.first <= day < part.end]
    of_user = [part for part in parts if _low(world, part) <= public <= _high(world, part)]
    assert len(of_day) == len(of_user) == 5


def test_short_spans_are_not_cut_and_cores_are_kept_busy(world: World) -> None:
    one_day = plan(world, world.first_date, world.first_date + DAY, 4_000_000, 1_000_000, 2)
    assert {(part.first, part.end) for part in one_day} == {
        (world.first_date, world.first_date + DAY)
    }
    assert len(one_day) == 4
    assert len(plan(world, world.first_date, world.until, 450_000, 1_000_000, 8)) == 4
    assert len(plan(world, world.first_date, world.until, 90_000, 1_000_000, 8)) == 1


def test_the_estimate_is_near_and_for_a_small_shop_exact(world: World) -> None:
    first = date(2024, 3, 1)
    everyone = world.user_numbers(world.warmup_start, world.until)
    exact = generate_rectangle(world, everyone.start, everyone.stop, first, world.until)
    assert expected_rows(world, first, world.until) == pytest.approx(len(exact.events.ts), rel=0.15)
    small = small_world(users=2000)
    rows = generate_rectangle(small, 0, small.user_count, small.first_date, small.until)
    assert expected_rows(small, small.first_date, small.until) == len(rows.events.ts)


def _low(world: World, part: Part) -> int:
    return min(int(user_ids(run, world.seed).min()) for run in part.users)


def _high(world: World, part: Part) -> int:
    return max(int(user_ids(run, world.seed).max()) for run in part.users)
