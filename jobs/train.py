"""Train a model per target, judge it beside others, and let it serve if it is good.

A model that passes its gates serves from then on, unless --challenger keeps it waiting; one that
fails is registered, and the one before serves on. With --reproduce a registered model is trained
again from the versions of the tables it was trained on, and every figure is compared; nothing is
written.

Reads: fact_events, fact_orders, dim_users, user_daily_metrics, bronze_batches.
Writes: user_snapshots, model_metrics, model_registry, models/<model_version>.
Command: ./spark-submit.sh train [--target NAME] [--challenger] | --reproduce MODEL_VERSION
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.core.progress import summary
from jobs.proof.ceiling import ceiling_of
from jobs.propensity.reproduction import reproduce
from jobs.propensity.request import add_target, check_training
from jobs.propensity.train_flow import train

SHOWN = ("average_precision", "base_rate", "roc_auc", "log_loss", "ece", "precision", "recall")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_target(parser)
    parser.add_argument(
        "--challenger",
        action="store_true",
        help="only register the model; registry promote lets it serve",
    )

    parser.add_argument(
        "--reproduce",
        metavar="MODEL_VERSION",
        help="train this registered model again and compare, instead of training a new one",
    )


def execute(run: Run, args: argparse.Namespace) -> int:
    """Train, and print the figures on the test slice."""
    if args.reproduce is not None:
        print(reproduce(run, args.reproduce, ceiling_of(run)).verdict)
        return 0
    for trained in train(run, args.target, ceiling_of(run), not args.challenger):
        figures = [(n, f"{trained.figures[n]:.4f}") for n in SHOWN if n in trained.figures]
        figures += [("gate failed", told) for told in trained.failed]
        print(summary(f"Model {trained.model_version}{trained.state}, on later users", figures))
    return 0


if __name__ == "__main__":
    main(Job("train", __doc__, execute, add_arguments, check_training))
