"""The registry as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.propensity.promotion import failed_gates
from jobs.propensity.registry import CHAMPION, single_figures

if TYPE_CHECKING:
    from jobs.core.tables import Warehouse

_HEAD = ("", "registration", "model", "what", "trees", "PR-AUC", "ROC-AUC", "log-loss", "gates")


def render_registry(rows: list[dict[str, Any]], warehouse: Warehouse) -> str:
    """One line per registration, the newest last; `*` marks who serves.

    Returns
    -------
    str
        Lines, or one that says that there is no model yet.
    """
    if not rows:
        return "no model is registered yet: run train"
    serving = {row["target"]: row["registration"] for row in rows if row["alias"] == CHAMPION}
    table = [_HEAD]
    metrics = warehouse.read("model_metrics")
    figures = {
        version: single_figures(metrics, version, "test")
        for version in dict.fromkeys(row["model_version"] for row in rows)
    }
    for row in rows:
        own = figures[row["model_version"]]
        failed = failed_gates(row)
        table.append(
            (
                "*" if serving.get(row["target"]) == row["registration"] else "",
                str(row["registration"]),
                row["model_version"],
                row["reason"],
                str(row["trees"]),
                *(f"{own[name]:.4f}" for name in ("average_precision", "roc_auc", "log_loss")),
                "; ".join(failed) or "passed",
            )
        )
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEAD) - 1)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        ).rstrip()
        for line in table
    )
