"""`score` killed on the way: the table is what it was, and a rerun makes it what it should be."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.core.config import load_config
from jobs.proof.content_hash import Fingerprint, fingerprint
from tests.jobs.commands import FAST_START, ROOT, Pipeline, command, run_in

TABLE = "propensity_scores_daily"
DAY = date(2024, 1, 1) + timedelta(days=load_config().scales["tiny"].days - 3)
# The run is killed with all its processes while it does what comes after this line.
LINES = ["start Spark", "score: snapshots", "score purchase_7d"]


def content(spark: SparkSession, warehouse: Path) -> Fingerprint:
    """Scores of all days, but the time at which they were made."""
    return fingerprint(run_in(spark, warehouse).warehouse.read(TABLE), unhashed=["scored_at"])


def killed_after(line: str, *arguments: str | Path) -> None:
    process = subprocess.Popen(
        [ROOT / "spark-submit.sh", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "JDK_JAVA_OPTIONS": FAST_START},
        start_new_session=True,
    )
    assert process.stderr is not None
    told = any(text.startswith(line) for text in process.stderr)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert told
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow  # each of six processes starts a JVM
def test_a_killed_run_leaves_no_trace_once_it_is_run_again(
    spark: SparkSession, tiny: Pipeline, tmp_path: Path
) -> None:
    clean, killed = (Path(shutil.copytree(tiny.warehouse, tmp_path / n)) for n in ("a", "b"))
    options = ("--date", str(DAY), "--conf-file", tiny.conf)
    before = content(spark, clean)
    run = command("score", *options, "--warehouse", clean)
    assert run.returncode == 0, run.stderr
    wanted = content(spark, clean)
    assert wanted.rows > before.rows
    for line in LINES:
        killed_after(line, "score", *options, "--warehouse", killed)
        left = content(spark, killed)
        # Killed in the middle of the second target, the first has its scores already.
        assert left == before or (line == LINES[-1] and before.rows < left.rows < wanted.rows)
    again = command("score", *options, "--warehouse", killed)
    assert again.returncode == 0, again.stderr
    assert content(spark, killed) == wanted
