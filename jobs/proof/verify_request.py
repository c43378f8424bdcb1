"""What a command line asks of `verify`."""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import add_engine
from jobs.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choices of what is proved, and by what engine."""
    add_engine(parser)
    parser.add_argument(
        "--engines",
        action="store_true",
        help="compare what Spark and Sail make of the bronze tables, instead of the tables",
    )
    parser.add_argument(
        "--realism",
        action="store_true",
        help="compare the shop's figures with those of real shops, instead of the tables",
    )


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse options that do not go together."""
    if args.engines + args.realism > 1:
        raise UsageError("give either --engines or --realism")
    if args.engine != "spark" and (args.engines or args.realism):
        raise UsageError("--engines and --realism start Spark: leave --engine out")
