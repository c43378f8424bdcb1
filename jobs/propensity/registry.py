"""Models by version: their names, their rows in model_registry and model_metrics, their files."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyspark
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError, DamagedTableError

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from jobs.propensity.evaluation import Metric
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.snapshots import TimeSplit

FOLDER = "models"
SINGLE_POINT = 0


@dataclass(frozen=True)
class Recipe:
    """All that decides which model comes out of training; equal recipes give the same model."""

    target: str
    horizon_days: int
    split: TimeSplit
    settings: PropensitySettings
    min_instances_per_node: int
    features: tuple[str, ...]
    data_hash: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings as they took effect."""
        used = asdict(self.settings)
        used["boosting"]["min_instances_per_node"] = self.min_instances_per_node
        return used

    @property
    def model_version(self) -> str:
        """For instance purchase_7d-2024-05-01-1a2b3c4d, usable as a folder name."""
        parts = {
            "parameters": self.parameters,
            "features": self.features,
            "data": self.data_hash,
            # MLlib does not promise the same trees from one release to the next.
            "pyspark": pyspark.__version__,
        }
        text = json.dumps(parts, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{self.target}-{max(self.split.train)}-{digest}"


@dataclass(frozen=True)
class Decision:
    """How a margin becomes a probability, and from which probability on a user is selected."""

    calibration_slope: float
    calibration_intercept: float
    threshold: float


def data_hash(frame: DataFrame) -> str:
    """Order-free hash of all rows and columns of a frame, as 16 hex digits."""
    # Summed as decimals: a sum of longs would overflow, and XOR would lose rows that come in pairs.
    total = F.sum(F.xxhash64(*sorted(frame.columns)).cast("decimal(38,0)"))
    rows, sum_of_hashes = frame.agg(F.count(F.lit(1)), total).collect()[0]
    return hashlib.sha256(f"{rows}:{sum_of_hashes}".encode()).hexdigest()[:16]


def latest(registrations: DataFrame) -> dict[str, Any] | None:
    """Row of model_registry with the highest number, None of an empty frame."""
    rows = registrations.orderBy(F.desc("registration")).take(1)
    return rows[0].asDict() if rows else None


def serving(registrations: DataFrame, target: str) -> dict[str, Any]:
    """Row of model_registry that serves a target: its latest.

    Raises
    ------
    ContractError
        None was ever registered.
    """
    row = latest(registrations.where(F.col("target") == target))
    if row is None:
        raise ContractError(f"no model is registered for {target}: run train first")
    return row


def registry_row(
    recipe: Recipe, decision: Decision, input_versions: dict[str, int]
) -> dict[str, Any]:
    """Row of model_registry, still without its number and time.

    Parameters
    ----------
    input_versions
        Delta version by table read.
    """
    split = recipe.split
    return {
        "model_version": recipe.model_version,
        "target": recipe.target,
        "first_train_as_of": min(split.train),
        "last_train_as_of": max(split.train),
        "first_calibrate_as_of": min(split.calibrate),
        "last_calibrate_as_of": max(split.calibrate),
        "first_test_as_of": min(split.test),
        "last_test_as_of": max(split.test),
        "horizon_days": recipe.horizon_days,
        "population_days": recipe.settings.population_days,
        "seed": recipe.settings.boosting.seed,
        "parameters": json.dumps(recipe.parameters, sort_keys=True),
        "features": json.dumps(recipe.features),
        "data_hash": recipe.data_hash,
        "input_versions": json.dumps(input_versions, sort_keys=True),
        **asdict(decision),
        "capacity_share": recipe.settings.capacity_share,
        "model_path": f"{FOLDER}/{recipe.model_version}",
    }


def metric_rows(
    spark: SparkSession, model_version: str, target: str, metrics: list[Metric]
) -> DataFrame:
    """Rows of model_metrics for one model."""
    model = {"model_version": model_version, "target": target}
    return table_rows(spark, "model_metrics", [model | asdict(metric) for metric in metrics])


def single_figures(metrics: DataFrame, model_version: str, split: str) -> dict[str, float]:
    """Read the single figures of a model on one slice, by name."""
    chosen = metrics.where(
        (F.col("model_version") == model_version)
        & (F.col("split") == split)
        & (F.col("point") == SINGLE_POINT)
    )
    return {row["metric"]: row["value"] for row in chosen.select("metric", "value").collect()}


def save_model(model: PipelineModel, root: Path, model_version: str) -> None:
    """Save a model so that its folder is either whole or absent.

    A folder that a run left without registering it is replaced: nothing serves from it.
    """
    target = root / FOLDER / model_version
    temporary = target.with_name(f"{model_version}.writing")
    for leftover in (temporary, target):
        if leftover.exists():
            shutil.rmtree(leftover)
    model.write().save(str(temporary))
    temporary.rename(target)


def load_model(root: Path, model_path: str) -> PipelineModel:
    """Load the model of a registry row.

    Raises
    ------
    DamagedTableError
        The folder is gone.
    """
    folder = root / model_path
    if not folder.is_dir():
        raise DamagedTableError(f"{folder} is registered but missing: run train again")
    return PipelineModel.load(str(folder))


def table_rows(spark: SparkSession, table: str, values: list[dict[str, Any]]) -> DataFrame:
    """Rows given as dictionaries with exactly the columns of a table."""
    schema = all_tables()[table].schema
    return spark.createDataFrame([tuple(row[n] for n in schema.names) for row in values], schema)
