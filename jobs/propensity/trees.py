"""Boosted trees as arrays, and the margin of each row after any number of them.

The margin of a row is F = sum of weight x leaf value over the trees. It is a half-logit: MLlib's
own probability is sigmoid(2F). `tree_export` makes the arrays, `shapley` explains the margins.

Functions that read the tuple Trees are compiled in the file that defines it: numba keeps compiled
code by the time of one file and would not notice a change in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]

_NOT_BY_NODE = ("sides", "roots", "weights")
# Rows copied into doubles in row order at a time, so that a large matrix is never copied whole.
_CHUNK_ROWS = 16_384


class Trees(NamedTuple):
    """Binary trees, one after the other; one entry per node if not said otherwise.

    Parameters
    ----------
    feature
        Column that the node asks; -1 in a leaf.
    threshold
        The row goes left if its number is at most this; 0 at a categorical split, which does not
        read it.
    left, right
        Node to go on with; -1 in a leaf.
    value
        Prediction of the node, which counts in a leaf.
    cover
        Training rows that came here.
    first_side, categories
        At a categorical split, the place of category 0 in `sides` and the number of categories;
        0 elsewhere.
    sides
        Whether a category goes left, split by split and category by category; after the last of a
        split, whether a number that is none of them does.
    roots, weights
        First node and weight of each tree.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    cover: Floats
    first_side: Ints
    categories: Ints
    sides: Bools
    roots: Ints
    weights: Floats


def staged_margins(trees: Trees, matrix: Any, stages: Sequence[int]) -> Floats:
    """Margins under the first n trees, for several n in one pass.

    Parameters
    ----------
    matrix
        Two-dimensional; one column per feature, in the order the trees were trained on.
    stages
        Numbers of trees, ascending, from 1 to all of them.

    Returns
    -------
    ndarray
        One row per row of the matrix, one column per stage.
    """
    wanted = np.asarray(stages, dtype=np.int32)
    bounds = np.concatenate([[0], wanted, [len(trees.roots) + 1]])
    if not len(wanted) or not np.all(np.diff(bounds) > 0):
        raise ValueError(f"stages must ascend from 1 to {len(trees.roots)}, not {list(stages)}")
    found = np.empty((len(matrix), len(wanted)))
    for rows, part in chunks(trees, matrix, _CHUNK_ROWS):
        _walk(trees, part, wanted, found[rows])
    return found


def margins(trees: Trees, matrix: Any) -> Floats:
    """Margin of each row under all trees; for the matrix see `staged_margins`."""
    return staged_margins(trees, matrix, [len(trees.roots)])[:, 0]


def first(trees: Trees, count: int) -> Trees:
    """Keep the first trees, from one to all of them."""
    if not 1 <= count <= len(trees.roots):
        raise ValueError(f"count must lie from 1 to {len(trees.roots)}, not {count}")
    end = trees.roots[count] if count < len(trees.roots) else len(trees.feature)
    by_node = {
        name: getattr(trees, name)[:end] for name in Trees._fields if name not in _NOT_BY_NODE
    }
    # After the categories of a split comes one more side.
    splits = by_node["categories"] > 0
    ends = (by_node["first_side"] + by_node["categories"] + 1)[splits]
    return Trees(
        sides=trees.sides[: ends.max(initial=0)],
        roots=trees.roots[:count],
        weights=trees.weights[:count],
        **by_node,
    )


def probabilities(margin: Floats) -> Floats:
    """Compute MLlib's own probability of a margin, sigmoid(2F), which is not calibrated."""
    return 1 / (1 + np.exp(-2 * margin))


def chunks(trees: Trees, matrix: Any, size: int) -> Iterator[tuple[slice, Floats]]:
    """Cut a matrix into parts of `size` rows, as the compiled functions take them."""
    needed = int(trees.feature.max()) + 1
    if np.ndim(matrix) != 2 or np.shape(matrix)[1] < needed:
        raise ValueError(f"the trees ask {needed} features, the matrix is {np.shape(matrix)}")
    for start in range(0, len(matrix), size):
        rows = slice(start, start + size)
        yield rows, np.ascontiguousarray(matrix[rows], dtype=np.float64)


@njit(cache=True)
def all_sides(trees: Trees, columns: Floats) -> Bools:
    """Whether each row would go left, at every node, those it never comes to among them.

    Parameters
    ----------
    columns
        One row per feature, one column per row.

    Returns
    -------
    ndarray
        One row per node, one column per row; a leaf is False.
    """
    feature, splits = trees.feature, _splits(trees)
    sides = np.zeros((len(feature), columns.shape[1]), dtype=np.bool_)
    for node in range(len(feature)):
        if feature[node] >= 0:
            for row in range(columns.shape[1]):
                sides[node, row] = _goes_left(splits, node, columns[feature[node], row])
    return sides


@njit(cache=True)
def _walk(trees: Trees, matrix: Floats, stages: Ints, found: Floats) -> None:
    feature, left, right, value = trees.feature, trees.left, trees.right, trees.value
    roots, weights, splits = trees.roots, trees.weights, _splits(trees)
    for row in range(len(matrix)):
        margin, stage = 0.0, 0
        for tree in range(stages[-1]):
            node = roots[tree]
            while feature[node] >= 0:
                goes_left = _goes_left(splits, node, matrix[row, feature[node]])
                node = left[node] if goes_left else right[node]
            margin += weights[tree] * value[node]
            if tree + 1 == stages[stage]:
                found[row, stage] = margin
                stage += 1


# Arrays are taken out of the tuple before a loop: numba counts references to all arrays of a tuple
# each time one is read from it, which made the walk five times slower.
@njit(cache=True)
def _splits(trees: Trees) -> tuple[Floats, Ints, Ints, Bools]:
    return trees.threshold, trees.first_side, trees.categories, trees.sides


@njit(cache=True)
def _goes_left(splits: tuple[Floats, Ints, Ints, Bools], node: int, number: float) -> bool:
    """Decide a split as MLlib does: NaN is not at most a threshold, and no category."""
    threshold, first_side, categories, sides = splits
    if categories[node] == 0:
        return number <= threshold[node]
    is_category = 0 <= number < categories[node] and number == np.floor(number)
    return sides[first_side[node] + (int(number) if is_category else categories[node])]
