"""One tiny shop, made by the command its users type, for all tests of the jobs."""

from __future__ import annotations

import pytest

from tests.jobs.commands import Pipeline, command

# A tree costs the same few Spark jobs however small the shop; a slow test takes all there are.
FEW_TREES = """propensity:
  resamples: 20
  purchase: {boosting: {max_trees: 8}}
  churn: {boosting: {max_trees: 8}}
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("jobs")
    warehouse, conf = folder / "tiny shop", folder / "few trees.yaml"
    conf.write_text(FEW_TREES, encoding="utf-8")
    run = command("pipeline", "--scale", "tiny", "--warehouse", warehouse, "--conf-file", conf)
    assert run.returncode == 0, run.stderr
    return Pipeline(warehouse, conf, run)
