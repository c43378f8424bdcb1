"""Tables and settings belong together: a build brings them together, nothing else mixes them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from jobs.core.building.changes import require_settings_of_build
from jobs.core.building.flow import build
from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.proof import verify
from jobs.propensity.score_flow import score
from jobs.propensity.train_flow import train
from tests.build.logs import Lakehouse, random_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

    from jobs.core.entry import Run


def built(root: Path, sail: SparkSession) -> Lakehouse:
    lakehouse = Lakehouse(root, sail)
    lakehouse.load("history", random_log(0))
    lakehouse.build()
    return lakehouse


@pytest.mark.parametrize(("version", "others"), [("other/{}", "queries"), ("{}/other", "settings")])
def test_other_queries_or_settings_ask_for_a_full_build(
    tmp_path: Path,
    sail: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    others: str,
) -> None:
    lakehouse = built(tmp_path, sail)
    queries, _, settings = lakehouse.warehouse.rows("build_log")[0]["code_version"].partition("/")
    other = version.format(settings if others == "queries" else queries)
    monkeypatch.setattr("jobs.core.building.changes.code_version", lambda metrics: other)
    assert lakehouse.build().full == f"{others} are not those of the last build"


def test_tables_are_not_read_with_other_settings_than_they_were_built_with(
    tmp_path: Path, sail: SparkSession
) -> None:
    lakehouse = built(tmp_path / "warehouse", sail)
    run = lakehouse.run()
    require_settings_of_build(run)
    overlay = tmp_path / "other.yaml"
    overlay.write_text("metrics: {session_gap_minutes: 10}", encoding="utf-8")
    others = dataclasses.replace(run, config=load_config(overlay))
    readers: list[Callable[[Run], object]] = [verify.gather, train, score]
    for read in readers:
        with pytest.raises(UsageError, match="built with other settings .*other.yaml") as refusal:
            read(others)
        assert "\n" not in str(refusal.value)
    build(others)
    require_settings_of_build(others)
    with pytest.raises(UsageError, match="base.yaml: give the --conf-file"):
        require_settings_of_build(run)
