"""Build silver and gold from bronze: what is missing, everything, or some days.

Without options (or with --missing) the days are built that something loaded since the last build
can have touched, and those that look at them; nothing, if nothing came. The tables are then those
that --full would give. Other settings or queries ask for a full build by themselves.

Reads: bronze_users, bronze_events, bronze_orders, bronze_batches, build_log.
Writes: every table of sql/silver and sql/gold, build_log, interval_ledger, restatements.
Command: ./spark-submit.sh build [--missing | --full | --date D | --from D --to D] [--engine sail]
"""

from __future__ import annotations

import argparse

from jobs.core.building.flow import build
from jobs.core.building.request import add_arguments, check, days_of
from jobs.core.entry import Job, Run, main


def execute(run: Run, args: argparse.Namespace) -> int:
    """Bring the tables up to date."""
    build(run, days_of(args), args.full)
    return 0


if __name__ == "__main__":
    main(Job("build", __doc__, execute, add_arguments, check))
