"""Run a command as its user does, in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.proof import verify

ROOT = Path(__file__).resolve().parents[2]
# Small data is all start-up: the first compiler alone halves it.
FAST_START = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"


@dataclass(frozen=True)
class Pipeline:
    """A warehouse, the settings it was made with, and the finished run that filled it."""

    warehouse: Path
    conf: Path
    run: subprocess.CompletedProcess[str]


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Finished run of ./spark-submit.sh with its output."""
    return subprocess.run(
        [ROOT / "spark-submit.sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "JDK_JAVA_OPTIONS": FAST_START, **environment},
        cwd=ROOT,
    )


def run_in(
    spark: SparkSession, warehouse: Path, conf: Path | None = None, engine: str = "spark"
) -> Run:
    """A run in this process, whose JVM is warm: for what is not about the command line."""
    tables = Warehouse(warehouse, spark, "test", engine)
    progress = Progress(stream=io.StringIO())
    return Run(spark, load_config(conf), tables, progress, Manifest("test", "test", []))


def hashes(run: Run) -> dict[str, str]:
    """Content hash of each stored table."""
    return {
        name: f"{found.rows} {found.digest}"
        for name, found in verify.content_hashes(run, run.warehouse.register()).items()
    }


# What the JVM itself says at every start, before any of our code runs.
JVM_NOISE = ("WARNING: Using incubator modules",)


def only_line(run: subprocess.CompletedProcess[str]) -> str:
    """The one line a refused run prints, step lines of the start aside."""
    lines = [
        line for line in run.stderr.splitlines() if not line.startswith(("start Spark", *JVM_NOISE))
    ]
    assert len(lines) == 1, run.stderr
    return lines[0]
