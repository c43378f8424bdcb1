"""What every feature adds to a margin: exact Shapley values of boosted trees.

Where a feature is unknown, a row goes both ways, in the shares of the training rows: the
path-dependent expectation of Lundberg et al. (2020), "From local explanations to global
understanding with explainable AI for trees". Under it a leaf of value v whose path asks the
features 1..m adds to feature i

    v (o_i - z_i) * integral over t in [0, 1] of the product over j != i of (t o_j + (1 - t) z_j)

with z_j the share of training rows that pass the path's splits at j, and o_j 1 for a row that
passes them, else 0: the integral of t^s (1-t)^(m-1-s) is the Shapley weight of s known features. A
Gauss rule of m/2 points is exact for it, and sums only positive terms. A row enters by its m bits
alone, so leaves with few features are looked up in a table.

The package shap is not used: in trees given as arrays it knows no categorical split, and walking
every tree once per row, it is several times slower than looking up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from jobs.core.errors import ContractError
from jobs.propensity.trees import Trees, all_sides, chunks, margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# How far base value and Shapley values of a row may add up to something else than its margin.
ADDITIVITY = 1e-9
# Up to so many features a leaf is tabulated: 2^6 patterns of 6 numbers are 3 KB.
_TABULATED = 6
# Node after node is looked up for so many rows at once, whose sides then stay in the cache.
_CHUNK_ROWS = 1_024


class Explanation(NamedTuple):
    """Margins and what makes them up: margin = base + sum of the values of its row.

    Parameters
    ----------
    base
        Mean margin of the training rows.
    values
        One row per row, one column per feature, in units of the margin (a half-logit).
    margin
        One entry per row.
    """

    base: float
    values: Floats
    margin: Floats


def explain(trees: Trees, matrix: Any) -> Explanation:
    """Explain the margin of each row of a matrix (see `trees.staged_margins`).

    Raises
    ------
    ContractError
        The values of a row do not add up to its margin.
    """
    paths = _read_paths(trees)
    values = np.empty(np.shape(matrix))
    for rows, part in chunks(trees, matrix, _CHUNK_ROWS):
        columns = np.ascontiguousarray(part.T)
        added = np.zeros_like(columns)
        _add_values(paths, all_sides(trees, columns), added)
        values[rows] = added.T
    found = Explanation(paths.base, values, margins(trees, matrix))
    check_additivity(found)
    return found


def check_additivity(found: Explanation) -> None:
    """Refuse an explanation that does not add up.

    Raises
    ------
    ContractError
        By more than ADDITIVITY in some row.
    """
    gaps = np.abs(found.base + found.values.sum(axis=1) - found.margin)
    # All and not any: a comparison with NaN is false.
    if not np.all(gaps <= ADDITIVITY):
        raise ContractError(
            f"Shapley values miss the margin by {np.max(gaps):.1e}, more than {ADDITIVITY:.0e}: "
            "the trees are damaged; run train again"
        )


class _Paths(NamedTuple):
    """The ways from a root to a leaf, leaf by leaf.

    A way has steps (a node and the side taken there) and slots (a feature asked, and the share of
    the training rows that pass all splits at it). A row that passes them has the slot's bit set in
    its pattern of the leaf. The table of a leaf holds, pattern by pattern, what is added to the
    features of its slots.
    """

    base: float
    value: Floats
    first_step: Ints
    step_node: Ints
    step_is_left: Bools
    step_bit: Ints
    first_slot: Ints
    slot_feature: Ints
    slot_share: Floats
    first_entry: Ints
    table: Floats
    points: Floats
    point_weights: Floats


def _read_paths(trees: Trees) -> _Paths:
    value: list[float] = []
    steps: list[tuple[int, bool, int]] = []
    slots: list[tuple[int, float]] = []
    step_counts, slot_counts = [], []
    for root, weight in zip(trees.roots, trees.weights, strict=True):
        for leaf, way in _ways(trees, int(root)):
            shares: dict[int, float] = {}
            for node, is_left in way:
                feature = int(trees.feature[node])
                child = (trees.left if is_left else trees.right)[node]
                passed = float(trees.cover[child] / trees.cover[node])
                shares[feature] = shares.get(feature, 1.0) * passed
            bits = {feature: 1 << slot for slot, feature in enumerate(shares)}
            steps += [(node, is_left, bits[int(trees.feature[node])]) for node, is_left in way]
            slots += shares.items()
            value.append(float(weight * trees.value[leaf]))
            step_counts.append(len(way))
            slot_counts.append(len(shares))
    counts = np.array(slot_counts)
    entries = np.where(counts <= _TABULATED, counts << np.minimum(counts, _TABULATED), 0)
    points, point_weights = np.polynomial.legendre.leggauss(max(1, (counts.max() + 1) // 2))
    share = np.array([share for _, share in slots])
    first_slot = _starts(counts)
    reached = [np.prod(share[a:b]) for a, b in zip(first_slot, first_slot[1:], strict=False)]
    paths = _Paths(
        base=float(np.dot(value, reached)),
        value=np.array(value),
        first_step=_starts(np.array(step_counts)),
        step_node=np.array([node for node, _, _ in steps], dtype=np.int64),
        step_is_left=np.array([is_left for _, is_left, _ in steps], dtype=np.bool_),
        step_bit=np.array([bit for _, _, bit in steps], dtype=np.int64),
        first_slot=first_slot,
        slot_feature=np.array([feature for feature, _ in slots], dtype=np.int64),
        slot_share=share,
        first_entry=_starts(entries),
        table=np.zeros(entries.sum()),
        points=(points + 1) / 2,
        point_weights=point_weights / 2,
    )
    _fill_table(paths)
    return paths


def _ways(trees: Trees, root: int) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Leaves of a tree, each with the nodes before it and whether its way is left there."""
    waiting: list[tuple[int, list[tuple[int, bool]]]] = [(root, [])]
    while waiting:
        node, way = waiting.pop()
        if trees.feature[node] < 0:
            yield node, way
        else:
            waiting.append((int(trees.right[node]), [*way, (node, False)]))
            waiting.append((int(trees.left[node]), [*way, (node, True)]))


def _starts(counts: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@njit(cache=True)
def _weigh(
    share: Floats, value: float, pattern: int, rule: tuple[Floats, Floats], added: Floats
) -> None:
    """Compute what a leaf adds to the features of its slots for the rows of one pattern."""
    added[:] = 0.0
    points, point_weights = rule
    for place in range(len(points)):
        point, product = points[place], point_weights[place]
        for slot in range(len(share)):
            product *= _factor(share[slot], pattern >> slot & 1, point)
        for slot in range(len(share)):
            added[slot] += product / _factor(share[slot], pattern >> slot & 1, point)
    for slot in range(len(share)):
        added[slot] *= value * ((pattern >> slot & 1) - share[slot])


@njit(cache=True)
def _factor(share: float, passes: int, point: float) -> float:
    return point * passes + (1 - point) * share


@njit(cache=True)
def _fill_table(paths: _Paths) -> None:
    rule = (paths.points, paths.point_weights)
    for leaf in range(len(paths.value)):
        share = paths.slot_share[paths.first_slot[leaf] : paths.first_slot[leaf + 1]]
        first_entry, end_entry = paths.first_entry[leaf], paths.first_entry[leaf + 1]
        for pattern in range((end_entry - first_entry) // max(1, len(share))):
            entry = first_entry + pattern * len(share)
            added = paths.table[entry : entry + len(share)]
            _weigh(share, paths.value[leaf], pattern, rule, added)


@njit(cache=True)
def _add_values(paths: _Paths, sides: Bools, values: Floats) -> None:
    """Add all leaves to the values, which have one row per feature and one column per row."""
    rule = (paths.points, paths.point_weights)
    failed = np.empty(sides.shape[1], dtype=np.int64)
    for leaf in range(len(paths.value)):
        first, end = paths.first_slot[leaf], paths.first_slot[leaf + 1]
        slots = end - first
        failed[:] = 0
        for step in range(paths.first_step[leaf], paths.first_step[leaf + 1]):
            side, bit = paths.step_is_left[step], paths.step_bit[step]
            taken = sides[paths.step_node[step]]
            for row in range(len(failed)):
                failed[row] |= bit * (taken[row] ^ side)
        passes_all = (1 << slots) - 1
        first_entry, end_entry = paths.first_entry[leaf], paths.first_entry[leaf + 1]
        if first_entry < end_entry:
            table = paths.table[first_entry:end_entry]
            for slot in range(slots):
                column = values[paths.slot_feature[first + slot]]
                for row in range(len(failed)):
                    column[row] += table[(passes_all ^ failed[row]) * slots + slot]
        else:
            share, value, added = paths.slot_share[first:end], paths.value[leaf], np.empty(slots)
            for row in range(len(failed)):
                pattern = passes_all ^ failed[row]
                _weigh(share, value, pattern, rule, added)
                for slot in range(slots):
                    values[paths.slot_feature[first + slot], row] += added[slot]
