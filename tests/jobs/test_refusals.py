"""Bad input: one line, the right exit code, nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.commands import ROOT, command, only_line

REFUSED = [
    (["generate", "--scale", "huge"], "no scale is named 'huge'"),
    (["generate", "--users", "-5"], "whole number above zero"),
    (["generate", "--from", "1999-01-01"], "the shop opens on"),
    (["build", "--date", "2024-13-01"], "not a day of the calendar"),
    (["build", "--date", "2024-01-01/../x"], "not a day of the calendar"),
    (["build", "--from", "2024-02-01", "--to", "2024-02-01"], "--to must be later"),
    (["score", "--colour", "red"], "unrecognized arguments"),
    (["score", "--target", "churn_7d"], "no target churn_7d in the settings"),
    (["train", "--target", "purchase"], "no target purchase in the settings"),
    (["train", "--reproduce", "x", "--challenger"], "--reproduce takes neither"),
    (["train", "--reproduce", ""], "--reproduce takes the version of a model"),
    (["registry", "promote"], "registry: promote takes the version of a model"),
    (["registry", "rollback"], "registry: rollback takes a target"),
    (["registry", "list", "churn_14d"], "registry: list takes no 'churn_14d'"),
    (["ingest", "--orders", "no-such-file.csv"], "no-such-file.csv"),
]
REFUSED_BY_BENCH = [
    ("model --events 5", "--events is not an option of bench model"),
    ("metrics --seeds 5", "--seeds is not an option of bench metrics"),
    ("model --seeds 5 --ablation 5", "give one of --seeds and --ablation"),
    ("model --seeds x", "--seeds x: whole numbers"),
    ("model --seeds 5 --days 60", "--days: the default shops have days"),
]


@pytest.mark.parametrize(("arguments", "complaint"), REFUSED, ids=[" ".join(r[0]) for r in REFUSED])
def test_refused_before_anything_starts(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    warehouse = tmp_path / "warehouse"
    key = "0123456789abcdef0123456789abcdef"
    run = command(*arguments, "--warehouse", warehouse, GLASSHOUSE_HMAC_KEY=key)
    assert run.returncode == 2
    assert complaint in only_line(run)
    assert run.stdout == ""
    assert not warehouse.exists()


@pytest.mark.parametrize(("arguments", "complaint"), REFUSED_BY_BENCH)
def test_refused_by_bench_before_anything_starts(
    tmp_path: Path, arguments: str, complaint: str
) -> None:
    # Not through the launcher: it would first install what bench compares with, into the very
    # environment that the tests beside this one run in.
    warehouse = tmp_path / "warehouse"
    run = subprocess.run(
        [sys.executable, "-m", "jobs.bench", *arguments.split(), "--warehouse", warehouse],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 2
    assert complaint in only_line(run)
    assert run.stdout == ""
    assert not warehouse.exists()


def test_a_shop_too_short_for_the_model_is_refused_before_it_is_made(tmp_path: Path) -> None:
    run = command("pipeline", "--days", "20", "--warehouse", tmp_path / "warehouse")
    assert run.returncode == 3
    assert "too few snapshot dates" in only_line(run)
    assert not (tmp_path / "warehouse").exists()


def test_an_empty_warehouse_says_what_to_run_first(tmp_path: Path) -> None:
    run = command("build", "--warehouse", tmp_path / "warehouse")
    assert run.returncode == 3
    assert "run generate or ingest first" in only_line(run)
    assert not (tmp_path / "warehouse").exists()
