"""What bench measures with: processes, sizes, the cost of a day, and the page it prints."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.core.config import load_config
from jobs.core.errors import SetupError, StorageError, UsageError
from jobs.core.progress import Progress
from jobs.proof.bench import processes, runner
from jobs.proof.bench.generate import day, flow, report
from jobs.proof.bench.generate.flow import Comparison
from jobs.proof.bench.request import Rules, parse_sizes, scratch_folder
from jobs.proof.bench.runner import Measured
from jobs.proof.bench.task import Result, bench_world, users_for
from jobs.shop.events import generate_rectangle

RULES = Rules(conf_file=None, days=30, rounds=1, is_dirty=False)

# A parent that starts a child, which uses CPU time and memory, and waits for it or for a line.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
print("started", flush=True)
if sys.argv[2] == "reap":
    child.wait()
    print("reaped", flush=True)
sys.stdin.readline()
child.kill()
child.wait()
"""
# A little more than the tests wait for: the kernel tells user and system time in whole ticks.
BURN = """
import time
end = time.process_time() + 0.6
while time.process_time() < end: pass
"""
HOLD = """
import sys
block = bytearray(100_000_000)
block[::4096] = b"x" * len(block[::4096])
sys.stdin.read()
"""


def parent_of(child: str, mode: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, child, mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)


def test_cpu_time_of_a_child_counts_also_once_it_has_ended() -> None:
    process = parent_of(BURN, "reap")
    assert process.stdout is not None
    assert process.stdout.readline() == "reaped\n"
    spent = processes.cpu_seconds(process.pid)
    assert 0.5 <= spent.total < 2.0
    assert spent.since(spent).total == 0
    end(process)


def test_cpu_time_of_a_running_child_is_the_workers() -> None:
    process = parent_of(BURN + "import sys\nsys.stdin.read()", "keep")
    deadline = time.monotonic() + 120
    while processes.cpu_seconds(process.pid).workers < 0.5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    spent = processes.cpu_seconds(process.pid)
    assert spent.driver < 0.4
    assert spent.jvm == 0
    end(process)


def test_memory_is_that_of_the_process_and_of_its_children() -> None:
    process = parent_of(HOLD, "keep")
    with processes.PeakMemory(process.pid) as peak:
        deadline = time.monotonic() + 30
        while peak.bytes < 100_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert peak.bytes < 200_000_000
    end(process)
    assert processes.memory_bytes(process.pid) == 0


def test_a_command_with_blanks_and_brackets_does_not_shift_the_fields(tmp_path: Path) -> None:
    odd = tmp_path / "a) b (c"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([odd, "30"])
    try:
        assert processes.memory_bytes(process.pid) > 0
        assert processes.cpu_seconds(process.pid).total < 1
    finally:
        process.kill()
        process.wait()


def test_sizes_are_read_and_refused() -> None:
    assert parse_sizes("10_000, 500,10000") == [500, 10_000]
    assert parse_sizes("") == []
    for text in ("1e6", "5,,6", "0", "-3", "²"):
        with pytest.raises(UsageError, match="--events"):
            parse_sizes(text)


def test_a_shop_of_the_size_found_makes_about_as_many_events() -> None:
    config = load_config()
    world = bench_world(config, users_for(config, 60_000, 30), 30)
    made = generate_rectangle(world, 0, world.user_count, world.first_date, world.until)
    assert len(made.events.event_id) == pytest.approx(60_000, rel=0.1)
    assert world.until.toordinal() - world.first_date.toordinal() == 30
    assert not world.is_dirty


def test_the_scratch_folder_goes_and_a_bad_place_is_one_line(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "new" / "place") as folder:
        (folder / "rows").write_text("x")
        assert folder.parent == tmp_path / "new" / "place"
    assert not folder.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--warehouse"), scratch_folder(tmp_path / "file"):
        pass


def test_a_full_disk_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress(stream=io.StringIO())
    bench = flow.Bench(RULES, tmp_path, progress)
    with pytest.raises(StorageError, match="are free"):
        bench.compare(10**13)
    assert not progress.timings


def test_a_contestant_that_fails_is_named_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the launcher's options Spark has no Delta.
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no java"))
    bench = flow.Bench(RULES, tmp_path, Progress(stream=io.StringIO()))
    with pytest.raises(SetupError, match="ours did not finish"):
        bench.compare(1000)


def test_a_steady_shop_has_days_of_one_size_and_the_cost_compares_rows_made() -> None:
    cost = day.day_cost(load_config(), Progress(stream=io.StringIO()), users=20_000)
    assert cost.users[day.EARLY] == pytest.approx(20_000 * 271 / 961, rel=0.02)
    assert cost.users[day.LATE] == pytest.approx(20_000, rel=0.02)
    # Nobody is active for ever, so a day's rows grow far slower than those who ever signed up.
    assert 1 < cost.rows[day.LATE] / cost.rows[day.EARLY] < 3
    assert [len(runs) for runs in cost.microseconds.values()] == [day.PAIRS] * 2
    assert all(value > 0 for runs in cost.microseconds.values() for value in runs)


def test_the_cost_of_a_day_is_the_median_of_pairs() -> None:
    runs = {day.EARLY: [1.0, 2.0, 4.0], day.LATE: [1.1, 2.6, 4.0]}
    cost = day.DayCost(users={30: 10, 720: 40}, rows={30: 5, 720: 9}, microseconds=runs)
    assert cost.ratio == pytest.approx(1.1)
    assert "1.10 x" in report.render_day_cost(cost)
    assert "met" in report.render_day_cost(cost)
    slow = {day.EARLY: [1.0], day.LATE: [1.3]}
    late = day.DayCost(users=cost.users, rows=cost.rows, microseconds=slow)
    assert "MISSED" in report.render_day_cost(late)


def measured(rows: int, seconds: float, cpu: float, memory: int, **more: object) -> Measured:
    result = Result(rows=rows, bytes=13 * rows, seconds=seconds, jvm_cpu=cpu, **more)  # type: ignore[arg-type]
    return Measured(result, memory)


def comparison(events: int, memory: int, limit_seconds: float = 1.0) -> Comparison:
    steps = [("generate users", 1.0, 2.0), ("generate events and orders", 4.0, 5.0)]
    return Comparison(
        events=events,
        users=100,
        days=180,
        ours=measured(events, 5.0, 8.0, memory, steps=steps),
        peer=measured(events, 40.0, 80.0, 10**9),
        limit=measured(events, limit_seconds, 2.0, 10**9, notes=["rows read into memory"]),
    )


def test_the_page_names_rates_ratios_and_targets() -> None:
    profile = Result(rows=10, steps=[("users", 1.0, 1.0), ("Parquet", 3.0, 3.0)])
    pages = [comparison(1_000_000, 10**9), comparison(10_000_000, 2 * 10**9, limit_seconds=2.5)]
    page = report.render(pages, profile)
    assert "8.0 x whole, 10.0 x its events and orders; target at least 5: met" in page
    assert "20% whole, 25% its events and orders; target at least 0.35: MISSED" in page
    assert "50% whole, 62% its events and orders; target at least 0.35: met" in page
    assert "ours : dbldatagen, rows/core-s     10.0 x whole, 16.0 x its events and orders" in page
    assert "2.00 x; target at most 1.5: MISSED" in page
    assert "limit: rows read into memory" in page
    assert [line.split()[-1] for line in page.splitlines()[-2:]] == ["25%", "75%"]


def test_a_rate_carried_to_a_larger_size_says_so() -> None:
    smaller = measured(10_000_000, 40.0, 80.0, 10**9)
    larger = flow.at_size(smaller, 100_000_000).result
    assert (larger.rows, larger.seconds, larger.cpu) == (100_000_000, 400.0, 800.0)
    assert larger.bytes == 13 * 100_000_000
    assert "not run at this size: the rate of 10,000,000 rows" in larger.notes
    assert flow.at_size(smaller, 10_090_000).result.notes == []


def test_the_launchers_master_wins_over_the_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[1] pyspark-shell")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    environment = runner.contestant_environment()
    # spark-submit takes the last of two.
    assert environment["PYSPARK_SUBMIT_ARGS"].split() == [
        "--master",
        "local[2]",
        "--master",
        "local[1]",
        "pyspark-shell",
    ]
    assert "PYSPARK_GATEWAY_PORT" not in environment
    assert os.environ["PYSPARK_GATEWAY_PORT"] == "1"
