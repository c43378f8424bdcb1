"""Train a registered model again, from the inputs it was trained on, and compare what comes out.

Trees, calibration, threshold and every figure, but those of the model that served when it was
trained, which need not be there any more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyspark
from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError
from jobs.propensity import features, inputs, purchase_rhythm, registry, training
from jobs.propensity.figures import every_figure
from jobs.propensity.model_fit import cached, fit_model, slice_sizes
from jobs.propensity.registry import TRAINED, Recipe, Registry
from jobs.propensity.settings import read_settings, settings_of
from jobs.propensity.snapshots import SLICES, TimeSplit
from jobs.propensity.target_training import CHAMPION_PEER
from jobs.propensity.targets import Target
from jobs.propensity.tree_export import load_trees

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.inputs import Log
    from jobs.propensity.scores import Metric
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.target_training import Ceiling

_FIGURE = ("value", "low", "high", "x", "rows")


@dataclass(frozen=True)
class Reproduction:
    """What a second training of the same model gave.

    Parameters
    ----------
    compared
        Figures held against those stored.
    differing
        Those that differ, in words.
    trees_equal
        Whether all trees are the same to the bit.
    """

    model_version: str
    compared: int
    differing: tuple[str, ...]
    trees_equal: bool

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return self.trees_equal and not self.differing

    @property
    def verdict(self) -> str:
        """One line."""
        if self.is_same:
            return (
                f"{self.model_version}: the same trees to the bit, calibration, threshold and all "
                f"{self.compared:,} figures as stored"
            )
        trees = "the same" if self.trees_equal else "other"
        return (
            f"{self.model_version}: {trees} trees, {len(self.differing):,} of {self.compared:,} "
            f"figures differ: {'; '.join(self.differing[:3])}"
        )


def reproduce(run: Run, model_version: str, ceiling: Ceiling | None) -> Reproduction:
    """Train a registered model again from the Delta versions it read; writes nothing.

    Raises
    ------
    UsageError
        There is no such model.
    ContractError
        What went in is another now, or what came out: the message names it.
    """
    row = _training(run, model_version)
    target, settings = Target.parse(row["target"]), _settings_of(run, row)
    own, split = settings.of(target), _split_of(row, settings)
    log = inputs.read_log(run, settings)

    def begin(name: str) -> Any:
        return run.progress.step(f"reproduce {target.name}: {name}")

    with begin("snapshots, labels") as step:
        snapshots = _snapshots(run, log, row, split, settings)
        labelled = training.name_slices(inputs.with_labels(run, log, snapshots, target), split)
        ordered = features.in_fixed_order(labelled, own.boosting.partitions)
        step.note = f"versions {row['input_versions']}"
    with cached(ordered) as frame:
        sizes = slice_sizes(frame)
        recipe = Recipe(
            target=target,
            split=split,
            settings=settings,
            min_instances_per_node=own.boosting.min_instances_per_node,
            features=features.feature_columns(),
            data_hash=registry.data_hash(frame),
        )
        _require_same(recipe, row)
        orders = json.loads(row["input_versions"])["fact_orders"]
        rhythm = purchase_rhythm.rhythm_at(run, log, max(split.train), orders)
        fitted = fit_model(frame, sizes, rhythm, settings, target, begin)
        with begin("figures, intervals"):
            others = None if ceiling is None else lambda test: ceiling(test, target)
            judged, metrics = every_figure(fitted, sizes, settings, own, others)
    stored = run.warehouse.read("model_metrics").where(F.col("model_version") == model_version)
    differing, compared = _compare(metrics, stored.where(F.col("model") != CHAMPION_PEER))
    calibration = fitted.choice.calibration
    now = {
        "trees": fitted.choice.trees,
        "threshold": judged.threshold,
        "calibration_slope": calibration.slope,
        "calibration_intercept": calibration.intercept,
    }
    differing += [f"{n}: {row[n]} stored, {v} now" for n, v in now.items() if row[n] != v]
    kept = load_trees(run.warehouse.root / row["model_path"])
    same = [
        np.array_equal(getattr(kept, name), getattr(fitted.trees, name)) for name in kept._fields
    ]
    found = Reproduction(model_version, compared, tuple(differing), all(same))
    if not found.is_same:
        raise ContractError(found.verdict)
    return found


def _training(run: Run, model_version: str) -> dict[str, Any]:
    """The registration that training made; later ones may speak of another calibration."""
    for row in reversed(Registry(run.warehouse, run.spark).rows()):
        if (row["model_version"], row["reason"]) == (model_version, TRAINED):
            return row
    raise UsageError(f"no model {model_version} is registered; registry list shows them all")


def _settings_of(run: Run, row: dict[str, Any]) -> PropensitySettings:
    """Settings as they took effect, from the registration."""
    recorded = json.loads(row["parameters"])
    own = {name: recorded.pop(name) for name in ("boosting", "decision")}
    present = asdict(settings_of(run.config))
    kind = Target.parse(row["target"]).kind
    return read_settings(present | recorded | {kind: own}, run.config.source)


def _split_of(row: dict[str, Any], settings: PropensitySettings) -> TimeSplit:
    def dates(name: str) -> tuple[date, ...]:
        first, last = row[f"first_{name}_as_of"], row[f"last_{name}_as_of"]
        days = range(0, (last - first).days + 1, settings.snapshot_stride_days)
        return tuple(first + timedelta(days=day) for day in days)

    train, calibrate, test = (dates(name) for name in SLICES)
    return TimeSplit(train, calibrate, test, row["horizon_days"])


def _snapshots(
    run: Run, log: Log, row: dict[str, Any], split: TimeSplit, settings: PropensitySettings
) -> DataFrame:
    versions = json.loads(row["input_versions"])
    _require_readable(run, versions)
    whole = range(0, (max(split.dates) - min(split.dates)).days + 1, settings.snapshot_stride_days)
    grid = tuple(min(split.dates) + timedelta(days=day) for day in whole)
    return inputs.snapshots_at(run, log, grid, settings.snapshot_stride_days, versions)


def _require_readable(run: Run, versions: dict[str, int]) -> None:
    for name, version in versions.items():
        try:
            run.warehouse.read(name, version).schema  # noqa: B018  # reads the table's log
        except pyspark.errors.PySparkException as error:
            raise ContractError(
                f"{name} at version {version}, which the model was trained on, cannot be read any "
                "more: Delta keeps old versions for a limited time (delta.logRetentionDuration)"
            ) from error


def _require_same(recipe: Recipe, row: dict[str, Any]) -> None:
    """Refuse inputs that are not those of the registration."""
    if recipe.model_version == row["model_version"]:
        return
    reasons = []
    if recipe.data_hash != row["data_hash"]:
        reasons.append("the rows that its inputs give now")
    if json.dumps(recipe.features) != row["features"]:
        reasons.append("the features of this version of the project")
    if json.dumps(recipe.parameters, sort_keys=True) != row["parameters"]:
        reasons.append("the settings that this version of the project knows")
    told = " and ".join(reasons) or f"PySpark ({pyspark.__version__} now)"
    raise ContractError(f"{row['model_version']} cannot be reproduced: {told} are others")


def _compare(metrics: list[Metric], stored: DataFrame) -> tuple[list[str], int]:
    def key(one: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(one[n] for n in ("split", "metric", "model", "segment", "point"))

    now = {key(one): one for one in map(asdict, metrics)}
    then = {key(one): one for one in (row.asDict() for row in stored.collect())}
    differing = []
    for name in sorted(now.keys() | then.keys()):
        both = [side.get(name) for side in (then, now)]
        values = [None if one is None else tuple(map(one.get, _FIGURE)) for one in both]
        # By their text: a figure that is not a number equals itself there.
        if repr(values[0]) != repr(values[1]):
            label = " ".join(str(part) for part in name[:4])
            differing.append(f"{label}: {values[0]} stored, {values[1]} now")
    return differing, len(then)
