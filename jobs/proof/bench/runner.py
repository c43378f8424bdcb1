"""Runs a contestant as a fresh process and reads what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.core.config import PROJECT_ROOT
from jobs.core.errors import SetupError
from jobs.core.progress import Progress
from jobs.proof.bench.processes import PeakMemory
from jobs.proof.bench.task import CORES, Result, Task


@dataclass(frozen=True)
class Measured:
    """What a contestant did, and the most memory that its processes held at once, in bytes."""

    result: Result
    peak_memory: int


class Runner:
    """Runs contestants, one at a time.

    Parameters
    ----------
    module : str
        Where the contestants are: `python -m module NAME TASK RESULT` runs one.
    folder : Path
        An existing folder, for what they print and their results.
    progress : Progress
    """

    def __init__(self, module: str, folder: Path, progress: Progress) -> None:
        self._module = module
        self._folder = folder
        self._progress = progress

    def run(self, name: str, task: Task, label: str) -> Measured:
        """Run one contestant to its end.

        Raises
        ------
        SetupError
            It did not finish; the message has its last line.
        """
        target, log = self._folder / "result.json", self._folder / f"{name}.log"
        command = [sys.executable, "-m", self._module, name, json.dumps(asdict(task)), str(target)]
        with self._progress.step(label) as step, log.open("w") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                cwd=PROJECT_ROOT,
                env=contestant_environment(),
            )
            try:
                with PeakMemory(process.pid) as peak:
                    code = process.wait()
            finally:
                process.terminate()
                process.wait()
            if code:
                raise SetupError(f"{name} did not finish: {_last_line(log)}")
            result = Result(**json.loads(target.read_text(encoding="utf-8")))
            step.rows = result.rows
        return Measured(result, peak.bytes)


def best(runs: Sequence[Measured]) -> Measured:
    """The fastest run, with the highest memory of all of them."""
    fastest = min(runs, key=lambda run: run.result.seconds)
    return replace(fastest, peak_memory=max(run.peak_memory for run in runs))


def contestant_environment() -> dict[str, str]:
    """The launcher's environment with two cores for Spark, unless it was given a --master."""
    environment = dict(os.environ)
    options = environment.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    # An option that is given twice counts as it stands last.
    environment["PYSPARK_SUBMIT_ARGS"] = f"--master local[{CORES}] {options}"
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        environment.pop(name, None)
    # A contestant has the machine to itself, where threads that spin are the fastest; see jobs.
    environment["OMP_WAIT_POLICY"] = "active"
    return environment


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
