"""Which model serves: promotion of a challenger, and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jobs.core.errors import ContractError, UsageError
from jobs.propensity.gates import Gate
from jobs.propensity.registry import CHAMPION

if TYPE_CHECKING:
    from jobs.propensity.registry import Registry


def promote(registry: Registry, model_version: str) -> dict[str, Any]:
    """Let a registered model serve its target from now on.

    Raises
    ------
    UsageError
        There is no such model, or it serves already.
    ContractError
        It failed a gate.
    """
    row = registry.latest(model_version)
    if row is None:
        raise UsageError(f"no model {model_version} is registered; registry list shows them all")
    champion = registry.champion(row["target"])
    if champion is not None and champion["model_version"] == model_version:
        raise UsageError(f"{model_version} serves already")
    failed = failed_gates(row)
    if failed:
        raise ContractError(f"{model_version} is not promoted: {'; '.join(failed)}")
    return registry.append(model_of(row), CHAMPION, "promoted")


def rollback(registry: Registry, target: str) -> dict[str, Any]:
    """Let the model serve that did before the one that does.

    Raises
    ------
    UsageError
        No other model ever served the target.
    """
    champions = [row for row in registry.rows(target) if row["alias"] == CHAMPION]
    if not champions:
        raise UsageError(f"no model serves {target}: there is nothing to roll back")
    before = _before(champions)
    if before is None:
        raise UsageError(
            f"no model but {champions[-1]['model_version']} ever served {target}: there is nothing "
            "to roll back to"
        )
    return registry.append(model_of(before), CHAMPION, "rolled back")


def failed_gates(row: dict[str, Any]) -> tuple[str, ...]:
    """The gates that a registration failed, in words."""
    stored = [Gate(**gate) for gate in json.loads(row["gates"])]
    return tuple(gate.told() for gate in stored if not gate.passed)


def model_of(row: dict[str, Any]) -> dict[str, Any]:
    """Give what a registration says of its model, without what it says of itself."""
    own = ("registration", "alias", "reason", "created_at")
    return {name: value for name, value in row.items() if name not in own}


def _before(champions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Who served before the last: going back twice goes back two models, not to and fro."""
    history: list[dict[str, Any]] = []
    for row in champions:
        if row["reason"] == "rolled back":
            while history and _identity(history[-1]) != _identity(row):
                history.pop()
        elif history and _identity(history[-1]) == _identity(row):
            history[-1] = row  # trained again since its files were damaged: these are whole
        else:
            history.append(row)
    return history[-2] if len(history) > 1 else None


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """A model and its calibration: recalibrated, it is another one to go back from."""
    return row["model_version"], row["calibration_slope"], row["calibration_intercept"]
