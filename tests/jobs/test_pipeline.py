"""The whole path at tiny scale: it ends well, and doing it again changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.core.catalog import SQL_ROOT, all_tables
from jobs.core.queries import parameters
from jobs.core.tables import Warehouse
from tests.jobs.commands import Pipeline, command, hashes

MINUTES = 60


def test_pipeline_says_what_it_did_and_where(tiny: Pipeline) -> None:
    assert "DAU / WAU / MAU" in tiny.run.stdout
    assert "PR-AUC" in tiny.run.stdout
    assert str(tiny.warehouse / "report") in tiny.run.stdout
    for chart in ("active_users", "retention_heatmap", "funnel", "revenue", "pr_curve"):
        for suffix in (".png", ".csv"):
            assert (tiny.warehouse / "report" / f"{chart}{suffix}").stat().st_size > 0


def test_every_stored_table_exists_and_every_step_has_its_line(tiny: Pipeline) -> None:
    stored = {name for name, table in all_tables().items() if not table.is_view}
    found = {path.parent.name for path in tiny.warehouse.glob("*/*/_delta_log")}
    assert found == stored
    (record,) = (tiny.warehouse / "runs").glob("*-pipeline-*.json")
    manifest = json.loads(record.read_text(encoding="utf-8"))
    assert manifest["exit_code"] == 0
    for step in manifest["steps"]:
        assert step["name"] in tiny.run.stderr


def test_progress_counts_the_steps_there_are(tiny: Pipeline) -> None:
    from jobs.core.building import build_steps
    from jobs.pipeline import OTHER_STEPS
    from jobs.reporting.pack import CHARTS

    (record,) = (tiny.warehouse / "runs").glob("*-pipeline-*.json")
    steps = json.loads(record.read_text(encoding="utf-8"))["steps"]
    assert len(steps) == OTHER_STEPS + build_steps() + len(CHARTS)


@pytest.mark.timeout(6 * MINUTES)
def test_again_by_day_or_in_pieces_the_tables_are_the_same(tiny: Pipeline, tmp_path: Path) -> None:
    first = hashes(tiny.warehouse)
    again = command("pipeline", "--scale", "tiny", "--warehouse", tiny.warehouse)
    assert again.returncode == 0, again.stderr
    day = command("build", "--date", "2024-02-10", "--warehouse", tiny.warehouse)
    assert day.returncode == 0, day.stderr
    assert hashes(tiny.warehouse) == first
    pieces = tmp_path / "pieces"
    for arguments in (
        ["--from", "2024-02-20", "--master", "local[1]"],
        ["--from", "2024-01-01", "--to", "2024-01-02"],
        [],
    ):
        made = command("generate", "--scale", "tiny", "--warehouse", pieces, *arguments)
        assert made.returncode == 0, made.stderr
    later = hashes(pieces)
    same = ("bronze_users", "bronze_events", "bronze_orders", "truth_users")
    assert {name: later[name] for name in same} == {name: first[name] for name in same}


def test_another_shop_does_not_mix_into_a_warehouse(tiny: Pipeline) -> None:
    run = command("generate", "--scale", "tiny", "--seed", "7", "--warehouse", tiny.warehouse)
    assert run.returncode == 2
    assert "choose another --warehouse" in run.stderr


def test_a_day_outside_the_log_is_refused(tiny: Pipeline) -> None:
    for job in ("build", "score"):
        run = command(job, "--date", "2030-01-01", "--warehouse", tiny.warehouse)
        assert run.returncode == 2, run.stderr
        assert "2024-01-01 to 2024-03-10" in run.stderr


SHELL = sorted((SQL_ROOT / "shell").glob("*.sql"))


@pytest.mark.parametrize("path", SHELL, ids=[path.stem for path in SHELL])
def test_questions_of_the_readme_have_answers(
    spark: SparkSession, tiny: Pipeline, path: Path
) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"-f sql/shell/{path.name}" in text
    assert parameters(text) == []
    Warehouse(tiny.warehouse, spark, "test").register()
    rows = spark.sql(text).collect()
    assert rows
    # A question answered by NULLs throughout would be no answer.
    assert all(any(row[name] is not None for row in rows) for name in rows[0].asDict())


def test_the_shell_answers_on_stdout_alone(tiny: Pipeline) -> None:
    query = "SELECT MAX(metric_date) AS newest FROM active_users_daily"
    run = command("sql", "--warehouse", tiny.warehouse, "-e", query)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["newest", "2024-03-10"]
