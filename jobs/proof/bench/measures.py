"""Which measurement a command line of `bench` asks for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from jobs.core.progress import Progress
from jobs.proof.bench.generate import command as generate
from jobs.proof.bench.metrics import command as metrics
from jobs.proof.bench.model import command as model
from jobs.proof.bench.request import Rules, check_request, parse_sizes

# From rules, folder and progress to the page.
Measure = Callable[[Rules, Path, Progress], str]


def measure_of(args: argparse.Namespace) -> Measure:
    """Find what a command line asks for.

    Raises
    ------
    UsageError
        Its options do not go together, or a number in them is none.
    """
    check_request(args)
    if args.ablation is not None:
        return lambda rules, *rest: model.ablation(rules, args.ablation, *rest)
    if args.seeds:
        seeds = parse_sizes(args.seeds, "--seeds")
        return lambda rules, *rest: model.demands(rules, seeds, *rest)
    if args.what == "model":
        sizes = parse_sizes(args.snapshots, "--snapshots")
        return lambda rules, *rest: model.compare(rules, sizes, *rest)
    command, sizes = {"generate": generate, "metrics": metrics}[args.what], parse_sizes(args.events)
    chosen = command.day_cost if args.day_cost else command.compare
    return lambda rules, *rest: chosen(rules, sizes, *rest)
