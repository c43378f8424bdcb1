"""Shapley values against their definition, a sum over all sets of features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.core.errors import ContractError
from jobs.propensity import shapley
from jobs.propensity.shapley import Explanation, check_additivity, explain
from jobs.propensity.trees import margins
from tests import random_trees


@given(
    seed=st.integers(0, 2**32 - 1),
    trees=st.integers(1, 4),
    depth=st.integers(0, 5),
    features=st.integers(1, 5),
    categorical=st.integers(0, 5),
)
@settings(max_examples=60)
def test_values_are_those_of_the_definition(
    seed: int, trees: int, depth: int, features: int, categorical: int
) -> None:
    draw = np.random.default_rng(seed)
    # Few features on deep trees: the same one is asked more than once on a path.
    model = random_trees.random_trees(draw, trees, depth, features, min(features, categorical))
    rows = random_trees.random_rows(draw, 4, features)
    found = explain(model, rows)
    wanted = [random_trees.shapley(model, row) for row in rows]
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=1e-12)
    base = random_trees.margin(model, rows[0], set())
    assert found.base == pytest.approx(base, rel=0, abs=1e-12)
    np.testing.assert_array_equal(found.margin, margins(model, rows))


@pytest.mark.parametrize("limit", [0, 2, 6])
def test_leaves_with_and_without_a_table_agree(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    model = random_trees.random_trees(draw, 3, 8, 9, categorical=2)
    rows = random_trees.random_rows(draw, 3, 9)
    monkeypatch.setattr(shapley, "_TABULATED", limit)
    wanted = [random_trees.shapley(model, row) for row in rows]
    np.testing.assert_allclose(explain(model, rows).values, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 9, 10])
def test_chunks_cover_every_row_once(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(4)
    model = random_trees.random_trees(draw, 5, 3, 4)
    matrix = random_trees.random_rows(draw, 10, 4)
    wanted = explain(model, matrix).values[:rows]
    monkeypatch.setattr(shapley, "_CHUNK_ROWS", 3)
    np.testing.assert_array_equal(explain(model, matrix[:rows]).values, wanted)


def test_a_feature_that_no_tree_asks_adds_nothing() -> None:
    draw = np.random.default_rng(5)
    model = random_trees.random_trees(draw, 5, 3, 4)
    matrix = random_trees.random_rows(draw, 50, 6)
    values = explain(model, matrix).values
    assert values.shape == (50, 6)
    assert np.all(values[:, 4:] == 0)
    assert np.all(np.abs(values[:, :4]).max(axis=0) > 0.01)


def test_tiny_shares_lose_no_digits() -> None:
    draw = np.random.default_rng(6)
    model = random_trees.random_trees(draw, 1, 3, 3)
    # One training row in a million on every left side.
    cover = model.cover.copy()
    for node in np.flatnonzero(model.feature >= 0):
        cover[model.left[node]] = cover[node] * 1e-6
        cover[model.right[node]] = cover[node] * (1 - 1e-6)
    model = model._replace(cover=cover)
    rows = random_trees.random_rows(draw, 20, 3)
    wanted = [random_trees.shapley(model, row) for row in rows]
    np.testing.assert_allclose(explain(model, rows).values, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("damage", [1e-8, np.nan])
def test_values_that_do_not_add_up_are_refused(damage: float) -> None:
    good = Explanation(0.5, np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.8, 1.2]))
    check_additivity(good)
    broken = good.values.copy()
    broken[1, 0] += damage
    with pytest.raises(ContractError, match="miss the margin"):
        check_additivity(good._replace(values=broken))


def test_every_explanation_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(7)
    model = random_trees.random_trees(draw, 2, 2, 2)
    rows = random_trees.random_rows(draw, 5, 2)
    monkeypatch.setattr(shapley, "margins", lambda trees, matrix: margins(trees, matrix) + 1e-8)
    with pytest.raises(ContractError, match="miss the margin"):
        explain(model, rows)
