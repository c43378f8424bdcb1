"""Check a scored day: its data, drift of users and scores, and whether older scores came true.

An alarm is a row with is_alarm and a line; the exit code stays 0. With --selftest: what the same
checks say of days drawn without and with drift, from a seed; exit 1 if they miss what they state.
Reads: silver, user_snapshots, model_registry, model_metrics, propensity_scores_daily.
Writes: monitoring_daily, for as_of = the day after.
Command: ./spark-submit.sh monitor [--date D] [--target NAME] | --selftest
"""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import Job, Run, day, main
from jobs.core.errors import UsageError
from jobs.propensity.monitoring.flow import monitor
from jobs.propensity.monitoring.report import render
from jobs.propensity.monitoring.selftest import selftest
from jobs.propensity.request import add_target, check_target
from jobs.propensity.settings import settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    parser.add_argument(
        "--date",
        type=day,
        metavar="D",
        help="last day the scores knew (default: that of the last date scored)",
    )
    add_target(parser)
    parser.add_argument(
        "--selftest",
        action="store_true",
        help="put the checks to drawn days whose drift is known, instead of the warehouse",
    )


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse settings of the models that cannot be, and a target that is not in them."""
    if args.selftest and (args.date or args.target):
        raise UsageError("--selftest draws its own days: leave out --date and --target")
    check_target(args, config)


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print what was found."""
    if args.selftest:
        with run.progress.step("monitor: selftest"):
            outcome = selftest(settings_of(run.config).monitoring)
        print(outcome.told)
        return 0 if outcome.passed else 1
    print(render(monitor(run, args.date, args.target)))
    return 0


if __name__ == "__main__":
    main(Job("monitor", __doc__, execute, add_arguments, check))
