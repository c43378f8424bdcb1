"""Is everything there that a run needs? One finding per thing looked at, each with its remedy."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.core.config import PROJECT_ROOT
from jobs.core.tables import one_row

CONSTRAINTS = PROJECT_ROOT / "conf" / "constraints.txt"
JARS_LOCK = PROJECT_ROOT / "conf" / "jars.lock"
JARS = PROJECT_ROOT / "build" / "jars"
SET_UP_AGAIN = "delete .venv and run any command of ./spark-submit.sh"
FETCH_AGAIN = "delete build/jars and run any command of ./spark-submit.sh"
MINIMUM_PYTHON = (3, 11)
MINIMUM_JAVA = 17
# The default scale takes well under 1 GB; below this a run may stop half way.
MINIMUM_FREE_GB = 2


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, whether that will do, and the remedy."""

    name: str
    found: str
    is_ok: bool
    remedy: str


def check_python() -> Finding:
    """Look at the running interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", version, sys.version_info >= MINIMUM_PYTHON, "install Python 3.11+")


def check_packages(constraints: Path = CONSTRAINTS) -> Iterator[Finding]:
    """Compare what is installed with the pinned versions.

    A pinned package that is absent is no fault: those for tests come with the first test run.
    """
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", constraints.read_text("utf-8"), re.MULTILINE)
    installed = {_plain(d.metadata["Name"]): d.version for d in metadata.distributions()}
    for name in ("pyspark", "delta-spark"):
        wanted = {_plain(package): version for package, version in pinned}[_plain(name)]
        version = installed.get(_plain(name), "missing")
        yield Finding(name, version, version == wanted, f"needs {wanted}: {SET_UP_AGAIN}")
    others = [
        f"{package} {installed[_plain(package)]} (pinned {version})"
        for package, version in pinned
        if installed.get(_plain(package), version) != version
    ]
    found = "; ".join(others) or f"{len(pinned)} pinned, none differs"
    yield Finding("Python packages", found, not others, SET_UP_AGAIN)


def check_jars(lock: Path = JARS_LOCK, folder: Path = JARS) -> Iterator[Finding]:
    """Compare the sha256 of each jar with the lock file's."""
    for line in lock.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            _, name, revision, sha256 = line.split()
            path = folder / f"{name}-{revision}.jar"
            if not path.is_file():
                found, is_ok = "missing", False
            else:
                is_ok = hashlib.sha256(path.read_bytes()).hexdigest() == sha256
                found = "sha256 as locked" if is_ok else "sha256 differs from conf/jars.lock"
            yield Finding(path.name, found, is_ok, FETCH_AGAIN)


def check_warehouse(root: Path) -> Finding:
    """Look for write permission and room where the warehouse is or would be made."""
    name, remedy = "warehouse folder", f"choose another folder with --warehouse, or mend {root}"
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    if not place.is_dir():
        return Finding(name, f"{place} is a file", False, remedy)
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(name, f"{place}: {error.strerror}", False, remedy)
    found = f"{root}: writable, {free_gb:,.0f} GB free"
    return Finding(name, found, free_gb >= MINIMUM_FREE_GB, f"free {MINIMUM_FREE_GB} GB there")


def check_spark(spark: SparkSession) -> Iterator[Finding]:
    """Look at the versions and settings of a running session."""
    java = one_row(spark.sql("SELECT reflect('java.lang.System', 'getProperty', 'java.version')"))[
        0
    ]
    major = int(re.split(r"\D", java.removeprefix("1."))[0])
    yield Finding("Java", java, major >= MINIMUM_JAVA, "install Java 17 or 21, or set JAVA_HOME")
    library = metadata.version("pyspark")
    found = f"{spark.version} on {spark.sparkContext.master}"
    remedy = f"unset SPARK_HOME: pyspark {library} brings its own"
    yield Finding("Spark", found, spark.version == library, remedy)
    zone = spark.conf.get("spark.sql.session.timeZone") or "not set"
    yield Finding("time zone", zone, zone == "UTC", "start with --profile or a conf/spark-*.conf")
    workers = os.environ.get("PYSPARK_PYTHON", "not set")
    # The folders, not the files: all of a venv's names for Python lead to the one it was made from.
    same = Path(workers).parent.absolute() == Path(sys.executable).parent.absolute()
    yield Finding("Python of workers", workers, same, "set PYSPARK_PYTHON=.venv/bin/python")


def check_delta(spark: SparkSession, folder: Path | None = None) -> Finding:
    """Write and read a small Delta table in a folder that is removed afterwards."""
    rows = 10
    remedy = f"run `doctor --debug` for the whole message; if classes are missing, {FETCH_AGAIN}"
    with tempfile.TemporaryDirectory(prefix="glasshouse-doctor-", dir=folder) as scratch:
        path = str(Path(scratch) / "table")
        try:
            spark.range(rows).write.format("delta").save(path)
            read = spark.read.format("delta").load(path).count()
        except Exception as error:  # whatever goes wrong here is the finding
            return Finding("Delta table", str(error).splitlines()[0], False, remedy)
    return Finding("Delta table", f"{read} of {rows} rows read back", read == rows, remedy)


def examine(spark: SparkSession, root: Path) -> list[Finding]:
    """Look at everything.

    Parameters
    ----------
    spark
        A running session.
    root
        Folder of the warehouse; need not exist.
    """
    return [
        check_python(),
        *check_packages(),
        *check_jars(),
        *check_spark(spark),
        check_warehouse(root),
        check_delta(spark),
    ]


def render(findings: list[Finding]) -> str:
    """Format the findings as an aligned table, the remedy under each that will not do."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(
            f"{'ok' if finding.is_ok else 'FAIL':<4}  {finding.name:<{width}}  {finding.found}"
        )
        if not finding.is_ok:
            lines.append(f"{'':<{width + 8}}-> {finding.remedy}")
    return "\n".join(lines)


def _plain(name: str) -> str:
    # pip writes the same name as Delta_Spark, delta.spark or delta-spark.
    return re.sub(r"[-_.]+", "-", name).lower()
