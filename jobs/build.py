"""Build silver and gold from bronze, for all days or for some.

With days, these and the days whose rows look at them are replaced. That equals a full build where
only events and orders of these days are new; new users for old events, or another copy of an old
event, touch other days too: then build without days.

Reads: bronze_users, bronze_events, bronze_orders, bronze_batches.
Writes: every table of sql/silver and sql/gold.
Command: ./spark-submit.sh build [--date D | --from D --to D]
"""

from __future__ import annotations

import argparse
from datetime import timedelta

from jobs.core.building import Days, build
from jobs.core.config import Config
from jobs.core.entry import Job, Run, add_engine, day, main
from jobs.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_engine(parser)
    parser.add_argument("--date", type=day, metavar="D", help="the one day that changed")
    parser.add_argument("--from", dest="first", type=day, metavar="D", help="first changed day")
    parser.add_argument("--to", dest="end", type=day, metavar="D", help="day after the last one")


def days_of(args: argparse.Namespace) -> Days | None:
    """Days to rebuild; None for all."""
    if args.date is not None:
        return Days(args.date, args.date + timedelta(days=1))
    return None if args.first is None else Days(args.first, args.end)


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse options that do not go together."""
    if args.date is not None and (args.first is not None or args.end is not None):
        raise UsageError("give either --date or --from and --to")
    if (args.first is None) != (args.end is None):
        raise UsageError("--from and --to go together (--to is the day after the last one)")
    if args.first is not None and args.first >= args.end:
        raise UsageError("--to must be later than --from: it is the day after the last one")


def execute(run: Run, args: argparse.Namespace) -> int:
    """Rebuild the tables."""
    build(run, days_of(args))
    return 0


if __name__ == "__main__":
    main(Job("build", __doc__, execute, add_arguments, check))
