"""List the models, let one serve, go back to the one before, or calibrate the serving one again.

Reads: model_registry, model_metrics; recalibrate also models/, user_snapshots and the fact tables.
Writes: model_registry, for all but list.
Command: ./spark-submit.sh registry list | promote VERSION | rollback TARGET | recalibrate TARGET
"""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import Job, Run, main
from jobs.core.errors import UsageError
from jobs.propensity.promotion import promote, rollback
from jobs.propensity.recalibration import recalibrate
from jobs.propensity.registry import Registry
from jobs.propensity.registry_list import render_registry

NEEDED = {
    "list": None,
    "promote": "the version of a model",
    "rollback": "a target",
    "recalibrate": "a target",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do, and to what."""
    parser.add_argument("action", choices=tuple(NEEDED), help="what to do")
    parser.add_argument("name", nargs="?", help="promote: a model version; else: a target")


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse an action without its object, and the other way round."""
    needed = NEEDED[args.action]
    if (needed is None) != (args.name is None):
        raise UsageError(f"{args.action} takes " + (f"{needed}" if needed else f"no {args.name!r}"))


def execute(run: Run, args: argparse.Namespace) -> int:
    """Do it, and say what serves now."""
    registry = Registry(run.warehouse, run.spark)
    if args.action == "list":
        print(render_registry(registry.rows(), run.warehouse))
        return 0
    if args.action == "recalibrate":
        done = recalibrate(run, args.name)
    else:
        done = (promote if args.action == "promote" else rollback)(registry, args.name)
    print(f"{done['target']} is served by {done['model_version']} ({done['reason']})")
    return 0


if __name__ == "__main__":
    main(Job("registry", __doc__, execute, add_arguments, check))
