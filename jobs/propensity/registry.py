"""Models by version: their names, their rows in model_registry and model_metrics, their files."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyspark
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

from jobs.core.catalog import all_tables
from jobs.core.errors import ContractError, DamagedTableError
from jobs.propensity.calibration import Calibration
from jobs.propensity.scores import EVERYONE, OURS

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.tables import Warehouse
    from jobs.propensity.scores import Metric
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.snapshots import TimeSplit
    from jobs.propensity.targets import Target

FOLDER = "models"
TABLE = "model_registry"
SINGLE_POINT = 0
CHAMPION, CHALLENGER = "champion", "challenger"
# Reason of the registration that a training makes.
TRAINED = "trained"


@dataclass(frozen=True)
class Recipe:
    """All that decides which model comes out of training; equal recipes give the same model."""

    target: Target
    split: TimeSplit
    settings: PropensitySettings
    min_instances_per_node: int
    features: tuple[str, ...]
    data_hash: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings as they took effect on the model."""
        used = asdict(self.settings)
        own = used[self.target.kind]
        for others in ("targets", "purchase", "churn", "monitoring"):
            del used[others]
        own["boosting"]["min_instances_per_node"] = self.min_instances_per_node
        return used | own

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
        return f"{self.target.name}-{max(self.split.train)}-{digest}"


def data_hash(frame: DataFrame) -> str:
    """Order-free hash of all rows and columns of a frame, as 16 hex digits."""
    # Summed as decimals: a sum of longs would overflow, and XOR would lose rows that come in pairs.
    total = F.sum(F.xxhash64(*sorted(frame.columns)).cast("decimal(38,0)"))
    rows, sum_of_hashes = frame.agg(F.count(F.lit(1)), total).collect()[0]
    return hashlib.sha256(f"{rows}:{sum_of_hashes}".encode()).hexdigest()[:16]


def registry_row(recipe: Recipe, input_versions: dict[str, int]) -> dict[str, Any]:
    """What a row of model_registry says of the training; the rest is what came of it.

    Parameters
    ----------
    input_versions
        Delta version by table read.
    """
    split = recipe.split
    return {
        "model_version": recipe.model_version,
        "target": recipe.target.name,
        "first_train_as_of": min(split.train),
        "last_train_as_of": max(split.train),
        "first_calibrate_as_of": min(split.calibrate),
        "last_calibrate_as_of": max(split.calibrate),
        "first_test_as_of": min(split.test),
        "last_test_as_of": max(split.test),
        "horizon_days": recipe.target.horizon_days,
        "population": recipe.settings.population,
        "population_days": recipe.settings.population_days,
        "seed": recipe.settings.of(recipe.target).boosting.seed,
        "parameters": json.dumps(recipe.parameters, sort_keys=True),
        "features": json.dumps(recipe.features),
        "features_hash": hashlib.sha256(json.dumps(recipe.features).encode()).hexdigest()[:16],
        "data_hash": recipe.data_hash,
        "input_versions": json.dumps(input_versions, sort_keys=True),
        "model_path": f"{FOLDER}/{recipe.model_version}",
    }


class Registry:
    """The registrations of a warehouse, in the order in which they were made.

    The table only grows: whatever happens to a model is a further row, and of a target the row of
    a champion with the highest number serves.
    """

    def __init__(self, warehouse: Warehouse, spark: SparkSession) -> None:
        self._warehouse, self._spark = warehouse, spark

    def rows(self, target: str | None = None) -> list[dict[str, Any]]:
        """All registrations, or those of a target, the oldest first."""
        if not self._warehouse.exists(TABLE):
            return []
        table = self._warehouse.read(TABLE)
        chosen = table if target is None else table.where(F.col("target") == target)
        return [row.asDict() for row in chosen.orderBy("registration").collect()]

    def latest(self, model_version: str) -> dict[str, Any] | None:
        """The last registration of a version; None where there is none."""
        found = [row for row in self.rows() if row["model_version"] == model_version]
        return found[-1] if found else None

    def champion(self, target: str) -> dict[str, Any] | None:
        """The registration that serves a target; None where none does."""
        found = [row for row in self.rows(target) if row["alias"] == CHAMPION]
        return found[-1] if found else None

    def serving(self, target: str) -> dict[str, Any]:
        """The registration that serves a target.

        Raises
        ------
        ContractError
            None does.
        """
        found = self.champion(target)
        if found is not None:
            return found
        if self.rows(target):
            raise ContractError(
                f"no model serves {target}: those registered were not promoted; "
                "registry list says why"
            )
        raise ContractError(f"no model is registered for {target}: run train first")

    def append(self, row: dict[str, Any], alias: str, reason: str) -> dict[str, Any]:
        """Add a registration; returns it as stored."""
        everything = self.rows()
        number = 1 + (everything[-1]["registration"] if everything else 0)
        told = {"alias": alias, "reason": reason, "registration": number}
        numbered = row | told | {"created_at": datetime.now(UTC)}
        self._warehouse.append(TABLE, table_rows(self._spark, TABLE, [numbered]))
        return numbered


def calibration_of(row: dict[str, Any]) -> Calibration:
    """How the margins of a registered model become probabilities."""
    return Calibration(row["calibration_slope"], row["calibration_intercept"])


def metric_rows(
    spark: SparkSession, model_version: str, target: str, metrics: list[Metric]
) -> DataFrame:
    """Rows of model_metrics for one model."""
    model = {"model_version": model_version, "target": target}
    return table_rows(spark, "model_metrics", [model | asdict(metric) for metric in metrics])


def single_figures(metrics: DataFrame, model_version: str, split: str) -> dict[str, float]:
    """Read the single figures of a model itself over everyone on one slice, by name."""
    chosen = metrics.where(
        (F.col("model_version") == model_version)
        & (F.col("split") == split)
        & (F.col("model") == OURS)
        & (F.col("segment") == EVERYONE)
        & (F.col("point") == SINGLE_POINT)
    )
    return {row["metric"]: row["value"] for row in chosen.select("metric", "value").collect()}


def save_model(model: PipelineModel, root: Path, model_version: str) -> str:
    """Save a model so that its folder is either whole or absent; returns its sha256.

    A folder that a run left without registering it is replaced: nothing serves from it.
    """
    target = root / FOLDER / model_version
    temporary = target.with_name(f"{model_version}.writing")
    for leftover in (temporary, target):
        if leftover.exists():
            shutil.rmtree(leftover)
    model.write().save(str(temporary))
    temporary.rename(target)
    return folder_hash(target)


def load_model(root: Path, row: dict[str, Any]) -> PipelineModel:
    """Load the model of a registration.

    Raises
    ------
    DamagedTableError
        The folder is gone, or its files are not those that were saved.
    """
    folder = root / row["model_path"]
    if not folder.is_dir():
        raise DamagedTableError(f"{folder} is registered but missing: run train again")
    if not is_whole(root, row):
        raise DamagedTableError(
            f"{folder} is not what was registered (another sha256): run train again"
        )
    return PipelineModel.load(str(folder))


def is_whole(root: Path, row: dict[str, Any]) -> bool:
    """Whether the files of a registered model are there, and those that were saved."""
    folder = root / row["model_path"]
    return folder.is_dir() and folder_hash(folder) == row["model_sha256"]


def folder_hash(folder: Path) -> str:
    """Sha256 over names and bytes of all files of a model, but Hadoop's checksums of them."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".crc":
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def table_rows(spark: SparkSession, table: str, values: list[dict[str, Any]]) -> DataFrame:
    """Rows given as dictionaries with exactly the columns of a table."""
    schema = all_tables()[table].schema
    return spark.createDataFrame([tuple(row[n] for n in schema.names) for row in values], schema)
