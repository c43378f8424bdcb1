"""Small trees at random, with thresholds and sets of categories, and plain walks through them."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from jobs.propensity.trees import Trees

Floats = NDArray[np.float64]


def random_trees(
    draw: np.random.Generator, trees: int, depth: int, features: int, categorical: int = 0
) -> Trees:
    """Trees of at most `depth`; the last `categorical` features have four categories each."""
    nodes: list[dict[str, float]] = []
    sides: list[bool] = []

    def grow(levels: int, cover: int) -> int:
        node = dict(feature=-1, threshold=0.0, left=-1, right=-1, first_side=0, categories=0)
        node |= dict(value=draw.normal(), cover=cover)
        place = len(nodes)
        nodes.append(node)
        if levels == 0 or cover < 2 or (levels < depth and draw.random() < 0.1):
            return place
        node["feature"] = draw.integers(features)
        if node["feature"] >= features - categorical:
            node["categories"], node["first_side"] = 4, len(sides)
            sides.extend(draw.random(5) < 0.5)
        else:
            # On the grid of the rows, so that a number often equals the threshold.
            node["threshold"] = draw.integers(4)
        left = int(draw.integers(1, cover))
        node["left"] = grow(levels - 1, left)
        node["right"] = grow(levels - 1, cover - left)
        return place

    roots = [grow(depth, 1_000) for _ in range(trees)]
    types = {name: np.int32 for name in ("feature", "left", "right", "first_side", "categories")}
    columns = {
        name: np.array([node[name] for node in nodes], dtype=types.get(name, np.float64))
        for name in nodes[0]
    }
    return Trees(
        **columns,
        sides=np.array(sides, dtype=np.bool_),
        roots=np.array(roots, dtype=np.int32),
        weights=np.array([1.0, *[0.3] * (trees - 1)]),
    )


def random_rows(draw: np.random.Generator, rows: int, features: int) -> Floats:
    """Whole numbers from -1 to 4, so categories and numbers that are none."""
    return draw.integers(-1, 5, (rows, features)).astype(np.float64)


def goes_left(trees: Trees, node: int, row: Floats) -> bool:
    number = row[trees.feature[node]]
    if not trees.categories[node]:
        return bool(number <= trees.threshold[node])
    names = list(range(trees.categories[node]))
    place = names.index(int(number)) if number in names else len(names)
    return bool(trees.sides[trees.first_side[node] + place])


def expected(trees: Trees, node: int, row: Floats, known: set[int]) -> float:
    """Mean prediction below a node where only the known features of the row are looked at."""
    feature = int(trees.feature[node])
    if feature < 0:
        return float(trees.value[node])
    left, right = int(trees.left[node]), int(trees.right[node])
    if feature in known:
        return expected(trees, left if goes_left(trees, node, row) else right, row, known)
    both = [trees.cover[child] * expected(trees, child, row, known) for child in (left, right)]
    return float(sum(both) / trees.cover[node])


def margin(trees: Trees, row: Floats, known: set[int], count: int | None = None) -> float:
    """Expected margin of the first trees."""
    pairs = list(zip(trees.roots, trees.weights, strict=True))[:count]
    return sum(float(weight) * expected(trees, int(root), row, known) for root, weight in pairs)


def shapley(trees: Trees, row: Floats) -> Floats:
    """Shapley values by their definition: over all sets of the other features."""
    features = len(row)
    found = np.zeros(features)
    for feature in range(features):
        others = [f for f in range(features) if f != feature]
        for size in range(features):
            weight = factorial(size) * factorial(features - size - 1) / factorial(features)
            for chosen in combinations(others, size):
                known = set(chosen)
                gain = margin(trees, row, known | {feature}) - margin(trees, row, known)
                found[feature] += weight * gain
    return found
