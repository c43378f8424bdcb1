"""Train the purchase model on the log and let it serve.

Reads: fact_events, fact_orders, dim_users, bronze_batches.
Writes: user_snapshots, model_metrics, model_registry, models/<model_version>.
Command: ./spark-submit.sh train
"""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import Job, Run, main
from jobs.core.progress import summary
from jobs.propensity.settings import settings_of
from jobs.propensity.train_flow import train

SHOWN = ("average_precision", "base_rate", "roc_auc", "log_loss", "ece", "precision", "recall")


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse settings of the model that cannot be."""
    settings_of(config)


def execute(run: Run, args: argparse.Namespace) -> int:
    """Train, and print the figures on the test slice."""
    trained = train(run)
    figures = [(name, f"{trained.figures[name]:.4f}") for name in SHOWN if name in trained.figures]
    note = "" if trained.is_new else " (trained before)"
    print(summary(f"Model {trained.model_version}{note}, on later users", figures))
    return 0


if __name__ == "__main__":
    main(Job("train", __doc__, execute, check=check))
