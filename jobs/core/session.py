"""The Spark session of a run; its settings come from conf/spark-<profile>.conf."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pyspark import SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from jobs.core.errors import SetupError
from jobs.core.sail import start_sail

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"


ENGINES = ("spark", "sail")


def start_engine(engine: str, job: str, quiet: bool = True) -> SparkSession:
    """A session of one of the ENGINES; see `start_session` and `sail.start_sail`."""
    return start_sail(quiet) if engine == "sail" else start_session(job, quiet)


def start_session(job: str, quiet: bool = True) -> SparkSession:
    """Start or join the session of this process.

    Parameters
    ----------
    job
        Name of the command; becomes part of the application's name.
    quiet
        Keep Spark's own log off stderr: what fails is told in one line by the job, and Spark
        would print the same with its whole trace, once per task.

    Raises
    ------
    SetupError
        The session lacks Delta, or is not pinned to UTC: results would differ silently.
    """
    if quiet and SparkContext._gateway is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        # The JVM warns of a module of its own at each start, before any log setting can count.
        gateway = launch_gateway(popen_kwargs={"stderr": subprocess.DEVNULL})
        SparkContext._ensure_initialized(gateway=gateway)
    spark = SparkSession.builder.appName(f"glasshouse {job}").getOrCreate()
    if DELTA_EXTENSION not in (spark.conf.get("spark.sql.extensions", "") or ""):
        raise SetupError(
            "this Spark session has no Delta Lake: start through ./spark-submit.sh, or add "
            "--properties-file conf/spark-local.conf and --jars build/jars/*.jar (comma-separated)"
        )
    if spark.conf.get("spark.sql.session.timeZone") != "UTC":
        raise SetupError("spark.sql.session.timeZone must be UTC: use a conf/spark-*.conf file")
    if quiet:
        spark.sparkContext.setLogLevel("FATAL")
    return spark


def read_properties(path: Path) -> dict[str, str]:
    """Key and value of each line of a Spark properties file, comments aside."""
    pairs = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text and not text.startswith("#"):
            key, _, value = text.partition(" ")
            pairs[key] = value.strip()
    return pairs
