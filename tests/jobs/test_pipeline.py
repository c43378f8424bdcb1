"""The whole path at tiny scale: it ends well, and doing it again changes nothing."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

import jobs.build
import jobs.score
from jobs.core.building.days import Days
from jobs.core.building.flow import build, build_steps
from jobs.core.catalog import SQL_ROOT, all_tables
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.errors import ContractError, UsageError
from jobs.core.queries import parameters
from jobs.core.tables import Warehouse
from jobs.pipeline import OTHER_STEPS, TARGET_STEPS
from jobs.proof import verify
from jobs.proof.content_hash import Fingerprint
from jobs.proof.reconciliations import RECONCILIATIONS
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import train
from jobs.reporting.pack import CHARTS
from jobs.shop.loading import Span, load_world
from jobs.shop.request import add_shop_arguments, requested_world
from jobs.shop.world import World
from jobs.verify import execute as execute_verify
from tests.jobs.commands import Pipeline, command, run_in


def test_pipeline_says_what_it_did_and_where(tiny: Pipeline) -> None:
    assert "DAU / WAU / MAU" in tiny.run.stdout
    assert "PR-AUC" in tiny.run.stdout
    assert re.search(r"reconciliations and rules +\d+ of \d+ hold", tiny.run.stdout)
    assert str(tiny.warehouse / "report") in tiny.run.stdout
    for chart in ("active_users", "retention_heatmap", "funnel", "revenue", "pr_curve"):
        for suffix in (".png", ".csv"):
            assert (tiny.warehouse / "report" / f"{chart}{suffix}").stat().st_size > 0
    for target in ("purchase_7d", "churn_14d"):
        card = (tiny.warehouse / "report" / f"model_card_{target}.md").read_text(encoding="utf-8")
        assert card.startswith(f"# Model card: {target}-")
        for picture in re.findall(r"\]\((.+)\)", card):
            assert (tiny.warehouse / "report" / picture).exists()


def test_every_stored_table_exists_and_every_step_has_its_line(tiny: Pipeline) -> None:
    stored = {name for name, table in all_tables().items() if not table.is_view}
    found = {path.parent.name for path in tiny.warehouse.glob("*/*/_delta_log")}
    # Written by monitor, which needs scores of earlier days and is no step of the pipeline.
    assert found == stored - {"monitoring_daily"}
    (record,) = (tiny.warehouse / "runs").glob("*-pipeline-*.json")
    manifest = json.loads(record.read_text(encoding="utf-8"))
    assert manifest["exit_code"] == 0
    for step in manifest["steps"]:
        assert step["name"] in tiny.run.stderr


def test_progress_counts_the_steps_there_are(tiny: Pipeline) -> None:
    (record,) = (tiny.warehouse / "runs").glob("*-pipeline-*.json")
    steps = json.loads(record.read_text(encoding="utf-8"))["steps"]
    targets = len(load_config(tiny.conf).propensity["targets"])
    models = TARGET_STEPS * targets
    assert len(steps) == OTHER_STEPS + models + build_steps() + len(CHARTS)


LAST_DATE = date(2024, 1, 1) + timedelta(days=load_config().scales["tiny"].days - 1)
# What they hold is that another build took place.
BUILDS = ("build_log", "interval_ledger")


def content(sail: SparkSession, warehouse: Path) -> dict[str, Fingerprint]:
    """Content hash of each table: by Sail, which takes a tenth of the time."""
    run = run_in(sail, warehouse, engine="sail")
    return verify.content_hashes(run, run.warehouse.register())


def assert_same_content(hashes: dict[str, Fingerprint], first: dict[str, Fingerprint]) -> None:
    """The same tables with the same rows; but for the records of the builds themselves."""
    assert list(hashes) == list(first)
    for name in set(first) - set(BUILDS):
        assert hashes[name] == first[name], name


@pytest.fixture(scope="module")
def first(sail: SparkSession, tiny: Pipeline) -> dict[str, Fingerprint]:
    """Content of the tables as the command left them."""
    return content(sail, tiny.warehouse)


def test_doing_it_again_changes_nothing(
    spark: SparkSession, sail: SparkSession, tiny: Pipeline, first: dict[str, Fingerprint]
) -> None:
    run = run_in(spark, tiny.warehouse, tiny.conf)
    load_world(run, *asked(run))
    day = date(2024, 2, 10)
    build(run, Days(day, day + timedelta(days=1)))
    assert [one.is_new for one in train(run)] == [False, False]
    score(run)
    assert_same_content(content(sail, tiny.warehouse), first)


@pytest.mark.slow  # with fewer trees the commands above and tests/spark do the same
def test_as_many_trees_as_the_settings_say_train_and_score(
    spark: SparkSession, tiny: Pipeline, tmp_path: Path
) -> None:
    run = run_in(spark, Path(shutil.copytree(tiny.warehouse, tmp_path / "copy")))
    assert all(one.is_new for one in train(run))
    assert all(one.users > 100 for one in score(run))


def test_a_shop_made_in_pieces_is_the_same_shop(
    spark: SparkSession, sail: SparkSession, first: dict[str, Fingerprint], tmp_path: Path
) -> None:
    pieces = run_in(spark, tmp_path)
    for options in (
        ["--from", "2024-02-20"],
        ["--from", "2024-01-01", "--to", "2024-01-02"],
        ["--to", "2024-03-10"],
        [],
    ):
        load_world(pieces, *asked(pieces, *options))
    made = content(sail, tmp_path)
    assert set(made) >= {"bronze_users", "bronze_events", "bronze_orders", "truth_daily"}
    del made["bronze_batches"]
    assert made == {name: first[name] for name in made}


def asked(run: Run, *options: str) -> tuple[World, Span]:
    """The world and days that `generate --scale tiny` with these options asks for."""
    parser = argparse.ArgumentParser()
    add_shop_arguments(parser)
    return requested_world(parser.parse_args(["--scale", "tiny", *options]), run.config)


def test_another_shop_does_not_mix_into_a_warehouse(spark: SparkSession, tiny: Pipeline) -> None:
    run = run_in(spark, tiny.warehouse)
    with pytest.raises(UsageError, match="choose another --warehouse") as refused:
        load_world(run, *asked(run, "--seed", "7"))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("job", [jobs.build, jobs.score], ids=["build", "score"])
def test_a_day_outside_the_log_is_refused(
    spark: SparkSession, tiny: Pipeline, job: ModuleType
) -> None:
    parser = argparse.ArgumentParser()
    job.add_arguments(parser)
    args = parser.parse_args(["--date", "2030-01-01"])
    with pytest.raises(UsageError, match=f"2024-01-01 to {LAST_DATE}") as refused:
        job.execute(run_in(spark, tiny.warehouse), args)
    assert refused.value.exit_code == 2


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


@pytest.mark.slow  # tests/spark/test_shell.py asks the same of a table of its own
def test_the_shell_answers_on_stdout_alone(tiny: Pipeline) -> None:
    query = "SELECT MAX(metric_date) AS newest FROM active_users_daily"
    run = command("sql", "--warehouse", tiny.warehouse, "-e", query)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["newest", str(LAST_DATE)]


def test_verify_prints_evidence_and_a_hash_per_table(
    spark: SparkSession,
    tiny: Pipeline,
    first: dict[str, Fingerprint],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = run_in(spark, tiny.warehouse)
    # Rules and truth were gathered by the command, which would not have ended well otherwise.
    evidence = verify.Evidence(verify.reconcile(run, set(run.warehouse.register())), first)
    monkeypatch.setattr(verify, "gather", lambda _: evidence)
    assert execute_verify(run, argparse.Namespace(realism=False, engines=False)) == 0
    printed = capsys.readouterr().out
    assert "bronze events = fact_events + quarantined, per day" in printed
    assert "FAIL" not in printed
    assert re.search(r"^fact_events +[\d,]+  [0-9a-f]{32}$", printed, re.MULTILINE)


def test_verify_on_sail_looks_at_the_same_and_finds_nothing(
    sail: SparkSession, tiny: Pipeline, first: dict[str, Fingerprint]
) -> None:
    evidence = verify.gather(run_in(sail, tiny.warehouse, engine="sail"))
    assert [finding for finding in evidence.findings if not finding.passed] == []
    assert_same_content(evidence.hashes, first)
    assert re.search(
        rf" {len(evidence.findings)} of {len(evidence.findings)} hold", tiny.run.stdout
    )


def test_verify_finds_a_day_whose_revenue_was_changed(
    spark: SparkSession, tiny: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_revenue = tuple(rule for rule in RECONCILIATIONS if "revenue_daily" in rule.tables)
    monkeypatch.setattr(verify, "RECONCILIATIONS", of_revenue)
    run = run_in(spark, Path(shutil.copytree(tiny.warehouse, tmp_path / "copy")))
    gold = DeltaTable.forPath(spark, run.warehouse.path("revenue_daily"))
    gold.update("metric_date = DATE'2024-02-10'", {"revenue": "revenue + 0.01"})
    evidence = verify.Evidence(verify.reconcile(run, set(run.warehouse.register())), {})
    names = [finding.name for finding in evidence.failed]
    assert "revenue: fact_orders = revenue_daily, per day" in names
    with pytest.raises(ContractError, match="first failure"):
        verify.require(evidence)
