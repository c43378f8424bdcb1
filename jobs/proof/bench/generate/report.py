"""What `bench` prints: one table per size, the ratios against their targets, and the profile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jobs.proof.bench.generate.day import EARLY, LATE, DayCost
from jobs.proof.bench.generate.flow import Comparison, Measured
from jobs.proof.bench.task import CORES, Result

# Targets; a machine that is busy otherwise may miss them, so they are told and not enforced.
TIMES_PEER = 5.0
SHARE_OF_LIMIT = 0.35
MEMORY_GROWTH = 1.5
DAY_COST_TOLERANCE = 0.2

_NAME_WIDTH = 24
_HEADINGS = ("rows", "start s", "seconds", "rows/s", "rows/core-s", "bytes/row", "peak MB")


def render(comparisons: Sequence[Comparison], profile: Result) -> str:
    """Lay out everything that was measured.

    Parameters
    ----------
    comparisons
        In order of size.
    profile
        Stages of one worker.
    """
    blocks = [_LEGEND, *(_render_comparison(comparison) for comparison in comparisons)]
    for smaller, larger in pairwise(comparisons):
        growth = larger.ours.peak_memory / smaller.ours.peak_memory
        label = f"peak memory at {larger.events:,} : {smaller.events:,}"
        blocks.append(_against(label, f"{growth:.2f} x", MEMORY_GROWTH, "at most", growth))
    return "\n\n".join([*blocks, _render_profile(profile)])


def render_day_cost(cost: DayCost) -> str:
    """Lay out the cost of a late day beside that of an early one."""
    lines = [_row("one more day, no growth", ("signed up", "rows", "CPU us/row, each run"))]
    for age in (EARLY, LATE):
        runs = " ".join(f"{value:.2f}" for value in cost.microseconds[age])
        lines.append(_row(f"day {age}", (f"{cost.users[age]:,}", f"{cost.rows[age]:,}", runs)))
    pairs = " ".join(f"{ratio:.2f}" for ratio in cost.ratios)
    met = abs(cost.ratio - 1) <= DAY_COST_TOLERANCE
    lines.append(
        f"day {LATE} : day {EARLY}  {cost.ratio:.2f} x, median of {pairs}; target within "
        f"{DAY_COST_TOLERANCE:.0%}: {_verdict(met)}"
    )
    return "\n".join(lines)


def events_alone(ours: Result) -> tuple[float, float]:
    """Seconds and CPU seconds of our steps that make events; the others make users and truth."""
    steps = [step for step in ours.steps if "events" in step[0] or "orders" in step[0]]
    return sum(step[1] for step in steps), sum(step[2] for step in steps)


_LEGEND = f"""\
Each contestant is a fresh process on {CORES} cores. rows: events. start: Spark, a first small
Delta write and compiling (once per installation), or reading in; not part of the rates.
rows/core-s: per second of CPU time, of all processes. peak: memory of all processes at once
(proportional set size), start included.
ours: users, truth, events, orders and their records, with all behaviour, to Delta.
dbldatagen: the columns of the events as random numbers, to Delta, with the same session settings.
limit: DuckDB writes our very events to one Parquet file; nothing is made and nothing committed.
Compared like with like, "its events and orders" stands against the others, which make no users
and no truth; targets are held against it."""


def _render_comparison(comparison: Comparison) -> str:
    ours, peer, limit = comparison.ours, comparison.peer, comparison.limit
    head = f"{comparison.events:,} events: {comparison.users:,} users, {comparison.days} days"
    made = ours.result.rows
    alone, alone_cpu = events_alone(ours.result)
    lines = [
        _row(head, ()),
        _row("", _HEADINGS),
        _measured_row("ours", ours),
        _row(
            "  its events and orders",
            ("", "", f"{alone:,.1f}", _rate(made, alone), _rate(made, alone_cpu)),
        ),
        _measured_row("dbldatagen", peer),
        _measured_row("limit (DuckDB COPY)", limit),
    ]
    for name, measured in (("ours", ours), ("dbldatagen", peer), ("limit", limit)):
        lines += [f"  {name}: {note}" for note in measured.result.notes]
    lines += [
        f"  ours, {name}: {seconds:.1f} s, {cpu:.1f} s of CPU time"
        for name, seconds, cpu in ours.result.steps
    ]
    whole, whole_cpu = made / ours.result.seconds, made / ours.result.cpu
    parts, parts_cpu = made / alone, made / alone_cpu
    peer_rate = peer.result.rows / peer.result.seconds
    limit_rate = limit.result.rows / limit.result.seconds
    peer_cpu = peer.result.rows / peer.result.cpu
    lines += [
        _against(
            "ours : dbldatagen, rows/s",
            f"{whole / peer_rate:.1f} x whole, {parts / peer_rate:.1f} x its events and orders",
            TIMES_PEER,
            "at least",
            parts / peer_rate,
        ),
        f"{'ours : dbldatagen, rows/core-s':<34} {whole_cpu / peer_cpu:.1f} x whole, "
        f"{parts_cpu / peer_cpu:.1f} x its events and orders",
        _against(
            "ours : limit, rows/s",
            f"{whole / limit_rate:.0%} whole, {parts / limit_rate:.0%} its events and orders",
            SHARE_OF_LIMIT,
            "at least",
            parts / limit_rate,
        ),
    ]
    return "\n".join(lines)


def _measured_row(name: str, measured: Measured) -> str:
    result = measured.result
    return _row(
        name,
        (
            f"{result.rows:,}",
            f"{result.start_seconds:,.1f}",
            f"{result.seconds:,.1f}",
            _rate(result.rows, result.seconds),
            _rate(result.rows, result.cpu),
            f"{result.bytes / result.rows:.1f}" if result.rows else "-",
            f"{measured.peak_memory / 1e6:,.0f}",
        ),
    )


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f}" if seconds > 0 else "-"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<{_NAME_WIDTH}}" + "".join(f" {cell:>11}" for cell in cells)


def _against(label: str, found: str, target: float, word: str, value: float) -> str:
    met = value >= target if word == "at least" else value <= target
    return f"{label:<34} {found}; target {word} {target:g}: {_verdict(met)}"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _render_profile(profile: Result) -> str:
    total = sum(seconds for _, seconds, _ in profile.steps) or 1.0
    lines = [f"One worker, {profile.rows:,} events: where its time goes"]
    lines += [
        f"  {name:<40} {seconds:>7.2f} s {seconds / total:>6.0%}"
        for name, seconds, _ in profile.steps
    ]
    return "\n".join([*lines, *(f"  {note}" for note in profile.notes)])
