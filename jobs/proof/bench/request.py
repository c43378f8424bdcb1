"""What a command line asks of `bench`, and the folder to do it in."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.core.entry import OneLineParser, positive
from jobs.core.errors import StorageError, UsageError

DEFAULT_DAYS = 180
# By what is measured, how often a contestant runs.
ROUNDS = {"generate": 1, "metrics": 1, "model": 3}


@dataclass(frozen=True)
class Rules:
    """How everything is measured.

    Attributes
    ----------
    conf_file : Path or None
        Settings that differ from conf/base.yaml.
    days : int
        Days of every shop.
    rounds : int
        How often each contestant runs, in turns; the fastest run counts. Of a model, how often it
        is fitted in one run; the median counts.
    is_dirty : bool
        Whether our log has the faults of shop.dirt.
    """

    conf_file: Path | None
    days: int
    rounds: int
    is_dirty: bool


def bench_parser(doc: str) -> argparse.ArgumentParser:
    """Options of the command; its docstring becomes the help text."""
    parser = OneLineParser(
        prog="bench",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("what", choices=tuple(ROUNDS), help="what to measure")
    parser.add_argument(
        "--events",
        default="",
        metavar="N,N,...",
        help="sizes to measure at (default: 1, 10 and 100 million; metrics: 1, 10 and 50 million); "
        "of metrics --day-cost the events of a day (default: 20000)",
    )
    parser.add_argument(
        "--snapshots",
        default="",
        metavar="N,N,...",
        help="of model, rows to learn from (default: 100 and 400 thousand, 1 million)",
    )
    parser.add_argument(
        "--seeds",
        default="",
        metavar="N,N,...",
        help="of model, instead: train on the default shops of these seeds, and hold the models "
        "against what is asked of them",
    )
    parser.add_argument(
        "--ablation",
        type=positive,
        metavar="SEED",
        help="of model, instead: change one setting at a time on the default shop of this seed",
    )
    parser.add_argument(
        "--days",
        type=positive,
        metavar="N",
        help=f"days of each shop (default: {DEFAULT_DAYS})",
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        metavar="N",
        help="runs of each contestant, in turns; the fastest counts (default: 1); of model, fits, "
        "whose median counts (default: 3)",
    )
    parser.add_argument(
        "--dirt",
        action="store_true",
        help="our log with the faults of shop.dirt; the default shops have them anyway",
    )
    parser.add_argument(
        "--day-cost", action="store_true", help="instead, the cost of one more day, late and early"
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        metavar="DIR",
        help="work in a folder within this one (default: where the system keeps such)",
    )
    parser.add_argument(
        "--conf-file",
        type=Path,
        metavar="FILE",
        help="YAML with the settings that differ from conf/base.yaml",
    )
    parser.add_argument("--debug", action="store_true", help="show the trace of an error")
    return parser


@contextmanager
def scratch_folder(parent: Path | None) -> Iterator[Path]:
    """Make a folder in the one given, or where the system keeps such, and remove it at the end.

    Raises
    ------
    StorageError
        It cannot be made.
    """
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="bench-", dir=parent)
    except OSError as error:
        raise StorageError(f"--warehouse {parent}: {error.strerror}") from error
    with folder as name:
        yield Path(name).resolve()


def check_request(args: argparse.Namespace) -> None:
    """Refuse options of another measurement than the one that is asked.

    Raises
    ------
    UsageError
    """
    of_model, of_others = ("--snapshots", "--seeds", "--ablation"), ("--events", "--day-cost")
    chosen = {
        "--events": bool(args.events),
        "--day-cost": args.day_cost,
        "--snapshots": bool(args.snapshots),
        "--seeds": bool(args.seeds),
        "--ablation": args.ablation is not None,
    }
    for name in of_others if args.what == "model" else of_model:
        if chosen[name]:
            raise UsageError(f"{name} is not an option of bench {args.what}")
    if chosen["--seeds"] or chosen["--ablation"]:
        for name, value in (
            ("--days", args.days),
            ("--rounds", args.rounds),
            ("--dirt", args.dirt),
        ):
            if value:
                raise UsageError(f"{name}: the default shops have days, dirt and fits of their own")
    given = [name for name in of_model if chosen[name]]
    if len(given) > 1:
        raise UsageError(f"give one of {' and '.join(given)}")


def parse_sizes(text: str, option: str = "--events") -> list[int]:
    """Read whole numbers, rising, from an option such as ``1000000,10000000``; '' has none.

    Raises
    ------
    UsageError
        A part is not a whole number above zero.
    """
    if not text:
        return []
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise UsageError(f"{option} {text}: whole numbers above zero are wanted, with commas")
    return sorted({int(part) for part in parts})
