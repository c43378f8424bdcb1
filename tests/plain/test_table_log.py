"""Small tables read without Spark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from jobs.core.table_log import read_rows

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = 8


def test_rows_come_as_they_stand_whatever_the_path(tmp_path: Path) -> None:
    folder = str(tmp_path / "a shop, 100 % ü#")
    for number in (1, 2):
        write_deltalake(folder, pa.table({"number": [number], "name": [None]}), mode="append")
    rows = sorted(read_rows(folder), key=lambda row: row["number"])
    assert rows == [{"number": 1, "name": None}, {"number": 2, "name": None}]


def test_a_process_that_ends_right_after_reading_ends_with_its_code(tmp_path: Path) -> None:
    folder = str(tmp_path / "table")
    write_deltalake(folder, pa.table({"number": [1]}))
    # One after the other: more than half of them aborted while Arrow's threads called a file
    # system in Python, but few of those that had to share the cores.
    program = "import sys; from jobs.core.table_log import read_rows; read_rows(sys.argv[1])"
    command = [sys.executable, "-c", f"{program}; sys.exit(2)", folder]
    ends = [subprocess.run(command, cwd=ROOT, check=False).returncode for _ in range(CHILDREN)]
    assert ends == [2] * CHILDREN
