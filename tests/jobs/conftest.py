"""One tiny shop, made by the command its users type, for all tests of the jobs."""

from __future__ import annotations

import pytest

from tests.jobs.commands import Pipeline, command


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    warehouse = tmp_path_factory.mktemp("jobs") / "tiny shop"
    run = command("pipeline", "--scale", "tiny", "--warehouse", warehouse)
    assert run.returncode == 0, run.stderr
    return Pipeline(warehouse, run)
