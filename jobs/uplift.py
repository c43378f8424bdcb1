"""What the randomised campaign of the synthetic shop adds, and whom to contact for it.

Two estimates of each user's uplift, by two models and by channel, are held against ranking by
propensity and by the true uplift, both by the truth (Qini) and by what the arms show.

Reads: fact_events, fact_orders, dim_users, user_daily_metrics, truth_users.
Writes: <warehouse>/report/uplift.png and .csv.
Command: ./spark-submit.sh uplift
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.proof.uplift.flow import measure
from jobs.proof.uplift.report import as_frame, render, verdict
from jobs.reporting.uplift_chart import write_chart


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the figures, and draw the curves."""
    found = measure(run)
    print(render(found))
    folder = run.warehouse.root / "report"
    for path in write_chart(folder, as_frame(found), found.first, verdict(found)):
        print(path)
    return 0


if __name__ == "__main__":
    main(Job("uplift", __doc__, execute, locks=False, records=False))
