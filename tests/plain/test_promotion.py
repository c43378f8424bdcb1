"""Promotion asks for passed gates, and the way back goes one model at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.core.errors import ContractError, UsageError
from jobs.propensity.promotion import failed_gates, promote, rollback
from jobs.propensity.registry import CHALLENGER, CHAMPION, Registry

PASSED = {"name": "ROC-AUC", "figure": 0.7, "limit": 0.55, "passed": True}
FAILED = {"name": "PR-AUC", "figure": 0.1, "limit": 0.2, "passed": False}


class Rows(Registry):
    """A registry in memory; what it decides is that of the stored one."""

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []

    def rows(self, target: str | None = None) -> list[dict[str, Any]]:
        return [row for row in self.stored if target in (None, row["target"])]

    def append(self, row: dict[str, Any], alias: str, reason: str) -> dict[str, Any]:
        number = {"registration": len(self.stored) + 1, "created_at": "now"}
        self.stored.append(row | {"alias": alias, "reason": reason} | number)
        return self.stored[-1]

    def train(
        self, version: str, alias: str = CHAMPION, slope: float = 1.0, reason: str = "trained"
    ) -> None:
        """Register a model; of the target that its name begins with."""
        row = {
            "model_version": version,
            "target": version.split("-")[0],
            "gates": json.dumps([PASSED, FAILED] if version.endswith("bad") else [PASSED]),
            "calibration_slope": slope,
            "calibration_intercept": 0.0,
        }
        self.append(row, alias, reason)

    def serves(self, target: str = "purchase_7d") -> tuple[str, float]:
        found = self.serving(target)
        return found["model_version"].split("-")[1], found["calibration_slope"]


@pytest.fixture
def registry() -> Rows:
    return Rows()


def test_a_challenger_that_passed_its_gates_is_promoted(registry: Rows) -> None:
    registry.train("purchase_7d-a")
    registry.train("churn_14d-x")
    registry.train("purchase_7d-b", CHALLENGER)
    assert registry.serves() == ("a", 1.0)
    done = promote(registry, "purchase_7d-b")
    assert (done["reason"], done["alias"], done["registration"]) == ("promoted", CHAMPION, 4)
    assert registry.serves() == ("b", 1.0)
    assert registry.serves("churn_14d") == ("x", 1.0)


def test_a_model_that_failed_a_gate_is_not_promoted(registry: Rows) -> None:
    registry.train("purchase_7d-a")
    registry.train("purchase_7d-bad", CHALLENGER)
    with pytest.raises(ContractError, match=r"-bad is not promoted: PR-AUC: 0.1000, limit 0.2$"):
        promote(registry, "purchase_7d-bad")
    assert registry.serves() == ("a", 1.0)
    assert failed_gates(registry.stored[0]) == ()


def test_who_is_unknown_or_serves_already_is_refused(registry: Rows) -> None:
    registry.train("purchase_7d-a")
    with pytest.raises(UsageError, match="no model purchase_7d-z is registered; registry list"):
        promote(registry, "purchase_7d-z")
    with pytest.raises(UsageError, match="purchase_7d-a serves already"):
        promote(registry, "purchase_7d-a")
    assert len(registry.stored) == 1


def test_a_model_that_served_before_may_be_promoted_again(registry: Rows) -> None:
    for name in "ab":
        registry.train(f"purchase_7d-{name}")
    promote(registry, "purchase_7d-a")
    assert registry.serves() == ("a", 1.0)


def test_going_back_twice_goes_back_two_models(registry: Rows) -> None:
    for name in "abc":
        registry.train(f"purchase_7d-{name}")
    registry.train("purchase_7d-d", CHALLENGER)  # never served: not on the way back
    registry.train("churn_14d-x")
    assert rollback(registry, "purchase_7d")["reason"] == "rolled back"
    assert registry.serves() == ("b", 1.0)
    rollback(registry, "purchase_7d")
    assert registry.serves() == ("a", 1.0)
    with pytest.raises(UsageError, match="no model but purchase_7d-a ever served"):
        rollback(registry, "purchase_7d")
    assert registry.serves("churn_14d") == ("x", 1.0)


def test_after_going_back_a_new_model_may_go_back_too(registry: Rows) -> None:
    registry.train("purchase_7d-a")
    registry.train("purchase_7d-b")
    rollback(registry, "purchase_7d")
    registry.train("purchase_7d-c")
    rollback(registry, "purchase_7d")
    assert registry.serves() == ("a", 1.0), "b was found wanting once: it is not gone back to"


def test_a_recalibration_is_gone_back_from_first(registry: Rows) -> None:
    registry.train("purchase_7d-a")
    registry.train("purchase_7d-b")
    registry.train("purchase_7d-b", slope=0.8, reason="recalibrated")
    assert registry.serves() == ("b", 0.8)
    rollback(registry, "purchase_7d")
    assert registry.serves() == ("b", 1.0)
    rollback(registry, "purchase_7d")
    assert registry.serves() == ("a", 1.0)


def test_files_that_were_made_again_are_gone_back_to(registry: Rows) -> None:
    """The same model registered twice in a row is one step, and its later files are the whole."""
    registry.train("purchase_7d-a")
    registry.stored[-1]["model_sha256"] = "damaged"
    registry.train("purchase_7d-a")
    registry.stored[-1]["model_sha256"] = "whole"
    registry.train("purchase_7d-b")
    assert rollback(registry, "purchase_7d")["model_sha256"] == "whole"


def test_where_nothing_serves_there_is_nothing_to_go_back_from(registry: Rows) -> None:
    registry.train("purchase_7d-a", CHALLENGER)
    with pytest.raises(UsageError, match="no model serves purchase_7d"):
        rollback(registry, "purchase_7d")
