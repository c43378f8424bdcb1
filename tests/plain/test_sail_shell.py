"""The SQL shell on Sail: how it cuts statements, fills in values, prints, and refuses."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.errors import GlasshouseError, UsageError
from jobs.core.sail_shell import printed, run, statements, substituted
from tests.build.logs import Lakehouse, random_log

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "whole", "rest"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1"], " SELECT 2"),
        ("SELECT ';'; ", ["SELECT ';'"], " "),
        ("SELECT 'it''s; so' -- no; end\n;", ["SELECT 'it''s; so' -- no; end\n"], ""),
        (r"SELECT 'a\'; b';", [r"SELECT 'a\'; b'"], ""),
        ("/* one; */ SELECT 1;", ["/* one; */ SELECT 1"], ""),
        ("; -- nothing\n;", [], ""),
    ],
)
def test_statements_end_at_semicolons_that_are_no_text(
    text: str, whole: list[str], rest: str
) -> None:
    assert statements(text) == (whole, rest)


def test_a_name_without_a_value_is_refused_and_comments_have_no_names() -> None:
    sql = "SELECT ${a} -- as in ${b}"
    assert substituted(sql, {"a": "1"}).startswith("SELECT 1 ")
    with pytest.raises(UsageError, match="parameter a of the query has no value"):
        substituted(sql, {"b": "1"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (Decimal("1.50"), "1.50"),
        (dt.datetime(2024, 1, 2, 3, 4, 5, 600_000), "2024-01-02 03:04:05.6"),
        (dt.datetime(2024, 1, 2), "2024-01-02 00:00:00"),
        (dt.date(2024, 1, 2), "2024-01-02"),
    ],
)
def test_cells_look_as_in_the_shell_of_spark(value: Any, text: str) -> None:
    assert printed(value) == text


def test_results_are_a_header_and_rows_with_tabs(sail: SparkSession) -> None:
    out = io.StringIO()
    run(sail, "SELECT 1 AS a, 'x' AS b; SELECT ${n} AS c", {"n": "7"}, out)
    assert out.getvalue() == "a\tb\n1\tx\nc\n7\n"


def test_a_statement_that_fails_is_one_line(sail: SparkSession) -> None:
    with pytest.raises(GlasshouseError, match="no_such_table") as refusal:
        run(sail, "SELECT * FROM no_such_table", {}, io.StringIO())
    assert refusal.value.exit_code == 1


def shell(warehouse: Path, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.core.sail_shell", str(warehouse), *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_shell_knows_tables_and_views_and_answers_what_is_typed(
    tmp_path: Path, sail: SparkSession
) -> None:
    lakehouse = Lakehouse(tmp_path / "wäre house 50% #1", sail)
    lakehouse.load("all", random_log(0))
    lakehouse.build()
    root = lakehouse.root
    asked = "SELECT COUNT(*) AS n FROM segments WHERE country = 'all' AND channel = 'all'"
    once = shell(root, "-e", asked)
    assert (once.returncode, once.stdout) == (0, "n\n1\n")
    cohort = "country = 'all' AND channel = 'all' AND period_unit = 'day' AND period = 0"
    views = shell(
        root,
        "-e",
        f"SELECT COUNT(*) > 1 AS cells FROM retention_on_or_after WHERE {cohort};"
        f"SELECT COUNT(*) AS curves FROM retention_curves WHERE {cohort}",
    )
    assert (views.returncode, views.stdout) == (0, "cells\ntrue\ncurves\n1\n")
    typed = shell(root, typed=f"{asked};\nSELECT *\nFROM nowhere;\nSELECT 2 AS two;\nquit;\n")
    assert typed.returncode == 0
    assert "n\n1\n" in typed.stdout and "two\n2\n" in typed.stdout
    assert "nowhere" in typed.stderr
    days = shell(root, "-d", "from_date=2024-02-30", "-e", "SELECT 1")
    assert days.returncode == 2 and "from_date" in days.stderr
    (tmp_path / "berlin.yaml").write_text("metrics:\n  tz: Europe/Berlin\n", encoding="utf-8")
    other = shell(root, "--conf-file", str(tmp_path / "berlin.yaml"), "-e", "SELECT 1")
    assert other.returncode == 2
    assert "were built with other settings" in other.stderr and "berlin.yaml" in other.stderr
    (tmp_path / "own.yaml").write_text("metrics:\n  tz: UTC\n", encoding="utf-8")
    same = shell(root, "--conf-file", str(tmp_path / "own.yaml"), "-e", asked)
    assert (same.returncode, same.stdout) == (0, "n\n1\n")


def test_an_empty_warehouse_says_what_to_run(tmp_path: Path) -> None:
    answer = shell(tmp_path, "-e", "SELECT 1")
    assert answer.returncode == 2
    assert answer.stderr.strip() == (
        f"sql: no tables in {tmp_path}: make some with ./spark-submit.sh pipeline"
    )


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    answer = shell(tmp_path, "-f", "nofile.sql")
    assert answer.returncode == 2
    assert answer.stderr == "sql: -f nofile.sql cannot be read: No such file or directory\n"
