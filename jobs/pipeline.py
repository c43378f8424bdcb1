"""Run everything in order for a first look: generate, build, train, score, report, verify.

Reads: nothing but conf/; days that are already in the warehouse are not made again.
Writes: every table, a model, the charts and their CSV files.
Command: ./spark-submit.sh pipeline [--scale NAME] [--users N --days N] [--seed N] [--dirt on|off]
"""

from __future__ import annotations

import argparse

from jobs.core.building.flow import build, build_steps
from jobs.core.config import Config
from jobs.core.entry import Job, Run, main
from jobs.core.progress import summary
from jobs.proof import verify
from jobs.proof.ceiling import ceiling_of
from jobs.propensity.score_flow import score
from jobs.propensity.settings import settings_of
from jobs.propensity.train_flow import require_length, train
from jobs.reporting.headlines import headlines
from jobs.reporting.pack import CHARTS, write_report
from jobs.shop.loading import load_world
from jobs.shop.request import add_shop_arguments, requested_days, requested_world


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse a shop that cannot be made, or that is too short to train on."""
    require_length(*requested_days(args, config), settings_of(config))


# Start, generate (3), snapshots (2), cards, verify (5); of each target train (8) and score.
OTHER_STEPS, TARGET_STEPS = 12, 9


def execute(run: Run, args: argparse.Namespace) -> int:
    """Run the steps; the first that fails ends the run with its exit code."""
    models = TARGET_STEPS * len(settings_of(run.config).targets)
    run.progress.total_steps = OTHER_STEPS + models + build_steps() + len(CHARTS)
    load_world(run, *requested_world(args, run.config))
    build(run)
    trained = train(run, ceiling=ceiling_of(run))
    score(run)
    warehouse, root = run.warehouse, run.warehouse.root
    write_report(root / "report", warehouse.read, warehouse.exists, run.progress)
    evidence = verify.gather(run)
    pairs = [
        *headlines(warehouse.read),
        *((f"model {one.model_version}{one.state}", one.headline) for one in trained),
        ("reconciliations and rules", evidence.verdict),
        *((name, str(root / part)) for name, part in (("tables", ""), ("charts", "report"))),
        ("record of the run", str(root / "runs" / f"{run.manifest.run_id}.json")),
    ]
    print(summary("Glasshouse", pairs))
    verify.require(evidence)
    return 0


if __name__ == "__main__":
    main(Job("pipeline", __doc__, execute, add_shop_arguments, check))
