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
        How often each contestant runs, in turns; the fastest run counts.
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
    parser.add_argument("what", choices=["generate", "metrics"], help="what to measure")
    parser.add_argument(
        "--events",
        default="",
        metavar="N,N,...",
        help="sizes to measure at (default: 1, 10 and 100 million; metrics: 1, 10 and 50 million); "
        "of metrics --day-cost the events of a day (default: 20000)",
    )
    parser.add_argument(
        "--days",
        type=positive,
        default=DEFAULT_DAYS,
        metavar="N",
        help=f"days of each shop (default: {DEFAULT_DAYS})",
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        default=1,
        metavar="N",
        help="runs of each contestant, in turns; the fastest counts (default: 1)",
    )
    parser.add_argument("--dirt", action="store_true", help="our log with the faults of shop.dirt")
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


def parse_sizes(text: str) -> list[int]:
    """Read numbers of events, rising, from an option such as ``1000000,10000000``; '' has none.

    Raises
    ------
    UsageError
        A part is not a whole number above zero.
    """
    if not text:
        return []
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise UsageError(f"--events {text}: whole numbers above zero are wanted, with commas")
    return sorted({int(part) for part in parts})
