"""Judge models of past dates on what came after them: one line per date, and all dates together.

Reads: fact_events, fact_orders, dim_users, user_daily_metrics, bronze_batches.
Writes: user_snapshots; no model.
Command: ./spark-submit.sh backtest [--target NAME] [--origins N]
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main, positive
from jobs.propensity.backtest import backtest
from jobs.propensity.backtest_page import render_backtest
from jobs.propensity.request import add_target, check_target
from jobs.propensity.settings import settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_target(parser)
    parser.add_argument(
        "--origins", type=positive, default=8, metavar="N", help="dates to judge on (default: 8)"
    )


def execute(run: Run, args: argparse.Namespace) -> int:
    """Run the backtest, and print its table."""
    found = backtest(run, args.target, args.origins)
    print(render_backtest(found, settings_of(run.config)))
    return 0


if __name__ == "__main__":
    main(Job("backtest", __doc__, execute, add_arguments, check_target))
