"""Run a command as its user does, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Small data is all start-up: the first compiler alone halves it.
FAST_START = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
HASH_LINE = re.compile(r"^(\w+) +([\d,]+)  ([0-9a-f]{32})$", re.MULTILINE)


@dataclass(frozen=True)
class Pipeline:
    """A warehouse and the finished run that filled it."""

    warehouse: Path
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


def hashes(warehouse: Path) -> dict[str, str]:
    """Content hash of each table, as `verify` prints it."""
    run = command("verify", "--warehouse", warehouse)
    assert run.returncode == 0, run.stderr
    found = {name: digest for name, _, digest in HASH_LINE.findall(run.stdout)}
    assert found
    return found


# What the JVM itself says at every start, before any of our code runs.
JVM_NOISE = ("WARNING: Using incubator modules",)


def only_line(run: subprocess.CompletedProcess[str]) -> str:
    """The one line a refused run prints, step lines of the start aside."""
    lines = [
        line for line in run.stderr.splitlines() if not line.startswith(("start Spark", *JVM_NOISE))
    ]
    assert len(lines) == 1, run.stderr
    return lines[0]
