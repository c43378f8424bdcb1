"""Show what the next build would do, and why: days missing, late or corrected. Changes nothing.

Reads: bronze_users, bronze_events, bronze_orders, bronze_batches, build_log.
Writes: nothing.
Command: ./spark-submit.sh plan [--from D --to D] [--engine sail]
"""

from __future__ import annotations

import argparse

from jobs.core.building.changes import find_changes
from jobs.core.building.plan import render_plan
from jobs.core.building.request import require_range
from jobs.core.config import Config
from jobs.core.entry import Job, Run, add_engine, day, main


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_engine(parser)
    parser.add_argument("--from", dest="first", type=day, metavar="D", help="first day shown")
    parser.add_argument("--to", dest="end", type=day, metavar="D", help="day after the last one")


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse a range that is none."""
    require_range(args.first, args.end)


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the plan."""
    run.warehouse.register()
    print(render_plan(run, find_changes(run), args.first, args.end))
    return 0


if __name__ == "__main__":
    main(Job("plan", __doc__, execute, add_arguments, check, locks=False, records=False))
