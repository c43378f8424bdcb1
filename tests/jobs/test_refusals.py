"""Bad input: one line, the right exit code, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.commands import command, only_line

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
    (["bench", "model", "--events", "5"], "--events is not an option of bench model"),
    (["bench", "metrics", "--seeds", "5"], "--seeds is not an option of bench metrics"),
    (["bench", "model", "--seeds", "5", "--ablation", "5"], "give one of --seeds and --ablation"),
    (["bench", "model", "--seeds", "x"], "--seeds x: whole numbers"),
    (["bench", "model", "--seeds", "5", "--days", "60"], "--days: the default shops have days"),
    (["train", "--reproduce", ""], "--reproduce takes the version of a model"),
    (["registry", "promote"], "registry promote takes the version of a model"),
    (["registry", "rollback"], "registry rollback takes a target"),
    (["registry", "list", "churn_14d"], "registry list takes no 'churn_14d'"),
    (["ingest", "--orders", "no-such-file.csv"], "no-such-file.csv"),
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
