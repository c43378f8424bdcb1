"""The contestants of `bench model`, each run as a fresh process.

log, build
    No contestants: load a synthetic shop, and build its tables.
slices
    No contestant: writes the encoded rows of each slice, which the following read.
gbt, gbt_sampled
    MLlib's boosted trees with the settings of the target; sampled: on a part of the rows.
xgboost
    As many trees of the same depth on the same rows.
train
    The command `train`; its figures are held against what is asked of them.
ablation
    Models with one setting changed, beside the model with none changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial

from jobs.core.entry import Run
from jobs.core.errors import UsageError
from jobs.core.manifest import Manifest
from jobs.core.session import start_engine
from jobs.core.tables import Warehouse
from jobs.proof.bench.contestant import CostedProgress, run_contestant
from jobs.proof.bench.metrics.contestants import log, on_engine
from jobs.proof.bench.model import fitting
from jobs.proof.bench.model.ablation import ablation
from jobs.proof.bench.model.demands import ASKED, held_against
from jobs.proof.bench.task import Result, Task
from jobs.proof.ceiling import ceiling_of
from jobs.propensity.registry import TABLE
from jobs.propensity.targets import Target
from jobs.propensity.train_flow import train


def slices(task: Task) -> Result:
    """Write the encoded rows of one target, and count those of the training slice."""
    with closing(CostedProgress()) as progress:
        return Result(rows=fitting.write_slices(_run(task, progress), task))


def trained(task: Task) -> Result:
    """Train a model per target, and hold each against what is asked of it."""
    result = Result()
    with closing(CostedProgress()) as progress:
        run = _run(task, progress)
        ceiling = ceiling_of(run)
        if ceiling is None:
            raise UsageError("models are held against the truth of a shop whose days are UTC's")
        train(run, ceiling=ceiling)
        metrics = run.warehouse.read("model_metrics").toPandas()
        for row in run.warehouse.read(TABLE).collect():
            if row["target"] in ASKED:
                own = metrics[metrics["model_version"] == row["model_version"]]
                result.figures += held_against(own, row["target"])
    return result


def ablated(task: Task) -> Result:
    """Fit models with one setting changed."""
    with closing(CostedProgress()) as progress:
        run = _run(task, progress)
        return Result(figures=ablation(run, Target.parse(task.target), ceiling_of(run)))


CONTESTANTS: dict[str, Callable[[Task], Result]] = {
    "log": log,
    "build": partial(on_engine, engine="sail"),
    "slices": slices,
    "gbt": fitting.gbt,
    "gbt_sampled": partial(fitting.gbt, is_sampled=True),
    "xgboost": fitting.xgboost,
    "train": trained,
    "ablation": ablated,
}


def _run(task: Task, progress: CostedProgress) -> Run:
    spark = start_engine("spark", "bench")
    warehouse = Warehouse(task.warehouse, spark, "bench")
    return Run(spark, task.config, warehouse, progress, Manifest("bench", "bench", []))


if __name__ == "__main__":
    sys.exit(run_contestant(CONTESTANTS, sys.argv[1:]))
