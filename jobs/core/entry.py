"""What every job does alike: arguments, lock, session and manifest; its end is in ending.py."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

from pyspark.sql import SparkSession

from jobs.core import ending
from jobs.core.config import PROJECT_ROOT, Config, load_config
from jobs.core.errors import StorageError, UsageError
from jobs.core.lock import LOCK_NAME, warehouse_lock
from jobs.core.manifest import Manifest, new_run_id
from jobs.core.progress import Progress
from jobs.core.queries import parse_date
from jobs.core.session import ENGINES, start_engine
from jobs.core.tables import Warehouse


@dataclass(frozen=True)
class Run:
    """Everything a job may touch; only entry points and loaders take one."""

    spark: SparkSession
    config: Config
    warehouse: Warehouse
    progress: Progress
    manifest: Manifest


@dataclass(frozen=True)
class Job:
    """One command.

    Parameters
    ----------
    name
        As typed after ./spark-submit.sh.
    doc
        Docstring of the entry point; its first line becomes the help text.
    add_arguments
        Adds the job's own options to the parser.
    execute
        Does the work; the only place with input and output. Returns the exit code.
    check
        Refuses arguments before anything is started or written.
    locks
        False for jobs that write no table, which may run beside others.
    records
        False for jobs that only look: they leave no manifest.
    """

    name: str
    doc: str
    execute: Callable[[Run, argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    check: Callable[[argparse.Namespace, Config], None] = lambda args, config: None
    locks: bool = True
    records: bool = True


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaint is one line, as a scheduler's log wants it."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and leave with the exit code for bad usage."""
        print(f"{self.prog}: {message}; see ./spark-submit.sh {self.prog} --help", file=sys.stderr)
        sys.exit(UsageError.exit_code)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the choice of engine, for jobs that are SQL alone."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="what runs the SQL: Spark, or Sail, which needs no Java (default: spark)",
    )


def day(text: str) -> date:
    """Parse an option that takes a day, for argparse."""
    try:
        return parse_date(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """Parse an option that takes a whole number above zero, for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def main(job: Job, argv: Sequence[str] | None = None) -> NoReturn:
    """Run a job and leave the process with its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = _parser(job).parse_args(arguments)
    ending.leave(job.name, args.debug, lambda: _run(job, args, arguments))


def _run(job: Job, args: argparse.Namespace, arguments: list[str]) -> int:
    config = load_config(args.conf_file)
    job.check(args, config)
    root = _warehouse_root(args.warehouse)
    manifest = Manifest(new_run_id(job.name), job.name, arguments)
    with warehouse_lock(root, job.name) if job.locks else nullcontext(), Progress() as progress:
        engine = getattr(args, "engine", "spark")
        with progress.step(f"start {engine.capitalize()}"):
            spark = start_engine(engine, job.name, quiet=not args.debug)
        # Spark's own handler would cancel its jobs from within a call to the JVM, and the bridge to
        # the JVM logs the trace of every interrupted call: Ctrl-C is one line.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not args.debug:
            logging.getLogger().addHandler(logging.NullHandler())
        progress.attach(spark)
        warehouse = Warehouse(root, spark, manifest.run_id, engine)
        run = Run(spark, config, warehouse, progress, manifest)
        code = ending.EXIT_BUG
        try:
            code = job.execute(run, args)
        except BaseException as error:
            code = ending.exit_code(error)
            raise
        finally:
            if job.records and code != UsageError.exit_code and _holds_something(root):
                _write_manifest(manifest, root, code, progress)
    return code


def _warehouse_root(path: Path) -> Path:
    try:
        root = path.expanduser().resolve()
    except RuntimeError as error:  # ~name of nobody on this machine
        raise UsageError(f"--warehouse {path}: {error}") from error
    if root.exists() and not root.is_dir():
        raise StorageError(f"--warehouse {path} is a file, not a folder")
    return root


def _write_manifest(manifest: Manifest, root: Path, code: int, progress: Progress) -> None:
    try:
        manifest.write(root, code, progress.timings)
    except OSError as error:
        # Where the run failed, its own error is the one to tell.
        if code == 0:
            raise StorageError(f"{root}/runs cannot be written: {error.strerror}") from error


def _holds_something(root: Path) -> bool:
    # A run that was refused in an empty place must leave it empty.
    return root.is_dir() and any(path.name != LOCK_NAME for path in root.iterdir())


def _parser(job: Job) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=job.name,
        description=job.doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=PROJECT_ROOT / "warehouse",
        metavar="DIR",
        help="folder of the Delta tables (default: warehouse/ in the project)",
    )
    parser.add_argument(
        "--conf-file",
        type=Path,
        metavar="FILE",
        help="YAML with the settings that differ from conf/base.yaml",
    )
    parser.add_argument("--debug", action="store_true", help="show the trace of an error")
    job.add_arguments(parser)
    return parser
