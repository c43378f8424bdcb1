"""Exported trees do what MLlib does, and a damaged model is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.core.errors import DamagedTableError
from jobs.propensity.shapley import explain
from jobs.propensity.tree_export import export_trees, load_trees
from jobs.propensity.trees import Trees, margins, probabilities, staged_margins

ROWS, TREES = 1_500, 4


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Two numbers, a category as an index and one as flags, and a label that needs them all."""
    draw = np.random.default_rng(1)
    number, step = draw.normal(size=ROWS), draw.normal(size=ROWS).round(1)
    plan, device = draw.choice(list("abcde"), ROWS), draw.choice(list("xyz"), ROWS)
    logit = number * step + np.isin(plan, ["a", "d"]) + (device == "y") * number - 1
    label = (draw.random(ROWS) < 1 / (1 + np.exp(-2 * logit))).astype(int)
    columns = {"number": number, "step": step, "plan": plan, "device": device, "label": label}
    return spark.createDataFrame(pd.DataFrame(columns)).coalesce(2).cache()


@pytest.fixture(scope="module")
def pipeline(rows: DataFrame) -> PipelineModel:
    names = ["plan", "device"]
    indexer = StringIndexer(inputCols=names, outputCols=[f"{name}_index" for name in names])
    one_hot = OneHotEncoder(inputCols=["device_index"], outputCols=["device_flags"])
    columns = ["number", "step", "plan_index", "device_flags"]
    assembler = VectorAssembler(inputCols=columns, outputCol="features")
    boosting = GBTClassifier(
        labelCol="label", maxIter=TREES, maxDepth=3, stepSize=0.3, minInstancesPerNode=10, seed=1
    )
    return Pipeline(stages=[indexer, one_hot, assembler, boosting]).fit(rows)


@pytest.fixture(scope="module")
def saved(pipeline: PipelineModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "pipeline"
    pipeline.write().save(str(folder))
    return folder


@pytest.fixture(scope="module")
def trees(saved: Path) -> Trees:
    return load_trees(saved)


def columns_of(frame: DataFrame, *names: str) -> list[NDArray[np.float64]]:
    arrays = frame.select(*[vector_to_array(name).alias(name) for name in names]).toPandas()
    return [np.stack(arrays[name].to_list()) for name in names]


def test_margin_and_probability_are_those_of_spark(
    trees: Trees, pipeline: PipelineModel, rows: DataFrame
) -> None:
    scored = pipeline.transform(rows)
    matrix, raw, probability = columns_of(scored, "features", "rawPrediction", "probability")
    found = margins(trees, matrix)
    np.testing.assert_allclose(found, raw[:, 1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(probabilities(found), probability[:, 1], rtol=0, atol=1e-12)
    assert len(np.unique(found)) > 100


def test_splits_of_every_kind_are_among_the_trees(trees: Trees) -> None:
    splits = trees.feature >= 0
    kinds = {int(number) for number in trees.categories[splits]}
    assert kinds == {0, 2, 5}  # thresholds, flags and plans
    assert list(trees.weights) == [1.0] + [0.3] * (TREES - 1)


def test_numbers_that_are_no_category_go_where_spark_sends_them(
    trees: Trees, pipeline: PipelineModel, spark: SparkSession
) -> None:
    strange = [-1.0, 0.5, 1.0, 2.0, 5.0, 1e12, float("nan"), float("inf")]
    matrix = np.array(np.meshgrid([-0.5, 0.5], [0.1], strange, strange, strange)).reshape(5, -1).T
    matrix = np.hstack([matrix, np.zeros((len(matrix), 1))])[:, : trees.feature.max() + 1]
    vectors = [(row.tolist(),) for row in matrix]
    frame = spark.createDataFrame(vectors, "row array<double>")
    frame = frame.select(array_to_vector(F.col("row")).alias("features"))
    given, raw = columns_of(pipeline.stages[-1].transform(frame), "features", "rawPrediction")
    np.testing.assert_allclose(margins(trees, given), raw[:, 1], rtol=0, atol=1e-12)


def test_stages_have_the_losses_that_spark_reckons(
    trees: Trees, pipeline: PipelineModel, rows: DataFrame
) -> None:
    encoded = PipelineModel(pipeline.stages[:-1]).transform(rows)
    wanted = pipeline.stages[-1].evaluateEachIteration(encoded)
    (matrix,) = columns_of(encoded, "features")
    sign = 2 * encoded.select("label").toPandas()["label"].to_numpy() - 1
    staged = staged_margins(trees, matrix, range(1, TREES + 1))
    losses = 2 * np.log1p(np.exp(-2 * sign[:, None] * staged)).mean(axis=0)
    np.testing.assert_allclose(losses, wanted, rtol=1e-12)


def test_base_value_is_the_mean_margin_of_the_training_rows(
    trees: Trees, pipeline: PipelineModel, rows: DataFrame
) -> None:
    (matrix,) = columns_of(pipeline.transform(rows), "features")
    found = explain(trees, matrix)
    # Only if the cover of every node is the number of training rows that come to it.
    assert found.base == pytest.approx(found.margin.mean(), rel=0, abs=1e-12)
    assert list(trees.cover[trees.roots]) == [ROWS] * TREES


def test_a_fitted_model_gives_the_same_arrays(trees: Trees, pipeline: PipelineModel) -> None:
    for found, wanted in zip(export_trees(pipeline.stages[-1]), trees, strict=True):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype


def test_the_folder_of_the_trees_alone_gives_the_same_arrays(trees: Trees, saved: Path) -> None:
    (folder,) = saved.glob("stages/*GBTClassifier*")
    for found, wanted in zip(load_trees(folder), trees, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_folder_without_boosted_trees_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedTableError, match="0 boosted trees"):
        load_trees(tmp_path)
    (indexer,) = saved.glob("stages/*StringIndexer*")
    with pytest.raises(DamagedTableError, match="0 boosted trees"):
        load_trees(indexer)


@pytest.mark.parametrize("lost", ["last node", "last tree", "weight", "rows"])
def test_a_model_that_is_not_whole_is_refused(saved: Path, tmp_path: Path, lost: str) -> None:
    (folder,) = saved.glob("stages/*GBTClassifier*")
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    part = "treesMetadata" if lost == "weight" else "data"
    (file,) = (broken / part).glob("*.parquet")
    table = pq.read_table(file)
    if lost == "last tree":
        table = table.filter(pc.less(table["treeID"], TREES - 1))
    elif lost == "rows":
        nodes = table["nodeData"].to_pylist()
        nodes[-1]["rawCount"] -= 1
        table = table.set_column(1, "nodeData", [nodes])
    else:
        table = table.slice(0, len(table) - 1)
    pq.write_table(table, file)
    with pytest.raises(DamagedTableError, match="missing in the trees"):
        load_trees(broken)
