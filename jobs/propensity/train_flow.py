"""Training from table to table: snapshots, labels, trees, calibration, figures, registration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

from jobs.propensity import evaluation, features, inputs, registry, training
from jobs.propensity.settings import HORIZON_DAYS, TARGET, settings_of
from jobs.propensity.snapshots import SLICES, plan_split

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.evaluation import Metric
    from jobs.propensity.registry import Recipe
    from jobs.propensity.training import SliceSize


@dataclass(frozen=True)
class Trained:
    """The model that now serves, whether it was fitted now, and its figures on the test slice."""

    model_version: str
    is_new: bool
    figures: dict[str, float]

    @property
    def headline(self) -> str:
        """The figures to read first, in one line."""
        names = {"average_precision": "PR-AUC", "roc_auc": "ROC-AUC", "log_loss": "log-loss"}
        parts = [f"{label} {self.figures[name]:.4f}" for name, label in names.items()]
        return ", ".join([*parts, f"base rate {100 * self.figures['base_rate']:.2f} %"])


def train(run: Run) -> Trained:
    """Fit, judge and register a model; where the same one exists already, only let it serve.

    Raises
    ------
    ContractError
        The log is too short for the time split, or a slice lacks buyers.
    """
    settings = settings_of(run.config)
    log = inputs.read_log(run, settings)
    split = plan_split(log.first_date, log.last_date, settings)
    with run.progress.step("train: snapshots") as step:
        stride_days = settings.snapshot_stride_days
        step.rows = inputs.write_snapshots(run, log, split.dates, stride_days)
    labelled = training.name_slices(inputs.labelled_snapshots(run, log, split.dates), split)
    with _cached(features.in_fixed_order(labelled, settings.boosting.partitions)) as frame:
        with run.progress.step("train: labels, time split") as step:
            sizes = _sizes(frame)
            step.rows = sum(size.rows for size in sizes.values())
            training.require_both_classes(sizes)
            recipe = registry.Recipe(
                target=TARGET,
                horizon_days=HORIZON_DAYS,
                split=split,
                settings=settings,
                min_instances_per_node=settings.boosting.min_instances_for(sizes["train"].rows),
                features=features.feature_columns(),
                data_hash=registry.data_hash(frame),
            )
        is_new = not _serve_known(run, recipe.model_version)
        if is_new:
            _fit_and_register(run, recipe, frame, sizes["train"])
    stored = run.warehouse.read("model_metrics")
    figures = registry.single_figures(stored, recipe.model_version, "test")
    return Trained(recipe.model_version, is_new, figures)


def _fit_and_register(run: Run, recipe: Recipe, frame: DataFrame, train_size: SliceSize) -> None:
    settings = recipe.settings
    with run.progress.step(f"train: {settings.boosting.trees} trees") as step:
        step.rows = train_size.rows
        train_rows = frame.where(F.col("slice") == "train")
        trees = training.fit_trees(train_rows, train_size.rows, settings.boosting)
    with run.progress.step("train: calibrate, evaluate") as step:
        later = training.with_margin(trees, frame.where(F.col("slice") != "train"))
        with _cached(later) as margins:
            platt = training.fit_calibration(margins.where(F.col("slice") == "calibrate"))
            scores = _collect(platt.transform(margins))
        step.rows = sum(len(part.label) for part in scores.values())
        calibrated = scores["calibrate"].probability
        threshold = evaluation.choose_threshold(calibrated, settings.capacity_share)
        metrics = evaluation.size_figures("train", train_size.rows, train_size.positives)
        for name, part in scores.items():
            metrics += evaluation.evaluate(name, part, threshold)
    with run.progress.step("train: register model") as step:
        step.note = recipe.model_version
        model = PipelineModel([*trees.stages, platt])
        slope, intercept = float(platt.coefficientMatrix.toArray()[0, 0]), float(platt.intercept)
        decision = registry.Decision(slope, intercept, threshold)
        _register(run, recipe, decision, model, metrics)


def _register(
    run: Run,
    recipe: Recipe,
    decision: registry.Decision,
    model: PipelineModel,
    metrics: list[Metric],
) -> None:
    # The row in the registry comes last: only it makes a model serve, so a run that dies before
    # leaves the old model in use.
    version = recipe.model_version
    registry.save_model(model, run.warehouse.root, version)
    rows = registry.metric_rows(run.spark, version, recipe.target, metrics)
    run.warehouse.replace_where("model_metrics", rows, f"model_version = '{version}'")
    versions = {name: run.warehouse.version(name) for name in inputs.TABLES}
    row = registry.registry_row(recipe, decision, versions)
    _append_registration(run, row)


def _serve_known(run: Run, model_version: str) -> bool:
    """Let an earlier registration of the same model serve; False where there is none."""
    if not run.warehouse.exists("model_registry"):
        return False
    table = run.warehouse.read("model_registry")
    known = registry.latest(table.where(F.col("model_version") == model_version))
    if known is None:
        return False
    with run.progress.step("train: nothing new") as step:
        step.note = f"{model_version} is trained already"
        if registry.serving(table, TARGET)["model_version"] != model_version:
            _append_registration(run, known)
    return True


def _append_registration(run: Run, row: dict[str, Any]) -> None:
    number = 1
    if run.warehouse.exists("model_registry"):
        highest = registry.latest(run.warehouse.read("model_registry"))
        number += highest["registration"] if highest else 0
    numbered = row | {"registration": number, "created_at": datetime.now(UTC)}
    frame = registry.table_rows(run.spark, "model_registry", [numbered])
    run.warehouse.append("model_registry", frame)


@contextmanager
def _cached(frame: DataFrame) -> Iterator[DataFrame]:
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def _sizes(frame: DataFrame) -> dict[str, SliceSize]:
    counts = frame.groupBy("slice").agg(
        F.count(F.lit(1)).alias("rows"), F.sum(TARGET).alias("positives")
    )
    found = {
        row["slice"]: training.SliceSize(row["rows"], row["positives"]) for row in counts.collect()
    }
    return {name: found.get(name, training.SliceSize(0, 0)) for name in SLICES}


def _collect(margins: DataFrame) -> dict[str, evaluation.Scores]:
    """Bring margin, probability and label of each slice to the driver."""
    frame = training.plain_scores(margins).toPandas()
    return {
        str(name): evaluation.Scores.of(
            part[TARGET].to_numpy(float), part["margin"].to_numpy(), part["probability"].to_numpy()
        )
        for name, part in frame.groupby("slice")
    }
