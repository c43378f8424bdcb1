"""The backtest as a page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.propensity.backtest import Origin, gains, pooled
from jobs.propensity.bootstrap import FIGURES
from jobs.propensity.scores import OURS
from jobs.propensity.targets import Target

if TYPE_CHECKING:
    from jobs.propensity.settings import PropensitySettings

_PRECISION, _ROC = FIGURES.index("average_precision"), FIGURES.index("roc_auc")


def render_backtest(found: dict[str, list[Origin]], settings: PropensitySettings) -> str:
    """Lay out PR-AUC by date and model, their mean and spread, and the differences over all."""
    blocks = []
    for name, origins in found.items():
        seed = settings.of(Target.parse(name)).boosting.seed
        blocks.append("\n".join(_target(name, origins, settings.resamples, seed)))
    return "\n\n".join(blocks)


def _target(name: str, origins: list[Origin], resamples: int, seed: int) -> list[str]:
    models = list(origins[0].probability)
    head = ("PR-AUC", "users", "positives", "trees", *models)
    lines = [f"{name}: models of past dates on what came after", _row(head)]
    by_date = {model: [origin.figures(model)[_PRECISION] for origin in origins] for model in models}
    for place, origin in enumerate(origins):
        cells = (f"{by_date[model][place]:.4f}" for model in models)
        sizes = (f"{len(origin.label):,}", f"{origin.label.sum():,.0f}", str(origin.trees))
        lines.append(_row((str(origin.as_of), *sizes, *cells)))
    for told, measure in (("mean", np.mean), ("sd", np.std)):
        cells = (f"{measure(by_date[model]):.4f}" for model in models)
        lines.append(_row((told, "", "", "", *cells)))
    everyone = pooled(origins)
    sizes = (f"{len(everyone.label):,}", f"{everyone.label.sum():,.0f}", "")
    for told, place in (("all PR-AUC", _PRECISION), ("all ROC-AUC", _ROC)):
        cells = (f"{everyone.figures(model)[place]:.4f}" for model in models)
        lines.append(_row((told, *sizes, *cells)))
    for peer in models:
        if peer != OURS:
            gain = gains(everyone, peer, resamples, seed)
            told = ", ".join(
                f"{label} {value:+.4f} ({low:+.4f} to {high:+.4f})"
                for label, (value, low, high) in (
                    ("PR-AUC", gain["average_precision"]),
                    ("ROC-AUC", gain["roc_auc"]),
                )
            )
            lines.append(f"{OURS} less {peer}: {told}")
    return lines


def _row(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<12}" + "".join(f" {cell:>13}" for cell in cells[1:])
