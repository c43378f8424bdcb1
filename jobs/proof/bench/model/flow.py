"""Make synthetic shops and measure the models on them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.core.config import Scale, load_config
from jobs.core.progress import Progress
from jobs.proof.bench.request import Rules
from jobs.proof.bench.runner import Measured, Runner
from jobs.proof.bench.task import Task
from jobs.propensity.settings import settings_of

MODULE = "jobs.proof.bench.model.contestants"
SPEED_TARGET = "purchase_7d"
FITTED = ("gbt", "gbt_sampled", "xgboost")
# Rows of the training slice per user of a shop of 180 days, about.
_ROWS_PER_USER = 3.2


@dataclass(frozen=True)
class Speed:
    """All who fit at one size.

    Parameters
    ----------
    rows
        Of the training slice.
    runs
        By contestant.
    """

    rows: int
    runs: dict[str, Measured]

    def figure(self, name: str, key: str) -> Any:
        """Look up what a contestant found."""
        return self.runs[name].result.figures[0].get(key)


class ModelBench:
    """Runs contestants.

    Parameters
    ----------
    folder
        An existing folder; what is left in it is the caller's to remove.
    """

    def __init__(self, rules: Rules, folder: Path, progress: Progress) -> None:
        self._rules = rules
        self._config = load_config(rules.conf_file)
        self._folder = folder
        self._runner = Runner(MODULE, folder, progress)

    def speed(self, snapshots: int) -> Speed:
        """Fit on about so many rows."""
        users = round(snapshots / _ROWS_PER_USER)
        task = self._shop(users, self._rules.days, None, self._rules.is_dirty)
        task = replace(task, target=SPEED_TARGET, rounds=self._rules.rounds)
        rows = self._runner.run("slices", task, f"rows of {snapshots:,}").result.rows
        runs = {name: self._runner.run(name, task, f"{name}, {snapshots:,}") for name in FITTED}
        shutil.rmtree(task.folder)
        return Speed(rows, runs)

    def demands(self, seed: int) -> list[dict[str, Any]]:
        """Train on the default shop of a seed, and hold the models against what is asked."""
        task = self._default_shop(seed)
        found = self._runner.run("train", task, f"seed {seed}: train").result.figures
        shutil.rmtree(task.folder)
        return found

    def ablation(self, seed: int) -> dict[str, list[dict[str, Any]]]:
        """Fit models with one setting changed, on the default shop of a seed; by target."""
        task = self._default_shop(seed)
        found = {}
        for target in settings_of(self._config).targets:
            own = replace(task, target=target)
            found[target] = self._runner.run("ablation", own, f"ablation {target}").result.figures
        shutil.rmtree(task.folder)
        return found

    def _default_shop(self, seed: int) -> Task:
        scale: Scale = self._config.scales["default"]
        return self._shop(scale.users, scale.days, seed, scale.dirt)

    def _shop(self, users: int, days: int, seed: int | None, is_dirty: bool) -> Task:
        work = self._folder / "work"
        conf_file = str(self._rules.conf_file.resolve()) if self._rules.conf_file else None
        task = Task(str(work), users, days, 0, conf_file, is_dirty, seed=seed)
        name = f"{users:,} users" if seed is None else f"seed {seed}"
        self._runner.run("log", task, f"{name}: log")
        self._runner.run("build", task, f"{name}: tables")
        return task
