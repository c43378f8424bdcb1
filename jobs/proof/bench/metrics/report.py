"""What `bench metrics` prints: contestants and tables by size, and the cost of one more day."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jobs.core.session import ENGINES
from jobs.proof.bench.metrics.contestants import ABSENT
from jobs.proof.bench.metrics.day import AGES, DayCost
from jobs.proof.bench.metrics.flow import Comparison
from jobs.proof.bench.task import CORES

# Targets; a machine that is busy otherwise may miss them, so they are told and not enforced.
TIMES_DUCKDB = {"spark": 3.0, "sail": 1.5}
DAY_COST = 1.3

_LEGEND = f"""\
Each contestant is a fresh process on {CORES} cores, over the same log. start: until it is ready,
not part of the seconds. peak: memory of all processes at once (proportional set size).
duckdb: the same queries in DuckDB's words, each table written to one Parquet file with the same
compression. It commits nothing and keeps no record of what it built, both of which ours do.
: duckdb leaves out {", ".join(sorted(ABSENT))}, whose sketches DuckDB does not have."""
_HEADINGS = ("start s", "seconds", "CPU s", "rows/s", "MB written", "peak MB", ": duckdb")


def render(comparisons: Sequence[Comparison]) -> str:
    """Lay out everything that was measured, in order of size."""
    blocks = [_LEGEND, *(_render_comparison(comparison) for comparison in comparisons)]
    for smaller, larger in pairwise(comparisons):
        blocks.append(_render_growth(smaller, larger))
    return "\n\n".join(blocks)


def render_day_cost(cost: DayCost) -> str:
    """Lay out the cost of one more day by engine and days of history."""
    lines = [
        "One more day on top of a history that does not grow; each build is a fresh process, its "
        "start aside"
    ]
    for age in AGES:
        lines.append(f"after {age} days: {_each(cost.rows[age], ',.0f')} events added")
    for engine in ENGINES:
        lines += ["", _row(engine, ("seconds", "CPU s", f": {AGES[0]} days", "each turn"))]
        for age in AGES:
            ratio, turns = cost.ratio(engine, age), _each(cost.seconds[engine, age], ".1f")
            cpu = min(cost.cpu[engine, age])
            fastest = min(cost.seconds[engine, age])
            cells = (f"{fastest:,.1f}", f"{cpu:,.1f}", f"{ratio:.2f}", turns)
            lines.append(_row(f"  after {age} days", cells))
        ratio = cost.ratio(engine, AGES[-1])
        lines.append(f"  {ratio:.2f} x; target at most {DAY_COST:g}: {_verdict(ratio <= DAY_COST)}")
        lines += _dearer_steps(cost, engine)
    return "\n".join(lines)


def _render_comparison(comparison: Comparison) -> str:
    rows = comparison.runs["duckdb"].result.rows
    lines = [
        f"{comparison.events:,} events: {rows:,} rows of bronze_events, {comparison.days} days",
        _row("", _HEADINGS),
    ]
    for name, measured in comparison.runs.items():
        result = measured.result
        cells = (
            f"{result.start_seconds:,.1f}",
            f"{result.seconds:,.1f}",
            f"{result.cpu:,.1f}",
            f"{result.rows / result.seconds:,.0f}",
            f"{result.bytes / 1e6:,.0f}",
            f"{measured.peak_memory / 1e6:,.0f}",
            "1.0" if name == "duckdb" else f"{comparison.ratio(name):.1f}",
        )
        lines.append(_row(name, cells))
    for engine, target in TIMES_DUCKDB.items():
        ratio = comparison.ratio(engine)
        told = f"{ratio:.1f} x; target at most {target:g}: {_verdict(ratio <= target)}"
        lines.append(f"{engine} : duckdb  {told}")
    if comparison.differences is not None:
        found = comparison.differences
        told = "all tables equal, row by row" if not found.rows else "; ".join(found.notes)
        lines.append(f"spark, sail and duckdb: {told}")
    return "\n".join([*lines, "", *_tables(comparison)])


def _tables(comparison: Comparison) -> list[str]:
    """Seconds by table and contestant, the dearest first."""
    seconds = {name: comparison.seconds_by_table(name) for name in comparison.runs}
    tables = sorted(
        set().union(*seconds.values()), key=lambda table: -seconds["spark"].get(table, 0.0)
    )
    lines = [_row("seconds by table", tuple(seconds))]
    for table in tables:
        cells = (f"{found[table]:.2f}" if table in found else "-" for found in seconds.values())
        lines.append(_row(f"  {table}", tuple(cells)))
    rest = (
        f"{measured.result.seconds - sum(seconds[name].values()):.2f}"
        for name, measured in comparison.runs.items()
    )
    return [*lines, _row("  between them", tuple(rest))]


def _render_growth(smaller: Comparison, larger: Comparison) -> str:
    rows = larger.runs["duckdb"].result.rows / smaller.runs["duckdb"].result.rows
    lines = [f"{rows:.1f} x the rows ({larger.events:,} : {smaller.events:,} events)"]
    for name, late in larger.runs.items():
        early = smaller.runs[name]
        seconds = late.result.seconds / early.result.seconds
        memory = late.peak_memory / early.peak_memory
        lines.append(f"  {name:<8} {seconds:5.1f} x the seconds, {memory:5.1f} x the memory")
    return "\n".join(lines)


def _dearer_steps(cost: DayCost, engine: str) -> list[str]:
    """Where the last turn after the longest history took longer than after the shortest."""
    early = {name: seconds for name, seconds, _ in cost.steps[engine, AGES[0]]}
    late = {name: seconds for name, seconds, _ in cost.steps[engine, AGES[-1]]}
    more = {name: seconds - early.get(name, 0.0) for name, seconds in late.items()}
    dearest = sorted(more, key=lambda name: -more[name])[:5]
    return [f"  {name:<40} {early.get(name, 0.0):.1f} -> {late[name]:.1f} s" for name in dearest]


def _each(values: Sequence[float], form: str) -> str:
    return " ".join(f"{value:{form}}" for value in values)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}" + "".join(f" {cell:>10}" for cell in cells)


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
