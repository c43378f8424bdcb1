"""Run a command as its user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Finished run of ./spark-submit.sh with its output."""
    return subprocess.run(
        [ROOT / "spark-submit.sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        cwd=ROOT,
    )


def only_line(run: subprocess.CompletedProcess[str]) -> str:
    """The one line a refused run prints, step lines of the start aside."""
    lines = [line for line in run.stderr.splitlines() if not line.startswith("start Spark")]
    assert len(lines) == 1, run.stderr
    return lines[0]
