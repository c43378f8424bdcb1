"""The Spark SQL shell: which tables it knows, and what it prints."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.core.catalog import all_tables
from jobs.core.config import load_config
from jobs.core.errors import StorageError, UsageError
from jobs.core.shell import (
    EVERY_DAY,
    chosen_days,
    quoted,
    registrations,
    shell_params,
    stored_tables,
    views,
)
from tests.jobs.commands import FAST_START
from tests.sql.harness import frame

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {
    "tz": "UTC",
    "earliest_date": "1990-01-01",
    "max_clock_ahead_hours": 24,
    "event_types": ("view",),
} | EVERY_DAY


def test_only_known_tables_with_a_commit_are_registered(tmp_path: Path) -> None:
    for table in ("gold/revenue_daily", "gold/strange", "silver/dim_users"):
        (tmp_path / table / "_delta_log").mkdir(parents=True)
        (tmp_path / table / "_delta_log" / "00000000000000000000.json").touch()
    (tmp_path / "silver/sessions/_delta_log").mkdir(parents=True)  # its first commit is under way
    assert set(stored_tables(tmp_path)) == {"revenue_daily", "dim_users"}


def test_an_empty_warehouse_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\./spark-submit\.sh pipeline"):
        stored_tables(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StorageError, match="is a file"):
        stored_tables(tmp_path / "notes.txt")


def test_a_view_follows_the_views_it_reads_and_is_left_out_where_a_table_is_missing() -> None:
    stored = {name: Path("/w") / name for name in ("bronze_users", "known_users", "bronze_orders")}
    statements = registrations(stored, PARAMS)
    assert [s.split()[2] for s in statements[:3]] == list(stored)
    assert [s.split()[3] for s in statements[3:]] == ["users_checked", "orders_checked"]


def test_views_over_what_is_stored_can_be_asked(spark: SparkSession) -> None:
    params = load_config().metrics.parameters() | EVERY_DAY
    day = date(2024, 1, 1)
    user = {"signup_date": day, "country": "DE", "channel": "seo"}
    users = [user | {"user_id": n, "last_active_date": date(2024, 1, 1 + n)} for n in (0, 1)]
    cell = {"cohort_unit": "day", "cohort_date": day, "period_unit": "day", "period": 1}
    cell |= {"country": "all", "channel": "all"}
    cell |= {"cohort_size": 2, "retained": 0, "is_complete": True}
    stored = {"dim_users": users, "retention_cohorts": [cell]}
    for name, rows in stored.items():
        frame(spark, all_tables()[name].schema, rows).createOrReplaceTempView(name)
    for name, query in views(set(stored), params):
        spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS\n{query}")
    later = spark.sql("SELECT retained FROM retention_on_or_after").collect()
    curve = spark.sql("SELECT cohorts, eligible_users FROM retention_curves").collect()
    assert [tuple(row) for row in later + curve] == [(1,), (1, 2)]


@pytest.mark.parametrize(
    "options",
    [
        ["-d", "from_date=2024-01-05", "-e", "SELECT 1"],
        ["--define", "from_date=2024-01-05"],
        ["--hivevar=from_date=2024-01-05"],
    ],
    ids=" ".join,
)
def test_views_show_the_days_given_to_the_shell(options: list[str]) -> None:
    assert chosen_days(options) == EVERY_DAY | {"from_date": date(2024, 1, 5)}


def test_a_shell_without_options_shows_every_day() -> None:
    assert chosen_days([]) == EVERY_DAY


def test_views_have_the_settings_of_the_file_given(tmp_path: Path) -> None:
    overlay = tmp_path / "own.yaml"
    overlay.write_text("metrics:\n  tz: Europe/Berlin\n", encoding="utf-8")
    assert shell_params(tmp_path, overlay, [])["tz"] == "Europe/Berlin"
    assert shell_params(tmp_path, None, [])["tz"] == "UTC"


def test_a_day_that_would_break_out_of_its_quotes_is_refused() -> None:
    with pytest.raises(UsageError, match="from_date"):
        chosen_days(["-d", "from_date=2024-01-01' OR '1'='1"])


def test_quoted_text_cannot_end_the_string_or_the_statement() -> None:
    assert quoted(r"a'b\c;${d}") == r"'a\'b\\c\u003B\u0024{d}'"


def test_stdout_is_the_result_alone_whatever_the_path(spark: SparkSession, tmp_path: Path) -> None:
    root = tmp_path / "ware house's 100%"
    rows = spark.createDataFrame([(date(2024, 1, day), day) for day in (1, 2, 3)], "d DATE, n INT")
    rows.coalesce(1).write.format("delta").save(str(root / "gold" / "revenue_daily"))
    query = "SELECT * FROM revenue_daily WHERE d > DATE '${after}' ORDER BY d"
    run = subprocess.run(
        [ROOT / "spark-submit.sh", "sql", "--warehouse", root, "--master", "local[1]"]
        + ["-d", "after=2024-01-01", "-e", query],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "JDK_JAVA_OPTIONS": FAST_START},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == "d\tn\n2024-01-02\t2\n2024-01-03\t3\n"
    assert [path.name for path in tmp_path.iterdir()] == [root.name]
