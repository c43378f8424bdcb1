"""What a process and all that it started cost: CPU time and memory, read from /proc.

A job here is a Python driver, its JVM and the Python workers that the JVM forks, so a figure of
the driver alone would say little.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from jobs.core.errors import SetupError

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Reading the memory of a large JVM takes milliseconds that are the measured job's: a sample is
# followed by a pause of so many times its own length, and at least of the seconds below.
_PAUSE_PER_SAMPLE = 25
_SHORTEST_PAUSE = 0.1


@dataclass(frozen=True)
class CpuSeconds:
    """CPU time, user and system, by what spent it."""

    driver: float
    jvm: float
    workers: float

    @property
    def total(self) -> float:
        """Everything."""
        return self.driver + self.jvm + self.workers

    def since(self, earlier: CpuSeconds) -> CpuSeconds:
        """What was spent after `earlier` was read."""
        return CpuSeconds(
            self.driver - earlier.driver, self.jvm - earlier.jvm, self.workers - earlier.workers
        )


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    command: str
    ticks: int


def require_proc() -> None:
    """Refuse a system without Linux's /proc.

    Raises
    ------
    SetupError
    """
    if not (_PROC / "self" / "smaps_rollup").exists():
        raise SetupError("bench reads CPU time and memory from /proc, which only Linux has")


def cpu_seconds(root: int) -> CpuSeconds:
    """CPU time so far of a process and its descendants, the finished ones included.

    Parameters
    ----------
    root
        Process id of the driver.
    """
    spent = {"driver": 0, "jvm": 0, "workers": 0}
    for process in _tree(root):
        kind = "jvm" if process.command == "java" else "workers"
        spent["driver" if process.pid == root else kind] += process.ticks
    return CpuSeconds(**{kind: ticks / _TICKS_PER_SECOND for kind, ticks in spent.items()})


def memory_bytes(root: int) -> int:
    """Memory that a process and its descendants hold now.

    The proportional set size: a page that forked workers share counts once in all.
    """
    return sum(_proportional_bytes(process.pid) for process in _tree(root))


def available_bytes() -> int:
    """Memory of this machine that a new process may take without pushing others out."""
    for line in (_PROC / "meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


class PeakMemory:
    """Watches the memory of a process and its descendants while a block runs.

    Parameters
    ----------
    root
        Process id.
    """

    def __init__(self, root: int) -> None:
        self.bytes = 0
        self._root = root
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            started = time.monotonic()
            self.bytes = max(self.bytes, memory_bytes(self._root))
            taken = time.monotonic() - started
            self._done.wait(max(_SHORTEST_PAUSE, _PAUSE_PER_SAMPLE * taken))


def _tree(root: int) -> Iterator[_Process]:
    """The process and its descendants, as far as they still run."""
    children: dict[int, list[_Process]] = {}
    wanted = []
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        with _gone():
            process = _parse((folder / "stat").read_text(encoding="utf-8", errors="replace"))
            children.setdefault(process.parent, []).append(process)
            if process.pid == root:
                wanted.append(process)
    while wanted:
        process = wanted.pop()
        wanted += children.get(process.pid, [])
        yield process


def _parse(stat: str) -> _Process:
    """Read a line of /proc/PID/stat; see proc(5)."""
    pid, _, rest = stat.partition(" (")
    # The command may hold blanks and brackets itself; the last bracket ends it.
    command, _, numbers = rest.rpartition(") ")
    fields = numbers.split()
    # utime, stime, and those of the children it has waited for: whoever is gone counts there.
    return _Process(int(pid), int(fields[1]), command, sum(map(int, fields[11:15])))


def _proportional_bytes(pid: int) -> int:
    with _gone():
        text = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8")
        for line in text.splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@contextmanager
def _gone() -> Iterator[None]:
    """Pass over a process that ended while it was looked at, or that is another user's."""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        yield
