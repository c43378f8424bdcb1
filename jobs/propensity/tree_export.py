"""From MLlib's boosted trees to arrays.

A model keeps its trees in the JVM, where reading them node by node takes one call per number; what
it saves holds them all in two Parquet files. So the files are the source, for a fitted model too.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from jobs.core.errors import DamagedTableError
from jobs.propensity.trees import Trees

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.ml.classification import GBTClassificationModel

_CONTINUOUS = -1  # what MLlib writes as the number of categories of a threshold


def export_trees(model: GBTClassificationModel) -> Trees:
    """Read the trees of a fitted model, which is saved to a temporary folder of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model"
        model.write().save(saved.as_uri())
        return load_trees(saved)


def load_trees(folder: Path) -> Trees:
    """Read the trees of a saved model.

    Parameters
    ----------
    folder
        Of a GBTClassificationModel, or of a pipeline with one among its stages.

    Raises
    ------
    DamagedTableError
        The folder has no such model, or its trees are not whole.
    """
    model = _boosted_trees(folder)
    # By position: the columns are called _1 (tree), _2 (metadata) and _3 (weight).
    heads = pq.read_table(model / "treesMetadata").to_pandas().sort_values("_1")
    nodes = pq.read_table(model / "data").flatten().flatten().flatten().to_pandas()
    nodes = nodes.rename(columns=lambda name: name.rpartition(".")[2])
    nodes = nodes.sort_values(["treeID", "id"], ignore_index=True)
    sizes = nodes.groupby("treeID").size()
    roots = np.concatenate([[0], np.cumsum(sizes)])
    first = np.repeat(roots[:-1], sizes)
    numbering_is_whole = list(heads["_1"]) == list(sizes.index) == list(
        range(_metadata(model)["numTrees"])
    ) and np.array_equal(nodes["id"], np.arange(len(nodes)) - first)
    if not numbering_is_whole:
        raise _missing("nodes", model)
    trees = _arrays(nodes, first, roots[:-1], heads["_3"].to_numpy())
    _check_whole(trees, model)
    return trees


def _boosted_trees(folder: Path) -> Path:
    found = [
        parent
        for parent in (folder, *sorted(folder.glob("stages/*")))
        if (parent / "treesMetadata").is_dir()
        and _metadata(parent)["class"].endswith(".GBTClassificationModel")
    ]
    if len(found) != 1:
        raise DamagedTableError(f"{folder} has {len(found)} boosted trees, not 1: run train again")
    return found[0]


def _metadata(model: Path) -> dict[str, Any]:
    parts = sorted((model / "metadata").glob("part-*"))
    if not parts:
        raise DamagedTableError(f"{model} has no metadata: run train again")
    metadata: dict[str, Any] = json.loads(parts[0].read_text(encoding="utf-8"))
    return metadata


def _arrays(nodes: pd.DataFrame, first: Any, roots: Any, weights: Any) -> Trees:
    is_split = (nodes["leftChild"] >= 0).to_numpy()
    is_categorical = is_split & (nodes["numCategories"] != _CONTINUOUS).to_numpy()
    categories = np.where(is_categorical, nodes["numCategories"], 0)
    left_side = nodes["leftCategoriesOrThreshold"]
    tables = [_sides(left_side[node], categories[node]) for node in np.flatnonzero(is_categorical)]
    lengths = np.where(is_categorical, categories + 1, 0)
    threshold = np.zeros(len(nodes))
    by_threshold = is_split & ~is_categorical
    threshold[by_threshold] = [numbers[0] for numbers in left_side[by_threshold]]
    return Trees(
        feature=np.where(is_split, nodes["featureIndex"], -1).astype(np.int32),
        threshold=threshold,
        left=np.where(is_split, first + nodes["leftChild"], -1).astype(np.int32),
        right=np.where(is_split, first + nodes["rightChild"], -1).astype(np.int32),
        value=nodes["prediction"].to_numpy(np.float64),
        cover=nodes["rawCount"].to_numpy(np.float64),
        first_side=np.where(is_categorical, np.cumsum(lengths) - lengths, 0).astype(np.int32),
        categories=categories.astype(np.int32),
        sides=np.concatenate([np.zeros(0, dtype=np.bool_), *tables]),
        roots=roots.astype(np.int32),
        weights=weights.astype(np.float64),
    )


def _sides(left: Any, categories: int) -> Any:
    """Whether a category goes left, and at the end whether a number that is none of them does.

    MLlib keeps the smaller of both sets and sends what is not in it the other way.
    """
    sides = np.zeros(categories + 1, dtype=np.bool_)
    sides[np.asarray(left, dtype=np.int64)] = True
    sides[categories] = len(left) > categories // 2
    return sides


def _check_whole(trees: Trees, model: Path) -> None:
    split = trees.feature >= 0
    left, right = trees.left[split], trees.right[split]
    not_roots = np.setdiff1d(np.arange(len(split)), trees.roots)
    if not np.array_equal(np.sort(np.concatenate([left, right])), not_roots):
        raise _missing("nodes", model)
    below = trees.cover[left] + trees.cover[right]
    if not np.all(trees.cover > 0) or not np.array_equal(below, trees.cover[split]):
        raise _missing("training rows", model)


def _missing(what: str, model: Path) -> DamagedTableError:
    return DamagedTableError(f"{what} are missing in the trees of {model}: run train again")
