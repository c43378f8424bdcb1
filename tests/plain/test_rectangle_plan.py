"""How users and days are divided into files: each once, and so that most files can be skipped."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from jobs.core.catalog import all_tables
from jobs.core.data_files import DataFile, file_layout
from jobs.shop.events import generate_rectangle
from jobs.shop.ids import user_ids
from jobs.shop.parts import Part, expected_rows, mouthfuls, plan
from jobs.shop.rectangles import write_part
from jobs.shop.workers import Target, longest
from jobs.shop.world import World
from tests.shop_worlds import small_world

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(users=200_000, days=90)


def boxes(parts: list[Part]) -> Counter:
    """How often each (user, first, end) occurs, where [first, end) are the days of a file."""
    return Counter(
        (user, *days)
        for part in parts
        for run in part.users
        for user in run
        for days in itertools.pairwise(part.cuts)
    )


@pytest.mark.parametrize(("rows", "tasks"), [(9_000_000, 2), (1_000, 2), (0, 1), (500_000, 4)])
def test_every_user_has_every_day_once(world: World, rows: int, tasks: int) -> None:
    parts = plan(world, world.first_date, world.until, rows, 1_000_000, tasks)
    found = boxes(parts)
    assert set(found.values()) == {1}
    slices = sorted({box[1:] for box in found})
    assert slices[0][0] == world.first_date and slices[-1][1] == world.until
    for (_, end), (following, _) in itertools.pairwise(slices):
        assert end == following
    for first, end in slices:
        users = {box[0] for box in found if box[1:] == (first, end)}
        assert users >= set(world.user_numbers(world.warmup_start, end))


def test_a_day_and_a_user_each_lie_in_the_square_root_of_the_files(world: World) -> None:
    parts = plan(world, world.first_date, world.until, 25_000_000, 1_000_000, 2)
    files = [(part, days) for part in parts for days in itertools.pairwise(part.cuts)]
    assert len(files) == 25
    day, public = world.first_date + 40 * DAY, int(user_ids([1_234], world.seed)[0])
    of_day = [part for part, (first, end) in files if first <= day < end]
    of_user = [part for part, _ in files if _low(world, part) <= public <= _high(world, part)]
    assert len(of_day) == len(of_user) == 5


def test_short_spans_are_not_cut_and_cores_are_kept_busy(world: World) -> None:
    one_day = plan(world, world.first_date, world.first_date + DAY, 4_000_000, 1_000_000, 2)
    assert {part.cuts for part in one_day} == {(world.first_date, world.first_date + DAY)}
    assert len(one_day) == 4
    # Of one day a block alone is too few users to make at once.
    assert all(len(part.users) == 1 for part in one_day)
    assert len(plan(world, world.first_date, world.first_date + DAY, 450_000, 1_000_000, 8)) == 4
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


def test_a_part_makes_the_rows_of_its_users_and_days_file_by_file(
    world: World, tmp_path: Path
) -> None:
    cuts = tuple(world.first_date + offset * DAY for offset in (0, 30, 41, 90))
    runs = (range(12_288, 16_384), range(100, 900))
    folder = str(tmp_path)
    targets = [
        Target(file_layout(all_tables()[name], folder), {"source": "shop", "batch_id": "b"})
        for name in ("bronze_events", "bronze_orders")
    ]
    files = write_part(world, Part(runs, cuts), targets)
    assert [file.table for file in files] == ["bronze_events"] * 3 + ["bronze_orders"] * 3
    for place, (first, end) in enumerate(itertools.pairwise(cuts)):
        expected = [generate_rectangle(world, run.start, run.stop, first, end) for run in runs]
        events = pq.read_table(tmp_path / files[place].name)
        orders = pq.read_table(tmp_path / files[3 + place].name)
        assert sorted(events["event_id"].to_pylist()) == sorted(
            np.concatenate([part.events.event_id for part in expected]).tolist()
        )
        assert sorted(orders["order_id"].to_pylist()) == sorted(
            np.concatenate([part.orders.order_id for part in expected]).tolist()
        )
        value = np.concatenate([part.events.value for part in expected])
        assert events["value"].null_count == np.isnan(value).sum()
        assert events["value"].to_pandas().sum() == pytest.approx(np.nansum(value))


def test_a_rectangle_holds_as_many_users_as_fit_the_cache(world: World) -> None:
    first = world.first_date
    month = list(mouthfuls(Part((range(0, 70_000),), (first, first + 30 * DAY))))
    day = list(mouthfuls(Part((range(5, 70_000),), (first, first + DAY))))
    assert day == [range(5, 70_000)]
    assert {len(run) for run in month} == {70_000 // 5}
    assert [user for run in month for user in run] == list(range(70_000))


def test_rows_written_are_those_of_the_longest_table_in_all_its_files() -> None:
    sizes = [("bronze_events", 70), ("bronze_orders", 5), ("bronze_events", 60)]
    files = [DataFile(table, f"{rows}.parquet", 1, rows, "{}") for table, rows in sizes]
    assert longest(files) == 130
    assert longest([]) == 0
