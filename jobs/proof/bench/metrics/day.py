"""The cost of building one more day, after a month of history as after two years.

A build that looked at all of the past for every day would slow down with every day. The shop does
not grow, so that a day has the same rows whenever it comes.
"""

from __future__ import annotations

import shutil
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from jobs.core.config import Config
from jobs.core.progress import Progress
from jobs.core.session import ENGINES
from jobs.proof.bench.metrics.flow import MODULE, require_disk
from jobs.proof.bench.request import Rules
from jobs.proof.bench.runner import Runner
from jobs.proof.bench.task import Result, Task, users_for

AGES = (30, 180, 720)
TURNS = 3


@dataclass
class DayCost:
    """What one more day costs, by engine and days of history, one figure per turn.

    Attributes
    ----------
    rows : dict of int to list of int
        Events of the days added, by days of history.
    seconds, cpu : dict of (str, int) to list of float
        Wall-clock and CPU time of a build of one day in a fresh process, its start aside.
    steps : dict of (str, int) to list of (str, float, float)
        Steps of the last turn: name, seconds, CPU seconds.
    """

    rows: dict[int, list[int]] = field(default_factory=dict)
    seconds: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    cpu: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    steps: dict[tuple[str, int], list[tuple[str, float, float]]] = field(default_factory=dict)

    def add(self, engine: str, age: int, result: Result) -> None:
        """Take down a turn."""
        self.seconds.setdefault((engine, age), []).append(result.seconds)
        self.cpu.setdefault((engine, age), []).append(result.cpu)
        self.steps[engine, age] = list(result.steps)

    def ratios(self, engine: str, age: int) -> list[float]:
        """Seconds over those after the shortest history, turn by turn."""
        pairs = zip(self.seconds[engine, age], self.seconds[engine, AGES[0]], strict=True)
        return [late / early for late, early in pairs]

    def ratio(self, engine: str, age: int) -> float:
        """Median of the turns."""
        return statistics.median(self.ratios(engine, age))


def day_cost(
    config: Config, rules: Rules, folder: Path, progress: Progress, events_per_day: int
) -> DayCost:
    """Add day after day to shops of several ages, in turns, and build them.

    Parameters
    ----------
    config : Config
    rules : Rules
        Only its settings and its dirt count.
    folder : Path
        An existing folder; everything in it is the caller's to remove.
    progress : Progress
    events_per_day : int
        About so many has every day.

    Raises
    ------
    StorageError
        The disk is too small.
    SetupError
        A contestant did not finish.
    """
    require_disk(folder, events_per_day * sum(AGES))
    runner, cost = Runner(MODULE, folder, progress), DayCost()
    added = TURNS * len(ENGINES)
    tasks = {}
    for age in AGES:
        users = users_for(config, events_per_day * (age + added), age + added, is_steady=True)
        tasks[age] = task = _task(rules, folder / f"{age}", users, age + added, (0, age))
        runner.run("log", task, f"log of {age} days")
        # Whoever builds it first, the tables are the same; this one is quicker.
        runner.run("sail", task, f"build of {age} days")
    for turn in range(added):
        engine = ENGINES[turn % len(ENGINES)]
        for age, task in tasks.items():
            days = (age + turn, age + turn + 1)
            task = _task(rules, Path(task.folder), task.users, task.days, days)
            made = runner.run("log", task, f"day {days[1]}").result
            cost.rows.setdefault(age, []).append(made.rows)
            built = runner.run(engine, task, f"build day {days[1]} on {engine}")
            cost.add(engine, age, built.result)
    for task in tasks.values():
        shutil.rmtree(task.folder)
    return cost


def _task(rules: Rules, folder: Path, users: int, days: int, loaded: tuple[int, int]) -> Task:
    conf_file = str(rules.conf_file.resolve()) if rules.conf_file else None
    return Task(str(folder), users, days, 0, conf_file, rules.is_dirty, True, loaded)
