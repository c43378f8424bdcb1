"""Run everything in order for a first look: generate, build, train, score, report, verify.

Reads: nothing but conf/; days that are already in the warehouse are not made again.
Writes: every table, a model, the charts and their CSV files.
Command: ./spark-submit.sh pipeline [--scale NAME] [--users N --days N] [--seed N]
"""

from __future__ import annotations

import argparse

from jobs.core.building import build, build_steps
from jobs.core.entry import Job, Run, main
from jobs.core.progress import summary
from jobs.proof import verify
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import Trained, train
from jobs.reporting.headlines import headlines
from jobs.reporting.pack import CHARTS, write_pack
from jobs.shop.loading import load_world
from jobs.shop.request import add_shop_arguments, check_shop_arguments, requested_world

# Start, generate (4), train (5), score (2) and verify (3); building and charts are counted.
OTHER_STEPS = 15


def execute(run: Run, args: argparse.Namespace) -> int:
    """Run the steps; the first that fails ends the run with its exit code."""
    run.progress.total_steps = OTHER_STEPS + build_steps() + len(CHARTS)
    world, days = requested_world(args, run.config)
    load_world(run, world, days)
    build(run)
    trained = train(run)
    score(run)
    root = run.warehouse.root
    write_pack(root / "report", run.warehouse.read, run.warehouse.exists, run.progress)
    evidence = verify.gather(run)
    pairs = [
        *headlines(run.warehouse.read),
        (f"model {trained.model_version}", _figures(trained)),
        ("reconciliations and rules", evidence.verdict),
        ("tables", str(root)),
        ("charts", str(root / "report")),
        ("record of the run", str(root / "runs" / f"{run.manifest.run_id}.json")),
    ]
    print(summary("Glasshouse", pairs))
    verify.require(evidence)
    return 0


def _figures(trained: Trained) -> str:
    figures = trained.figures
    names = {"average_precision": "PR-AUC", "roc_auc": "ROC-AUC", "log_loss": "log-loss"}
    parts = [f"{label} {figures[name]:.4f}" for name, label in names.items()]
    return ", ".join([*parts, f"base rate {100 * figures['base_rate']:.2f} %"])


if __name__ == "__main__":
    main(Job("pipeline", __doc__, execute, add_shop_arguments, check_shop_arguments))
