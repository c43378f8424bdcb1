"""Measure `generate` beside others that write the same columns, all in one run of one machine.

Every contestant is a fresh process, held to two cores, that works in a folder of its own; what it
costs is read from /proc while it runs.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.core.config import load_config
from jobs.core.errors import StorageError
from jobs.core.progress import Progress
from jobs.proof.bench.request import Rules
from jobs.proof.bench.runner import Measured, Runner, best
from jobs.proof.bench.task import Result, Task, users_for

# The cost of random rows is linear in their number: above this, the rate measured last stands.
PEER_MOST_ROWS = 10_000_000
# Our tables, their copy and, up to the size above, the random rows; with room to spare.
_DISK_BYTES_PER_ROW = 60


@dataclass(frozen=True)
class Comparison:
    """All contestants at one size.

    Attributes
    ----------
    events : int
        Asked for; the shop makes about so many.
    users, days : int
        The shop that makes them.
    ours, peer, limit : Measured
    """

    events: int
    users: int
    days: int
    ours: Measured
    peer: Measured
    limit: Measured


class Bench:
    """Runs contestants.

    Parameters
    ----------
    rules : Rules
    folder : Path
        An existing folder; everything in it is left to the caller to remove.
    progress : Progress
    """

    def __init__(self, rules: Rules, folder: Path, progress: Progress) -> None:
        self._rules = rules
        self._config = load_config(rules.conf_file)
        self._folder = folder
        self._runner = Runner("jobs.proof.bench.generate.contestants", folder, progress)
        self._last_peer: Measured | None = None

    def compare(self, events: int) -> Comparison:
        """Measure all contestants at one size.

        Raises
        ------
        StorageError
            The disk is too small.
        SetupError
            A contestant did not finish.
        """
        self._require_disk(events)
        users = users_for(self._config, events, self._rules.days)
        runs: dict[str, list[Measured]] = {"ours": [], "limit": [], "dbldatagen": []}
        for _ in range(self._rules.rounds):
            for name, done in runs.items():
                made = runs["ours"][-1].result.rows if runs["ours"] else 0
                if name != "dbldatagen":
                    done.append(self._run(name, users, made))
                elif self._last_peer is None or events <= PEER_MOST_ROWS:
                    done.append(self._run(name, users, min(made, PEER_MOST_ROWS)))
            shutil.rmtree(self._folder / "work")
        fastest = {name: best(done) for name, done in runs.items() if done}
        self._last_peer = fastest.get("dbldatagen", self._last_peer)
        assert self._last_peer is not None
        return Comparison(
            events=events,
            users=users,
            days=self._rules.days,
            ours=fastest["ours"],
            peer=at_size(self._last_peer, fastest["ours"].result.rows),
            limit=fastest["limit"],
        )

    def profile(self, events: int) -> Result:
        """Time the stages of one worker on a shop of about so many events."""
        return self._run("profile", users_for(self._config, events, self._rules.days), 0).result

    def _run(self, name: str, users: int, rows: int) -> Measured:
        work = self._folder / "work"
        work.mkdir(exist_ok=True)
        # The first small table is in the way of the next contestant's.
        shutil.rmtree(work / "warm", ignore_errors=True)
        label = f"{name} {rows:,} rows" if rows else f"{name} {users:,} users"
        return self._runner.run(name, self._task(str(work), users, rows), label)

    def _task(self, folder: str, users: int, rows: int) -> Task:
        rules = self._rules
        conf_file = str(rules.conf_file.resolve()) if rules.conf_file else None
        return Task(folder, users, rules.days, rows, conf_file, rules.is_dirty)

    def _require_disk(self, events: int) -> None:
        free = shutil.disk_usage(self._folder).free
        needed = events * _DISK_BYTES_PER_ROW
        if free < needed:
            raise StorageError(
                f"{events:,} events need about {needed / 1e9:.1f} GB beside {self._folder}, "
                f"{free / 1e9:.1f} GB are free: fewer --events, or another --warehouse"
            )


def at_size(peer: Measured, rows: int) -> Measured:
    """Put a result to another size at the same rate, and say so; its own size stays as it is."""
    measured = peer.result.rows
    # The shop is somewhat larger than asked for where the sample of its users was off.
    if measured > 0.9 * rows:
        return peer
    scale = rows / measured
    result = replace(
        peer.result,
        rows=rows,
        bytes=round(peer.result.bytes * scale),
        seconds=peer.result.seconds * scale,
        driver_cpu=peer.result.driver_cpu * scale,
        jvm_cpu=peer.result.jvm_cpu * scale,
        worker_cpu=peer.result.worker_cpu * scale,
        notes=[*peer.result.notes, f"not run at this size: the rate of {measured:,} rows"],
    )
    return replace(peer, result=result)
