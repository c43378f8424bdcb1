"""What every contestant shares: its steps with their cost, and its end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from jobs.core.errors import GlasshouseError
from jobs.core.progress import Progress, Step
from jobs.proof.bench.processes import cpu_seconds
from jobs.proof.bench.task import Result, Task, hold_to_cores


class CostedProgress(Progress):
    """Notes the CPU time of each step beside its seconds, in `cpu`."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu: list[float] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time the block as one step."""
        before = cpu_seconds(os.getpid())
        with super().step(name) as step:
            yield step
        self.cpu.append(cpu_seconds(os.getpid()).since(before).total)

    @property
    def steps(self) -> list[tuple[str, float, float]]:
        """Name, seconds and CPU seconds of each step, in order."""
        timings = zip(self.timings, self.cpu, strict=True)
        return [(step.name, step.seconds, cpu) for step, cpu in timings]


def run_contestant(
    contestants: Mapping[str, Callable[[Task], Result]], arguments: Sequence[str]
) -> int:
    """Run one contestant on two cores; returns the exit code.

    Parameters
    ----------
    contestants
        All of them by name.
    arguments
        Its name, its task as JSON, and the file for its result.
    """
    name, task, target = arguments
    hold_to_cores()
    try:
        result = contestants[name](Task(**json.loads(task)))
    except GlasshouseError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    Path(target).write_text(json.dumps(asdict(result)), encoding="utf-8")
    return 0
