"""Every figure of a model that goes into model_metrics, from what was fitted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from jobs.propensity import evaluation, explanation, features, judging
from jobs.propensity.scores import Metric

if TYPE_CHECKING:
    from jobs.propensity.judging import Judged
    from jobs.propensity.model_fit import Fitted
    from jobs.propensity.settings import PropensitySettings, TargetSettings
    from jobs.propensity.thinning import SliceSize


def every_figure(
    fitted: Fitted,
    sizes: dict[str, SliceSize],
    settings: PropensitySettings,
    own: TargetSettings,
    others: judging.Ceiling | None,
) -> tuple[Judged, list[Metric]]:
    """Judge a model and its peers, and say what it leans on.

    Parameters
    ----------
    own
        Settings of the target.
    others
        Probabilities of those who come from elsewhere, as for `judging.judge`.

    Returns
    -------
    tuple
        What the gates read, and the rows of model_metrics.
    """
    judged = judging.judge(
        fitted.later,
        fitted.trees,
        fitted.choice.calibration,
        fitted.peers,
        settings,
        own,
        others,
        fitted.margin_shift,
    )
    return judged, [
        *evaluation.size_figures("train", *asdict(sizes["train"]).values()),
        *judged.metrics,
        *_stages(fitted.choice.losses),
        *explanation.importance(
            fitted.trees,
            features.vector_names(fitted.encoder),
            fitted.model.featureImportances.toArray(),
            fitted.later["test"],
            own.boosting.seed,
        ),
    ]


def _stages(losses: dict[int, float]) -> list[Metric]:
    return [
        Metric("calibrate", "log_loss_by_trees", loss, count, float(count))
        for count, loss in losses.items()
    ]
