"""Training of one target: labels, trees, calibration, figures, registration."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from jobs.propensity import features, gates, inputs, purchase_rhythm, registry, training
from jobs.propensity.figures import every_figure
from jobs.propensity.leakage import Suspect, peeking_features
from jobs.propensity.model_fit import Fitted, cached, fit_model, slice_sizes, slices_in_order
from jobs.propensity.promotion import failed_gates
from jobs.propensity.registry import CHALLENGER, CHAMPION, TRAINED, Recipe, Registry
from jobs.propensity.scores import Metric
from jobs.propensity.snapshots import plan_split
from jobs.propensity.targets import Target
from jobs.propensity.thinning import leaf_rows
from jobs.propensity.trained import Trained

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.core.progress import Step
    from jobs.propensity.bgnbd.fitting import Fit
    from jobs.propensity.features import Sample
    from jobs.propensity.inputs import Log
    from jobs.propensity.judging import Ceiling as Others
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.snapshots import TimeSplit
    from jobs.propensity.thinning import SliceSize

    Floats = NDArray[np.float64]

    # From rows and target to the probabilities of those who know the process.
    Ceiling = Callable[[Sample, Target], dict[str, Floats]]

CHAMPION_PEER = "champion"


class TargetTraining:
    """The training of one target.

    Parameters
    ----------
    may_serve
        Whether a model that passes its gates serves at once.
    """

    def __init__(
        self,
        run: Run,
        log: Log,
        settings: PropensitySettings,
        target: Target,
        may_serve: bool,
    ) -> None:
        self.run, self.log, self.settings, self.target = run, log, settings, target
        self.may_serve = may_serve
        self.own = settings.of(target)
        self.split = plan_split(log.first_date, log.last_date, settings, target.horizon_days)
        self.registry = Registry(run.warehouse, run.spark)

    def train(self, ceiling: Ceiling | None) -> Trained:
        """Fit, judge and register the model, if it is not there already; see `train_flow.train`."""
        ordered = slices_in_order(self.run, self.log, self.split, self.target, self.settings)
        with cached(ordered) as frame:
            with self._step("labels, time split") as step:
                sizes = slice_sizes(frame)
                step.rows = sum(size.rows for size in sizes.values())
                training.require_both_classes(sizes, self.target)
                recipe = self._recipe(frame, sizes)
            known = self.registry.latest(recipe.model_version)
            # Files that are damaged or gone are made again.
            is_new = known is None or not registry.is_whole(self.run.warehouse.root, known)
            if known is None or is_new:
                with self._step("rhythm of customers") as step:
                    rhythm = purchase_rhythm.rhythm_at(self.run, self.log, max(self.split.train))
                    step.note = _told(rhythm)
                fitted = fit_model(frame, sizes, rhythm, self.settings, self.target, self._step)
                others = self._others(frame, sizes, ceiling)
                known = self._judge_and_register(recipe, fitted, sizes, others)
            else:
                with self._step("nothing new") as step:
                    step.note = f"{recipe.model_version} is trained already"
        stored = self.run.warehouse.read("model_metrics")
        champion = self.registry.champion(self.target.name)
        return Trained(
            recipe.model_version,
            is_new,
            champion is not None and champion["model_version"] == recipe.model_version,
            failed_gates(known),
            registry.single_figures(stored, recipe.model_version, "test"),
        )

    def _recipe(self, frame: DataFrame, sizes: dict[str, SliceSize]) -> Recipe:
        return Recipe(
            target=self.target,
            split=self.split,
            settings=self.settings,
            min_instances_per_node=leaf_rows(sizes["train"], self.settings, self.own),
            features=features.feature_columns(),
            data_hash=registry.data_hash(frame),
        )

    def _others(
        self, frame: DataFrame, sizes: dict[str, SliceSize], ceiling: Ceiling | None
    ) -> Others:
        """Those whose probabilities come from elsewhere: the serving model, and who knows all."""
        champion = self.registry.champion(self.target.name)
        test_rows = frame.where(F.col("slice") == "test")

        def probabilities(test: Sample) -> dict[str, Floats]:
            found = {}
            root = self.run.warehouse.root
            if champion is not None and _can_be_held_against(champion, self.split, root):
                pipeline = registry.load_model(root, champion)
                scored = training.with_margin(pipeline.transform(test_rows))
                margin = features.collect_column(
                    scored, training.MARGIN, sizes["test"].rows, self.settings.max_rows_judged
                )
                calibration = registry.calibration_of(champion)
                found[CHAMPION_PEER] = calibration.probability(margin)
            if ceiling is not None:
                found |= ceiling(test, self.target)
            return found

        return probabilities

    def _judge_and_register(
        self,
        recipe: Recipe,
        fitted: Fitted,
        sizes: dict[str, SliceSize],
        others: Others,
    ) -> dict[str, Any]:
        with self._step("figures, intervals") as step:
            step.rows = len(fitted.later["test"])
            judged, metrics = every_figure(fitted, sizes, self.settings, self.own, others)
            calibration = fitted.choice.calibration
        with self._step("a look for leaks"):
            suspects = self._suspects(fitted.later["test"], fitted.encoder, sizes["test"])
            found = gates.check_gates(judged, suspects, self.settings.gates)
        with self._step("register model") as step:
            step.note = recipe.model_version
            pipeline = training.serving_pipeline(fitted.encoder, fitted.model)
            rhythm = fitted.rhythm
            own = {
                "trees": fitted.choice.trees,
                "bgnbd": json.dumps(asdict(rhythm.model)) if rhythm else None,
                "calibration_slope": calibration.slope,
                "calibration_intercept": calibration.intercept,
                "capacity_share": self.own.decision.capacity_share,
                "threshold": judged.threshold,
                "gates": json.dumps(gates.as_rows(found)),
                "gates_passed": all(gate.passed for gate in found),
            }
            return self._register(recipe, own, pipeline, metrics)

    def _suspects(self, test: Sample, encoder: PipelineModel, size: SliceSize) -> list[Suspect]:
        """Features that tell of the first day after a test date what only that day can."""
        kind, came = self.target.kind, []
        # Of a date at the end of the log two days are not over yet.
        dates = tuple(day for day in self.split.test if day < self.log.last_date)
        if not dates:
            return []
        for days in (1, 2):
            target = Target(kind, days)
            frame = inputs.labelled_snapshots(self.run, self.log, dates, target)
            label = features.collect_column(
                frame, features.LABEL, size.rows, self.settings.max_rows_judged
            )
            came.append(label == (1 if kind == "purchase" else 0))
        rows = np.isin(test.as_of.astype("datetime64[D]"), np.array(dates, "datetime64[D]"))
        names = features.vector_names(encoder)
        limit = self.settings.gates.peeking
        return peeking_features(test.matrix[rows], names, came[0], came[1], limit)

    def _register(
        self,
        recipe: Recipe,
        own: dict[str, Any],
        model: PipelineModel,
        metrics: list[Metric],
    ) -> dict[str, Any]:
        # The row in the registry comes last: only it makes a model serve, so a run that dies before
        # leaves the old model in use.
        warehouse, version = self.run.warehouse, recipe.model_version
        sha256 = registry.save_model(model, warehouse.root, version)
        rows = registry.metric_rows(self.run.spark, version, self.target.name, metrics)
        warehouse.replace_where("model_metrics", rows, f"model_version = '{version}'")
        versions = {name: warehouse.version(name) for name in inputs.TABLES}
        row = registry.registry_row(recipe, versions) | own | {"model_sha256": sha256}
        serves = own["gates_passed"] and self.may_serve
        return self.registry.append(row, CHAMPION if serves else CHALLENGER, TRAINED)

    def _step(self, name: str) -> AbstractContextManager[Step]:
        return self.run.progress.step(f"train {self.target.name}: {name}")


def _can_be_held_against(champion: dict[str, Any], split: TimeSplit, root: Path) -> bool:
    """Whether a champion still works, and all its labels were over when our test slice begins."""
    learned_until = champion["last_calibrate_as_of"] + timedelta(days=champion["horizon_days"])
    return (
        learned_until <= min(split.test)
        and not features.lost_columns(champion["features"])
        and registry.is_whole(root, champion)
    )


def _told(rhythm: Fit | None) -> str:
    if rhythm is None:
        return "too few customers bought on two days"
    model = rhythm.model
    return f"r {model.r:.3f}, alpha {model.alpha:.1f}, a {model.a:.3f}, b {model.b:.3f}"
