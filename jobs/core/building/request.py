"""What a command line asks of `build`."""

from __future__ import annotations

import argparse
from datetime import date

from jobs.core.building.days import ONE_DAY, Days
from jobs.core.config import Config
from jobs.core.entry import add_engine, day
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
        return Days(args.date, args.date + ONE_DAY)
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
    require_range(args.first, args.end)


def require_range(first: date | None, end: date | None) -> None:
    """Refuse a range that ends before it begins.

    Raises
    ------
    UsageError
        It does.
    """
    if first is not None and end is not None and first >= end:
        raise UsageError("--to must be later than --from: it is the day after the last one")
