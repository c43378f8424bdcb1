"""Measure `build` on both engines beside the same queries on DuckDB, over the same log."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.core.config import load_config
from jobs.core.errors import StorageError
from jobs.core.progress import Progress
from jobs.core.session import ENGINES
from jobs.proof.bench.metrics.contestants import ABSENT
from jobs.proof.bench.request import Rules
from jobs.proof.bench.runner import Measured, Runner, best
from jobs.proof.bench.task import Result, Task, users_for

MODULE = "jobs.proof.bench.metrics.contestants"
# The log, three sets of tables, and what DuckDB and Spark put aside meanwhile.
_DISK_BYTES_PER_ROW = 250


@dataclass(frozen=True)
class Comparison:
    """All contestants at one size.

    Attributes
    ----------
    events : int
        Asked for; the shop makes about so many.
    days : int
        Days of the log.
    runs : dict of str to Measured
        By contestant: duckdb, sail, spark.
    differences : Result or None
        What `compare` found; None where it was not asked.
    """

    events: int
    days: int
    runs: dict[str, Measured]
    differences: Result | None

    def seconds_by_table(self, name: str) -> dict[str, float]:
        """Seconds of a contestant by table."""
        steps = self.runs[name].result.steps
        return {step.removeprefix("build "): seconds for step, seconds, _ in steps}

    def ratio(self, name: str) -> float:
        """Seconds of an engine over those of DuckDB, less those of tables that DuckDB lacks."""
        absent = sum(
            seconds for table, seconds in self.seconds_by_table(name).items() if table in ABSENT
        )
        return (self.runs[name].result.seconds - absent) / self.runs["duckdb"].result.seconds


class MetricsBench:
    """Runs contestants.

    Parameters
    ----------
    rules : Rules
    folder : Path
        An existing folder; what is left in it is the caller's to remove.
    progress : Progress
    """

    def __init__(self, rules: Rules, folder: Path, progress: Progress) -> None:
        self._rules = rules
        self._config = load_config(rules.conf_file)
        self._folder = folder
        self._runner = Runner(MODULE, folder, progress)

    def compare(self, events: int, row_by_row: bool) -> Comparison:
        """Measure all contestants at one size.

        Parameters
        ----------
        row_by_row
            Compare the rows of all tables too.

        Raises
        ------
        StorageError
            The disk is too small.
        SetupError
            A contestant did not finish.
        """
        require_disk(self._folder, events)
        work = self._folder / "work"
        task = self._task(work, users_for(self._config, events, self._rules.days))
        self._runner.run("log", task, f"log of {events:,} events")
        names = ("duckdb", *reversed(ENGINES))
        runs: dict[str, list[Measured]] = {name: [] for name in names}
        for _ in range(self._rules.rounds):
            for name in names:
                shutil.rmtree(work / name, ignore_errors=True)
                runs[name].append(self._build(name, task))
        differences = None
        if row_by_row:
            differences = self._runner.run("compare", task, "the same rows?").result
        shutil.rmtree(work)
        fastest = {name: best(done) for name, done in runs.items()}
        return Comparison(events, self._rules.days, fastest, differences)

    def _build(self, name: str, task: Task) -> Measured:
        if name in ENGINES:
            own = Path(task.folder) / name
            # An engine adds files and changes none, so a copy of the log costs no space.
            shutil.copytree(task.warehouse, own / "warehouse", copy_function=os.link)
            task = self._task(own, task.users)
        return self._runner.run(name, task, name)

    def _task(self, folder: Path, users: int) -> Task:
        rules = self._rules
        conf_file = str(rules.conf_file.resolve()) if rules.conf_file else None
        return Task(str(folder), users, rules.days, 0, conf_file, rules.is_dirty)


def require_disk(folder: Path, events: int) -> None:
    """Refuse a disk that is too small for the tables.

    Raises
    ------
    StorageError
    """
    free, needed = shutil.disk_usage(folder).free, events * _DISK_BYTES_PER_ROW
    if free < needed:
        raise StorageError(
            f"{events:,} events need about {needed / 1e9:.1f} GB beside {folder}, "
            f"{free / 1e9:.1f} GB are free: fewer --events, or another --warehouse"
        )
