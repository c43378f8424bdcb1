"""From rows of user_snapshots to the vector the trees read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.ml import Pipeline
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from jobs.core.catalog import all_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

KEY = ("user_id", "as_of")
VECTOR = "features"


def feature_columns() -> tuple[str, ...]:
    """List the columns of user_snapshots but its key; its table.yaml is the only feature list."""
    return tuple(name for name in _snapshot_schema().names if name not in KEY)


def category_columns() -> tuple[str, ...]:
    """List the features that are names, not numbers."""
    schema = _snapshot_schema()
    return tuple(c for c in feature_columns() if isinstance(schema[c].dataType, StringType))


def encoder() -> Pipeline:
    """Stages from the feature columns to one vector.

    A category becomes one 0/1 column per value seen in training. A value never seen there (a new
    country) has zero in all of them, instead of failing the scoring of a day.
    """
    categories = category_columns()
    numbers = [c for c in feature_columns() if c not in categories]
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
    return Pipeline(stages=[indexer, one_hot, assembler])


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


def _snapshot_schema() -> StructType:
    return all_tables()["user_snapshots"].schema
