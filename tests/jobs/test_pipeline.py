"""The whole path at tiny scale: it ends well, and doing it again changes nothing."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from jobs.core.building import Days, build, build_steps
from jobs.core.catalog import SQL_ROOT, all_tables
from jobs.core.entry import Run
from jobs.core.errors import ContractError
from jobs.core.queries import parameters
from jobs.core.tables import Warehouse
from jobs.pipeline import OTHER_STEPS
from jobs.proof import verify
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import train
from jobs.reporting.pack import CHARTS
from jobs.shop.loading import Span, load_world
from jobs.shop.request import add_shop_arguments, requested_world
from jobs.shop.world import World
from jobs.verify import execute as execute_verify
from tests.jobs.commands import Pipeline, command, hashes, run_in


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
    (record,) = (tiny.warehouse / "runs").glob("*-pipeline-*.json")
    steps = json.loads(record.read_text(encoding="utf-8"))["steps"]
    assert len(steps) == OTHER_STEPS + build_steps() + len(CHARTS)


def test_doing_it_again_changes_nothing(spark: SparkSession, tiny: Pipeline) -> None:
    run = run_in(spark, tiny.warehouse)
    first = hashes(run)
    load_world(run, *asked(run))
    day = date(2024, 2, 10)
    build(run, Days(day, day + timedelta(days=1)))
    assert train(run).is_new is False
    score(run)
    assert hashes(run) == first


def test_a_shop_made_in_pieces_is_the_same_shop(
    spark: SparkSession, tiny: Pipeline, tmp_path: Path
) -> None:
    pieces = run_in(spark, tmp_path)
    for options in (
        ["--from", "2024-02-20"],
        ["--from", "2024-01-01", "--to", "2024-01-02"],
        ["--to", "2024-03-10"],
        [],
    ):
        load_world(pieces, *asked(pieces, *options))
    bronze = ("bronze_users", "bronze_events", "bronze_orders", "truth_users", "truth_daily")
    whole = hashes(run_in(spark, tiny.warehouse))
    made = hashes(pieces)
    assert {name: made[name] for name in bronze} == {name: whole[name] for name in bronze}


def asked(run: Run, *options: str) -> tuple[World, Span]:
    """The world and days that `generate --scale tiny` with these options asks for."""
    parser = argparse.ArgumentParser()
    add_shop_arguments(parser)
    return requested_world(parser.parse_args(["--scale", "tiny", *options]), run.config)


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


def test_verify_prints_evidence_and_a_hash_per_table(
    spark: SparkSession, tiny: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute_verify(run_in(spark, tiny.warehouse), argparse.Namespace(realism=False)) == 0
    printed = capsys.readouterr().out
    assert "bronze events = fact_events + quarantined, per day" in printed
    assert "FAIL" not in printed
    assert re.search(r"^fact_events +[\d,]+  [0-9a-f]{32}$", printed, re.MULTILINE)


def test_verify_finds_a_day_whose_revenue_was_changed(
    spark: SparkSession, tiny: Pipeline, tmp_path: Path
) -> None:
    run = run_in(spark, Path(shutil.copytree(tiny.warehouse, tmp_path / "copy")))
    gold = DeltaTable.forPath(spark, run.warehouse.path("revenue_daily"))
    gold.update("metric_date = DATE'2024-02-10'", {"revenue": "revenue + 0.01"})
    evidence = verify.Evidence(verify.reconcile(run, set(run.warehouse.register())), {})
    names = [finding.name for finding in evidence.failed]
    assert "revenue: fact_orders = revenue_daily, per day" in names
    with pytest.raises(ContractError, match="first failure"):
        verify.require(evidence)
