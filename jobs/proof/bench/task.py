"""What `bench` asks of a contestant, and what comes back."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from jobs.core.config import Config, load_config
from jobs.proof.bench.processes import cpu_seconds
from jobs.shop.events import generate_rectangle
from jobs.shop.ids import BLOCK_BITS
from jobs.shop.settings import ShopSettings, shop_of
from jobs.shop.world import World, build_world

CORES = 2
_SAMPLE_USERS = 20_000


@dataclass(frozen=True)
class Task:
    """What a contestant is asked to do; travels as JSON.

    Attributes
    ----------
    folder : str
        Where it may write.
    users, days : int
        Size of the shop.
    rows : int
        Events to make, for those who do not make them of users; 0 where not known yet.
    conf_file : str or None
        Settings that differ from conf/base.yaml.
    is_dirty : bool
        Whether the log has the faults of shop.dirt.
    is_steady : bool
        Whether the shop neither grows nor has seasons and incidents.
    loaded_days : (int, int) or None
        Which of the days are loaded, from the first on, counted from 0 to before the second; all
        where None.
    seed : int or None
        Another shop than that of the settings.
    target : str
        What a model is to foretell.
    rounds : int
        How often a model is fitted.
    """

    folder: str
    users: int
    days: int
    rows: int = 0
    conf_file: str | None = None
    is_dirty: bool = False
    is_steady: bool = False
    loaded_days: tuple[int, int] | None = None
    seed: int | None = None
    target: str = ""
    rounds: int = 1

    @property
    def config(self) -> Config:
        """The settings."""
        config = load_config(Path(self.conf_file) if self.conf_file else None)
        return config if self.seed is None else dataclasses.replace(config, seed=self.seed)

    @property
    def warehouse(self) -> Path:
        """Folder of the shop's tables."""
        return Path(self.folder) / "warehouse"


@dataclass
class Result:
    """What a contestant did, and at what cost; travels as JSON.

    Attributes
    ----------
    rows, bytes : int
        Events, and the size of their data files.
    start_seconds : float
        Until it was ready to begin: session, first small write, reading in.
    seconds : float
        Wall-clock time of the work.
    driver_cpu, jvm_cpu, worker_cpu : float
        CPU seconds of the work.
    steps : list of (name, seconds, CPU seconds)
        Parts of the work, in order.
    notes : list of str
        What a reader must know.
    figures : list of dict
        What was found, a row each, under names of the contestant's own.
    """

    rows: int = 0
    bytes: int = 0
    start_seconds: float = 0.0
    seconds: float = 0.0
    driver_cpu: float = 0.0
    jvm_cpu: float = 0.0
    worker_cpu: float = 0.0
    steps: list[tuple[str, float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return self.driver_cpu + self.jvm_cpu + self.worker_cpu


def bench_world(
    config: Config, users: int, days: int, is_dirty: bool = False, is_steady: bool = False
) -> World:
    """Lay out the shop that is measured: of the settings given, and all of its days."""
    settings = shop_of(config)
    if is_steady:
        settings = steady(settings)
    until = settings.first_date + timedelta(days=days)
    return build_world(settings, users, days, config.seed, until, is_dirty)


def users_for(config: Config, events: int, days: int, is_steady: bool = False) -> int:
    """How many users make about so many events in the days shown, from a sample of users.

    Users are alike in law and a shop's signups are proportional to its size, so events are
    proportional to users.
    """
    world = bench_world(config, _SAMPLE_USERS, days, is_steady=is_steady)
    block = 1 << BLOCK_BITS
    made = sum(
        len(
            generate_rectangle(
                world, start, min(start + block, world.user_count), world.first_date, world.until
            ).events.event_id
        )
        for start in range(0, world.user_count, block)
    )
    return max(1, round(events * _SAMPLE_USERS / max(1, made)))


def data_bytes(folder: Path) -> int:
    """Size of the data files in a folder, those below it included."""
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def hold_to_cores() -> None:
    """Keep this process, and all that it starts, on two cores, on a machine of any size."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))


@contextmanager
def measured(result: Result) -> Iterator[None]:
    """Fill in what the block costs, in this process and all that it started."""
    cpu, started = cpu_seconds(os.getpid()), time.monotonic()
    yield
    result.seconds = time.monotonic() - started
    spent = cpu_seconds(os.getpid()).since(cpu)
    result.driver_cpu, result.jvm_cpu, result.worker_cpu = spent.driver, spent.jvm, spent.workers


def steady(settings: ShopSettings) -> ShopSettings:
    """The same shop without growth, calendar and incidents, so that nothing but its age differs."""
    calendar = dataclasses.replace(
        settings.calendar, weekdays=(1.0,) * 7, season_amplitude=0.0, peaks=()
    )
    incidents = settings.incidents
    nothing: dict[str, Any] = {
        field.name: () if isinstance(getattr(incidents, field.name), tuple) else None
        for field in dataclasses.fields(incidents)
    }
    return dataclasses.replace(
        settings,
        growth_per_day=0.0,
        calendar=calendar,
        incidents=dataclasses.replace(incidents, **nothing),
    )
