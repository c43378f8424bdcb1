"""Draw the charts of shop and models, each with the CSV of what it shows, and write model cards.

Reads: active_users_daily, retention_cohorts, funnel_daily, revenue_daily, model_registry,
       model_metrics.
Writes: <warehouse>/report/<chart>.png and .csv, model_card_<target>.md; what a missing table would
    be needed for is left out.
Command: ./spark-submit.sh report
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.reporting.pack import CHARTS, write_report


def execute(run: Run, args: argparse.Namespace) -> int:
    """Write the chart pack and print the paths of its files, one per line."""
    warehouse = run.warehouse
    run.progress.total_steps = len(run.progress.timings) + len(CHARTS) + 1
    paths = write_report(warehouse.root / "report", warehouse.read, warehouse.exists, run.progress)
    print("\n".join(str(path) for path in paths))
    return 0


if __name__ == "__main__":
    main(Job("report", __doc__, execute, locks=False))
