"""Score every eligible user for the seven days after a day, with the model that serves.

Reads: fact_events, fact_orders, dim_users, bronze_batches, model_registry, models/.
Writes: user_snapshots and propensity_scores_daily, for as_of = the day after.
Command: ./spark-submit.sh score [--date D]
"""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import Job, Run, day, main
from jobs.propensity.score_flow import score
from jobs.propensity.settings import settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    parser.add_argument(
        "--date",
        type=day,
        metavar="D",
        help="last day the scores may know (default: the last complete day of the log)",
    )


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse settings of the model that cannot be."""
    settings_of(config)


def execute(run: Run, args: argparse.Namespace) -> int:
    """Score the day and print how many users were scored and selected."""
    scored = score(run, args.date)
    print(
        f"{scored.users:,} users scored for {scored.as_of} by {scored.model_version}, "
        f"{scored.selected:,} selected"
    )
    return 0


if __name__ == "__main__":
    main(Job("score", __doc__, execute, add_arguments, check))
