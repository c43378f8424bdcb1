"""The pages of `bench metrics`: who took how long beside whom, and what one more day costs."""

from __future__ import annotations

import pytest

from jobs.core.session import ENGINES
from jobs.proof.bench.metrics.contestants import ABSENT
from jobs.proof.bench.metrics.day import AGES, DayCost
from jobs.proof.bench.metrics.flow import Comparison
from jobs.proof.bench.metrics.report import render, render_day_cost
from jobs.proof.bench.runner import Measured
from jobs.proof.bench.task import Result

(SKETCHES,) = ABSENT


def comparison(events: int, duckdb: float, sail: float, spark: float, memory: int) -> Comparison:
    def ran(seconds: float, *extra: tuple[str, float, float]) -> Measured:
        steps = [("build fact_events", seconds / 2, seconds), *extra]
        whole = seconds + sum(seconds for _, seconds, _ in extra)
        result = Result(rows=events, bytes=3_000_000, seconds=whole, steps=steps, jvm_cpu=7.0)
        return Measured(result, memory * 10**6)

    sketches = (f"build {SKETCHES}", 4.0, 4.0)
    runs = {"duckdb": ran(duckdb), "sail": ran(sail, sketches), "spark": ran(spark, sketches)}
    return Comparison(events, 180, runs, Result(rows=0))


def test_what_duckdb_does_not_build_does_not_count_against_the_others() -> None:
    found = comparison(1_000, duckdb=10, sail=14, spark=31, memory=5)
    assert found.ratio("sail") == pytest.approx(1.4)
    page = render([found])
    assert "spark : duckdb  3.1 x; target at most 3: MISSED" in page
    assert "sail : duckdb  1.4 x; target at most 1.5: met" in page
    lines = {line.split()[0]: line.split()[1:] for line in page.splitlines() if line.strip()}
    assert lines[SKETCHES] == ["-", "4.00", "4.00"]
    assert lines["fact_events"] == ["5.00", "7.00", "15.50"]
    # Between the tables of DuckDB: 10 less 5.
    assert lines["between"] == ["them", "5.00", "7.00", "15.50"]


def test_tables_that_differ_are_told() -> None:
    found = comparison(1_000, 1, 1, 1, 1)
    assert "spark, sail and duckdb: all tables equal, row by row" in render([found])
    differing = Result(rows=2, notes=["sessions: 2 rows of spark", "kpi_daily: 1 row of sail"])
    page = render([Comparison(1_000, 180, found.runs, differing)])
    assert "sessions: 2 rows of spark; kpi_daily: 1 row of sail" in page
    assert "equal" not in page
    unasked = render([Comparison(1_000, 180, found.runs, None)])
    assert "spark, sail and duckdb" not in unasked


def test_growth_is_of_the_larger_size_over_the_one_before() -> None:
    page = render([comparison(1_000, 10, 10, 10, 5), comparison(4_000, 30, 56, 86, 20)])
    assert "4.0 x the rows (4,000 : 1,000 events)" in page
    growth = {line.split()[0]: line.split() for line in page.splitlines() if "x the memory" in line}
    assert growth["duckdb"][1:] == ["3.0", "x", "the", "seconds,", "4.0", "x", "the", "memory"]
    # With the sketches, whose seconds are part of theirs: 60 over 14.
    assert growth["sail"][1] == "4.3"


def costs(late: float) -> DayCost:
    cost = DayCost()
    for age in AGES:
        cost.rows[age] = [20_000, 20_100]
        for engine in ENGINES:
            for turn, factor in enumerate((1.0, 1.2, 1.1)):
                seconds = factor * (late if age == AGES[-1] else 10.0)
                steps = [("build sessions", seconds / 2, 0.0), (f"turn {turn}", 1.0, 0.0)]
                cost.add(engine, age, Result(seconds=seconds, jvm_cpu=5.0, steps=steps))
    return cost


def test_a_day_after_years_is_held_against_a_day_after_a_month_turn_by_turn() -> None:
    assert costs(12.0).ratios("spark", AGES[-1]) == pytest.approx([1.2, 1.2, 1.2])
    page = render_day_cost(costs(12.0))
    assert page.count("1.20 x; target at most 1.3: met") == len(ENGINES)
    assert f"after {AGES[0]} days: 20,000 20,100 events added" in page
    line = next(line for line in page.splitlines() if line.startswith(f"  after {AGES[-1]} days"))
    assert line.split()[3:] == ["12.0", "5.0", "1.20", "12.0", "14.4", "13.2"]
    # The last turn, 1.1 times 10 and 12 seconds, half of them for sessions.
    assert "5.5 -> 6.6 s" in page
    assert "1.40 x; target at most 1.3: MISSED" in render_day_cost(costs(14.0))
