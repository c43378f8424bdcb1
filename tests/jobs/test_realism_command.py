"""`verify --realism` as its user sees it: the shop of conf/base.yaml looks like real ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from jobs.proof.realism_targets import read_targets
from tests.jobs.commands import command


@pytest.mark.slow
def test_the_configured_shop_passes_and_a_shop_without_missions_does_not(tmp_path: Path) -> None:
    run = command("verify", "--realism", "--warehouse", tmp_path / "any")
    assert run.returncode == 0, run.stderr
    for target in read_targets().figures:
        assert target.label in run.stdout
    assert "FAIL" not in run.stdout
    stored = pd.read_csv(tmp_path / "any" / "report" / "realism.csv")
    assert set(stored["verdict"]) <= {"ok", "known miss"}
    assert (tmp_path / "any" / "report" / "realism.png").exists()
    overlay = tmp_path / "other.yaml"
    overlay.write_text("shop: {behaviour: {starts_in_mission: 0.0, mission_start: 0.0}}")
    other = command("verify", "--realism", "--conf-file", overlay, "--warehouse", tmp_path / "b")
    assert other.returncode == 3
    assert "first failure" in other.stderr.splitlines()[-1]
