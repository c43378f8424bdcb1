"""Whatever the order and the pieces of arrival: the tables are those of one full build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.build.logs import Lakehouse, pieces, random_log, stored

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FEW = [(seed, 4) for seed in range(4)]
MANY = [pytest.param(seed, 6, marks=pytest.mark.slow) for seed in range(4, 30)]


@pytest.mark.parametrize(("seed", "count"), [*FEW, *MANY])
def test_pieces_in_any_order_equal_a_full_build(
    tmp_path: Path, sail: SparkSession, seed: int, count: int
) -> None:
    log = random_log(seed)
    whole = Lakehouse(tmp_path / "whole", sail)
    whole.load("all", log)
    whole.build()
    piecemeal = Lakehouse(tmp_path / "piecemeal", sail)
    for number, piece in enumerate(pieces(seed, log, count)):
        piecemeal.load(f"piece-{number}", piece)
        changes = piecemeal.build()
        assert bool(changes.full) == (number == 0)
    found, expected = piecemeal.content(), whole.content()
    assert {name for name in stored() if found[name] != expected[name]} == set()


def test_a_second_run_changes_nothing(tmp_path: Path, sail: SparkSession) -> None:
    shop = Lakehouse(tmp_path, sail)
    first, second = pieces(1, random_log(1), 2)
    shop.load("first", first)
    shop.build()
    shop.load("second", second)
    assert not shop.build().is_nothing
    before = shop.versions(), shop.warehouse.version("build_log")
    assert shop.build().is_nothing
    assert (shop.versions(), shop.warehouse.version("build_log")) == before
