"""Score every eligible user for the days after a day, with the models that serve.

Reads: fact_events, fact_orders, dim_users, bronze_batches, build_log, model_registry, models/.
Writes: user_snapshots and propensity_scores_daily, for as_of = the day after.
Command: ./spark-submit.sh score [--date D] [--target NAME]
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, day, main
from jobs.propensity.request import add_target, check_target
from jobs.propensity.score_flow import score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    parser.add_argument(
        "--date",
        type=day,
        metavar="D",
        help="last day the scores may know (default: the last day built)",
    )
    add_target(parser)


def execute(run: Run, args: argparse.Namespace) -> int:
    """Score the day and print how many users were scored and selected."""
    for scored in score(run, args.date, args.target):
        print(
            f"{scored.users:,} users scored for {scored.as_of} by {scored.model_version}, "
            f"{scored.selected:,} selected"
        )
    return 0


if __name__ == "__main__":
    main(Job("score", __doc__, execute, add_arguments, check_target))
