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
from datetime import timedelta

from jobs.core.building import build
from jobs.core.config import Config
from jobs.core.day_ranges import Days
from jobs.core.entry import Job, Run, add_engine, day, main
from jobs.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_engine(parser)
    parser.add_argument("--missing", action="store_true", help="what is missing (the default)")
    parser.add_argument("--full", action="store_true", help="every day, whatever is there")
    parser.add_argument("--date", type=day, metavar="D", help="this day, whatever is there")
    parser.add_argument("--from", dest="first", type=day, metavar="D", help="first day of several")
    parser.add_argument("--to", dest="end", type=day, metavar="D", help="day after the last one")


def days_of(args: argparse.Namespace) -> Days | None:
    """Days asked for; None for what is missing."""
    if args.date is not None:
        return Days(args.date, args.date + timedelta(days=1))
    return None if args.first is None else Days(args.first, args.end)


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse options that do not go together."""
    asked_days = args.date is not None or args.first is not None or args.end is not None
    if args.missing + args.full + asked_days > 1:
        raise UsageError("give one of --missing, --full, --date, or --from and --to")
    if args.date is not None and (args.first is not None or args.end is not None):
        raise UsageError("give either --date or --from and --to")
    if (args.first is None) != (args.end is None):
        raise UsageError("--from and --to go together (--to is the day after the last one)")
    if args.first is not None and args.first >= args.end:
        raise UsageError("--to must be later than --from: it is the day after the last one")


def execute(run: Run, args: argparse.Namespace) -> int:
    """Bring the tables up to date."""
    build(run, days_of(args), args.full)
    return 0


if __name__ == "__main__":
    main(Job("build", __doc__, execute, add_arguments, check))
