"""From rows of user_snapshots to the vector the trees read, and its numbers on the driver."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from jobs.core.catalog import all_tables
from jobs.propensity import purchase_rhythm

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.ml.base import Transformer
    from pyspark.sql import DataFrame

    Floats = NDArray[np.float64]

KEY = ("user_id", "as_of")
VECTOR = "features"
LABEL = "label"
SEGMENTS = ("country", "channel")


def feature_columns() -> tuple[str, ...]:
    """List the columns of user_snapshots but its key; its table.yaml is the only feature list."""
    return tuple(name for name in _snapshot_schema().names if name not in KEY)


def lost_columns(listed: str) -> list[str]:
    """Features of a registered model, given as JSON, that user_snapshots no longer has."""
    return sorted(set(json.loads(listed)) - set(feature_columns()))


def category_columns() -> tuple[str, ...]:
    """List the features that are names, not numbers."""
    schema = _snapshot_schema()
    return tuple(c for c in feature_columns() if isinstance(schema[c].dataType, StringType))


def fit_encoder(train: DataFrame, rhythm: Transformer | None) -> PipelineModel:
    """Stages from the feature columns to one vector.

    A category becomes one 0/1 column per value seen in training. A value never seen there (a new
    country) has zero in all of them, instead of failing the scoring of a day.

    Parameters
    ----------
    train
        Rows of user_snapshots.
    rhythm
        Stage that adds the features of BG/NBD; None where no customer bought twice.
    """
    categories = category_columns()
    numbers = [c for c in feature_columns() if c not in categories]
    if rhythm is not None:
        numbers += purchase_rhythm.COLUMNS
    indexer = StringIndexer(
        inputCols=list(categories),
        outputCols=[f"{c}_index" for c in categories],
        stringOrderType="alphabetAsc",
        handleInvalid="keep",
    )
    one_hot = OneHotEncoder(
        inputCols=indexer.getOutputCols(), outputCols=[f"{c}_flags" for c in categories]
    )
    assembler = VectorAssembler(inputCols=[*numbers, *one_hot.getOutputCols()], outputCol=VECTOR)
    first = [] if rhythm is None else [rhythm]
    return Pipeline(stages=[*first, indexer, one_hot, assembler]).fit(train)


def vector_names(encoder: PipelineModel) -> tuple[str, ...]:
    """Name the numbers of the vector, a flag as in country=DE.

    Parameters
    ----------
    encoder
        What `fit_encoder` gave, or a pipeline that begins with its stages.
    """
    stages: dict[str, Any] = {type(stage).__name__: stage for stage in encoder.stages}
    labels = dict(zip(category_columns(), stages["StringIndexerModel"].labelsArray, strict=True))
    names: list[str] = []
    for column in stages["VectorAssembler"].getInputCols():
        category = column.removesuffix("_flags")
        if category in labels and category != column:
            names += [f"{category}={value}" for value in labels[category]]
        else:
            names.append(column)
    return tuple(names)


def in_fixed_order(frame: DataFrame, partitions: int) -> DataFrame:
    """Put rows into partitions and an order that depend on the keys alone.

    MLlib draws split candidates from a sample per partition and adds gradients up in row order, so
    the same rows in another order would give another model. The number of partitions is therefore
    part of the model too.

    Parameters
    ----------
    frame
        Has the columns user_id and as_of, unique together.
    partitions
        Number of partitions of the result.
    """
    return frame.repartition(partitions, F.xxhash64(*KEY)).sortWithinPartitions(*KEY)


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of one slice on the driver, in order of user and date.

    Parameters
    ----------
    user_id, as_of
        Key of each row.
    label
        0 or 1.
    matrix
        One row per row, one column per number of the vector.
    segments
        By column of SEGMENTS, the value of each row.
    """

    user_id: NDArray[np.int64]
    as_of: NDArray[np.datetime64]
    label: Floats
    matrix: Floats
    segments: dict[str, NDArray[np.object_]]

    def __len__(self) -> int:
        return len(self.label)


def collect(encoded: DataFrame, rows: int, most: int) -> Sample:
    """Bring rows to the driver; of more than `most` those of a share of the users.

    A user is drawn by a hash of the id, so the same ones in every slice and every run.

    Parameters
    ----------
    encoded
        Output of the encoder, with key and label.
    rows
        Its number of rows.
    most
        About so many rows are kept at most.
    """
    columns: list[Any] = [*KEY, F.col(LABEL).cast("double").alias(LABEL), *SEGMENTS]
    table = (
        drawn(encoded, rows, most)
        .select(*columns, vector_to_array(F.col(VECTOR)).alias(VECTOR))
        .toArrow()
    )
    table = table.sort_by([(name, "ascending") for name in KEY]).combine_chunks()
    lists = table.column(VECTOR).combine_chunks()
    return Sample(
        user_id=table.column("user_id").to_numpy(),
        as_of=table.column("as_of").to_numpy(),
        label=table.column(LABEL).to_numpy(),
        matrix=lists.flatten().to_numpy().reshape(len(lists), -1),
        segments={name: np.array(table.column(name).to_pylist(), object) for name in SEGMENTS},
    )


def collect_column(frame: DataFrame, column: str, rows: int, most: int) -> Floats:
    """Bring one column of the same rows in the same order as `collect`."""
    table = drawn(frame, rows, most).select(*KEY, column).toArrow()
    return table.sort_by([(name, "ascending") for name in KEY]).column(column).to_numpy()


def drawn(frame: DataFrame, rows: int, most: int) -> DataFrame:
    """Keep all rows, or of more than `most` those of a share of the users, drawn by their ids."""
    if rows <= most:
        return frame
    place = F.pmod(F.xxhash64(F.lit("judged"), "user_id"), F.lit(1_000_000))
    return frame.where(place < int(1_000_000 * most / rows))


def _snapshot_schema() -> StructType:
    return all_tables()["user_snapshots"].schema
