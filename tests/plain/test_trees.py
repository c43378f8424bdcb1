"""Margins of exported trees against a walk in plain Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.propensity import trees as module
from jobs.propensity.trees import Trees, first, margins, probabilities, staged_margins
from tests import random_trees

FEATURES = 5
TREES = random_trees.random_trees(np.random.default_rng(1), 9, 4, FEATURES, categorical=2)
ROWS = random_trees.random_rows(np.random.default_rng(2), 300, FEATURES)
EVERYTHING = set(range(FEATURES))


def test_margins_after_every_tree() -> None:
    found = staged_margins(TREES, ROWS, range(1, 10))
    wanted = [
        [random_trees.margin(TREES, row, EVERYTHING, count) for count in range(1, 10)]
        for row in ROWS
    ]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)
    assert len(np.unique(found[:, -1])) > 50


def test_some_stages_are_columns_of_all() -> None:
    every = staged_margins(TREES, ROWS, range(1, 10))
    np.testing.assert_array_equal(staged_margins(TREES, ROWS, [2, 7]), every[:, [1, 6]])
    np.testing.assert_array_equal(margins(TREES, ROWS), every[:, -1])


@pytest.mark.parametrize("count", [1, 4, 9])
def test_the_first_trees_give_the_margins_of_that_stage(count: int) -> None:
    kept = first(TREES, count)
    np.testing.assert_array_equal(margins(kept, ROWS), staged_margins(TREES, ROWS, [count])[:, 0])
    nodes = TREES.roots[count] if count < 9 else len(TREES.feature)
    assert len(kept.feature) == len(kept.cover) == nodes
    if count == 9:
        assert len(kept.sides) == len(TREES.sides)
    else:
        assert len(kept.sides) < len(TREES.sides)


@pytest.mark.parametrize("count", [0, 10])
def test_no_trees_and_more_than_there_are_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 9"):
        first(TREES, count)


@pytest.mark.parametrize("stages", [[], [0], [10], [3, 3], [5, 2]])
def test_stages_that_do_not_ascend_within_the_trees_are_refused(stages: list[int]) -> None:
    with pytest.raises(ValueError, match="ascend from 1 to 9"):
        staged_margins(TREES, ROWS, stages)


@pytest.mark.parametrize("rows", [0, 1, 7, 299, 300])
def test_chunks_cover_every_row_once(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = margins(TREES, ROWS)[:rows]
    monkeypatch.setattr(module, "_CHUNK_ROWS", 7)
    np.testing.assert_array_equal(margins(TREES, ROWS[:rows]), wanted)


def test_a_matrix_may_lie_by_columns_or_be_of_integers() -> None:
    wanted = margins(TREES, ROWS)
    np.testing.assert_array_equal(margins(TREES, np.asfortranarray(ROWS)), wanted)
    np.testing.assert_array_equal(margins(TREES, ROWS.astype(np.int64)), wanted)
    np.testing.assert_array_equal(margins(TREES, pd.DataFrame(ROWS).to_numpy()), wanted)


def test_a_matrix_that_lacks_features_is_refused() -> None:
    with pytest.raises(ValueError, match="ask 5 features"):
        margins(TREES, ROWS[:, :4])
    with pytest.raises(ValueError, match="ask 5 features"):
        margins(TREES, ROWS[0])


def one_split(**changes: object) -> Trees:
    """Leaf 1 on the left, leaf 2 on the right of one split at feature 0."""
    arrays = {
        "feature": np.array([0, -1, -1], dtype=np.int32),
        "threshold": np.array([0.5, 0.0, 0.0]),
        "left": np.array([1, -1, -1], dtype=np.int32),
        "right": np.array([2, -1, -1], dtype=np.int32),
        "value": np.array([9.0, 1.0, 2.0]),
        "cover": np.array([4.0, 1.0, 3.0]),
        "first_side": np.zeros(3, dtype=np.int32),
        "categories": np.zeros(3, dtype=np.int32),
        "sides": np.zeros(0, dtype=np.bool_),
        "roots": np.zeros(1, dtype=np.int32),
        "weights": np.ones(1),
    }
    return Trees(**(arrays | changes))  # type: ignore[arg-type]


def test_the_threshold_itself_goes_left_and_no_number_goes_right() -> None:
    numbers = np.array([[0.5], [np.nextafter(0.5, 1)], [-np.inf], [np.inf], [np.nan]])
    np.testing.assert_array_equal(margins(one_split(), numbers), [1, 2, 1, 2, 2])


@pytest.mark.parametrize("others_go_left", [True, False])
def test_what_is_no_category_goes_where_the_split_sends_it(others_go_left: bool) -> None:
    split = one_split(
        categories=np.array([3, 0, 0], dtype=np.int32),
        sides=np.array([True, False, True, others_go_left]),
    )
    numbers = np.array([[0.0], [1.0], [2.0], [3.0], [-1.0], [0.5], [np.nan], [1e300]])
    other = 1 if others_go_left else 2
    np.testing.assert_array_equal(margins(split, numbers), [1, 2, 1, *[other] * 5])


def test_a_margin_is_half_a_logit() -> None:
    assert probabilities(np.array([0.0, np.log(3) / 2])) == pytest.approx([0.5, 0.75])
