"""Reasons are the strongest effects of a user, and importances find what the label rests on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.propensity.explanation import REASONS, feature_groups, importance, top_reasons
from jobs.propensity.features import Sample
from jobs.propensity.shapley import explain
from jobs.propensity.trees import Trees, margins
from tests import random_trees

Floats = NDArray[np.float64]
NAMES = ("visits", "country=DE", "age", "country=FR", "channel=seo")


@pytest.fixture(scope="module")
def trees() -> Trees:
    return random_trees.random_trees(np.random.default_rng(2), 12, 4, len(NAMES))


@pytest.fixture(scope="module")
def matrix() -> Floats:
    return random_trees.random_rows(np.random.default_rng(3), 200, len(NAMES))


def test_columns_of_a_category_are_one_feature() -> None:
    groups = feature_groups(NAMES)
    assert groups == {"visits": [0], "country": [1, 3], "age": [2], "channel": [4]}


def test_reasons_are_the_strongest_effects_with_their_sign(trees: Trees, matrix: Floats) -> None:
    features, places, effects = top_reasons(trees, NAMES, matrix)
    assert features == ["visits", "country", "age", "channel"]
    assert places.shape == effects.shape == (200, REASONS)
    values = explain(trees, matrix).values
    for row, (found, told) in enumerate(zip(places, effects, strict=True)):
        by_feature = {
            "visits": values[row, 0],
            "country": values[row, 1] + values[row, 3],
            "age": values[row, 2],
            "channel": values[row, 4],
        }
        names = [features[place] for place in found]
        strongest = sorted(by_feature, key=lambda name: -abs(by_feature[name]))
        assert names == strongest[:REASONS]
        assert list(told) == [by_feature[name] for name in names]
    assert (effects > 0).any() and (effects < 0).any()


def test_effects_of_all_features_add_up_to_the_margin(trees: Trees, matrix: Floats) -> None:
    found = explain(trees, matrix)
    total = sum(found.values[:, columns].sum(axis=1) for columns in feature_groups(NAMES).values())
    np.testing.assert_allclose(total + found.base, margins(trees, matrix), rtol=0, atol=1e-9)


def test_of_equal_effects_the_earlier_feature_comes_first(trees: Trees) -> None:
    """A tree that never splits moves nobody: all effects are 0."""
    stump = random_trees.random_trees(np.random.default_rng(1), 1, 0, 5)
    features, places, effects = top_reasons(stump, NAMES, np.zeros((3, 5)))
    assert [[features[place] for place in row] for row in places] == [
        ["visits", "country", "age"]
    ] * 3
    assert (effects == 0).all()


def test_fewer_features_than_reasons_are_all_told(matrix: Floats) -> None:
    trees = random_trees.random_trees(np.random.default_rng(5), 3, 2, 2)
    features, places, _ = top_reasons(trees, ("visits", "age"), matrix[:, :2])
    assert places.shape == (200, 2)
    assert {tuple(sorted(row)) for row in places.tolist()} == {(0, 1)}


def planted(is_split: bool = False) -> tuple[Trees, Sample]:
    """Trees that lean on two features, on a third a little, and whose label knows the first two.

    The second is the country: in one column, or half of it in each of two that say the same.
    """
    rows = 4_000
    draw = np.random.default_rng(6)
    matrix = draw.integers(0, 4, (rows, len(NAMES))).astype(float)
    # One stump per feature; the margin adds up what each of them says.
    strength = {0: 1.0, 1: 0.5, 2: 0.25}
    if is_split:
        matrix[:, 3] = matrix[:, 1]
        strength |= {1: 0.25, 3: 0.25}
    nodes = [node for column, size in strength.items() for node in _stump(column, size)]
    roots = np.arange(len(strength)) * 3
    empty = np.zeros(len(nodes), np.int32)
    trees = Trees(
        feature=np.array([n[0] for n in nodes], np.int32),
        threshold=np.array([n[1] for n in nodes]),
        left=np.array([r + 1 if n[0] >= 0 else -1 for r, n in enumerate(nodes)], np.int32),
        right=np.array([r + 2 if n[0] >= 0 else -1 for r, n in enumerate(nodes)], np.int32),
        value=np.array([n[2] for n in nodes]),
        cover=np.array([n[3] for n in nodes]),
        first_side=empty,
        categories=empty,
        sides=np.zeros(0, np.bool_),
        roots=roots.astype(np.int32),
        weights=np.ones(len(strength)),
    )
    logit = 2 * np.sign(matrix[:, 0] - 1.5) + 1.2 * np.sign(matrix[:, 1] - 1.5)
    label = (draw.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    sample = Sample(
        user_id=np.arange(rows),
        as_of=np.full(rows, np.datetime64("2024-03-01")),
        label=label,
        matrix=matrix,
        segments={},
    )
    return trees, sample


def _stump(column: int, size: float) -> list[tuple[int, float, float, float]]:
    """Feature, threshold, value and cover of three nodes; half of the rows go either way."""
    return [(column, 1.5, 0.0, 100.0), (-1, 0.0, -size, 50.0), (-1, 0.0, size, 50.0)]


def test_importances_find_what_the_label_rests_on() -> None:
    trees, sample = planted()
    impurity = np.array([0.5, 0.2, 0.1, 0.2, 0.0])
    metrics = importance(trees, NAMES, impurity, sample, seed=1)
    found = {(m.metric, m.segment.removeprefix("feature=")): m.value for m in metrics}
    assert {m.rows for m in metrics} == {4_000}
    lost = {name: found["permutation_importance", name] for name in feature_groups(NAMES)}
    # Age moves the margin too, but tells nothing of the label: last of those that trees ask.
    assert sorted(lost, key=lambda name: -lost[name])[:2] == ["visits", "country"]
    assert abs(lost["age"]) < 0.01 < lost["country"] / 2
    assert lost["channel"] == 0, "no tree asks it"
    moved = {name: found["shap_importance", name] for name in lost}
    assert moved == pytest.approx({"visits": 1, "country": 0.5, "age": 0.25, "channel": 0})
    assert found["impurity_importance", "country"] == pytest.approx(0.4)


def test_columns_of_a_category_are_dealt_out_together() -> None:
    lost = []
    for is_split in (False, True):
        trees, sample = planted(is_split)
        metrics = importance(trees, NAMES, np.zeros(5), sample, seed=1)
        lost += [
            [m.value for m in metrics if (m.metric, m.segment) == (name, "feature=country")]
            for name in ("permutation_importance", "shap_importance")
        ]
    np.testing.assert_allclose(lost[:2], lost[2:], rtol=1e-9)


def test_importances_repeat_and_a_large_slice_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    trees, sample = planted()
    one, other = (importance(trees, NAMES, np.zeros(5), sample, seed=4) for _ in range(2))
    assert one == other
    monkeypatch.setattr("jobs.propensity.explanation._ROWS", 500)
    assert {m.rows for m in importance(trees, NAMES, np.zeros(5), sample, seed=4)} == {500}
