"""What a command line asks of the commands that work on the targets."""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.errors import UsageError
from jobs.propensity.settings import settings_of, targets_of


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the choice of one target."""
    parser.add_argument(
        "--target", metavar="NAME", help="one of propensity.targets (default: all of them)"
    )


def check_target(args: argparse.Namespace, config: Config) -> None:
    """Refuse settings of the models that cannot be, and a target that is not in them."""
    targets_of(settings_of(config), args.target)


def check_training(args: argparse.Namespace, config: Config) -> None:
    """Refuse options of `train` that do not go together."""
    check_target(args, config)
    if args.reproduce is not None and (args.target or args.challenger):
        raise UsageError("--reproduce takes neither --target nor --challenger")
    if args.reproduce == "":
        raise UsageError("--reproduce takes the version of a model; registry list shows them all")
