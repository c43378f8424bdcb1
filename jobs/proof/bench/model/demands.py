"""What is asked of the models on a synthetic shop, where the best that can be done is known.

These limits are for us who choose features and settings; what a model must show before it serves on
a log whose truth nobody knows stands in propensity.gates of the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.proof.ceiling import CLAIRVOYANT, ORACLE
from jobs.propensity.scores import EVERYONE, OURS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Asked:
    """Limits of one target.

    Parameters
    ----------
    ratio
        PR-AUC over the history oracle's, at least.
    excess
        Log-loss over the oracle's less 1, at most.
    roc_gap
        ROC-AUC of the oracle less ours, at most.
    xgboost
        Log-loss less that of XGBoost on the same rows, at most.
    ece
        Expected calibration error on the later slice, at most.
    sums
        Distance of observed over expected from 1, at most.
    """

    ratio: float
    excess: float
    roc_gap: float
    xgboost: float
    ece: float
    sums: float


ASKED = {
    "purchase_7d": Asked(0.90, 0.015, 0.012, 0.0005, 0.004, 0.10),
    "churn_14d": Asked(0.985, 0.012, 0.007, 0.0025, 0.010, 0.03),
}
LEAST_POSITIVES = 3_000
LEAST_ROWS = 50_000
# Of observed over expected in every country and channel.
SEGMENT_SUMS = 0.15


def held_against(metrics: pd.DataFrame, target: str) -> list[dict[str, Any]]:
    """Hold the figures of one model on its test slice against what is asked.

    Parameters
    ----------
    metrics
        Rows of model_metrics of one model, judged beside the history oracle.
    target
        One of ASKED.

    Returns
    -------
    list of dict
        target, name, figure, low, high (None where there is no interval), limit, side (at least, at
        most, or within: of 0) and met.
    """
    asked, found = ASKED[target], []
    test = metrics[(metrics["split"] == "test") & (metrics["point"] == 0)]
    overall = test[test["segment"] == EVERYONE].set_index(["model", "metric"])

    def figure(metric: str, model: str = OURS, column: str = "value") -> float:
        return float(overall[column][model, metric])

    def add(name: str, value: float, side: str, limit: float, *interval: float) -> None:
        low, high = interval or (None, None)
        is_met = {
            "at least": value >= limit,
            "at most": value <= limit,
            "within": abs(value) <= limit,
        }
        found.append(
            {"target": target, "name": name, "figure": value, "low": low, "high": high}
            | {"side": side, "limit": limit, "met": bool(is_met[side])}
        )

    def ends(metric: str, model: str) -> tuple[float, float]:
        return figure(metric, model, "low"), figure(metric, model, "high")

    add("positives", figure("positives"), "at least", LEAST_POSITIVES)
    add("rows", figure("positives", column="rows"), "at least", LEAST_ROWS)
    ratio = figure("average_precision") / figure("average_precision", ORACLE)
    interval = ends("average_precision_ratio", ORACLE)
    add("PR-AUC : oracle", ratio, "at least", asked.ratio, *interval)
    best = figure("log_loss", ORACLE)
    low, high = (end / best for end in ends("log_loss_gain", ORACLE))
    add("log-loss over oracle", figure("log_loss") / best - 1, "at most", asked.excess, low, high)
    low, high = (-end for end in ends("roc_auc_gain", ORACLE))
    gap = figure("roc_auc", ORACLE) - figure("roc_auc")
    add("ROC-AUC below oracle", gap, "at most", asked.roc_gap, high, low)
    more = figure("log_loss") - figure("log_loss", "xgboost")
    add("log-loss over XGBoost", more, "at most", asked.xgboost, *ends("log_loss_gain", "xgboost"))
    models = set(overall.index.get_level_values("model")) - {ORACLE, CLAIRVOYANT}
    nearest = min(figure("log_loss", model) for model in models)
    add("best log-loss over oracle", nearest / best - 1, "at least", 0.0)
    add("ECE", figure("ece"), "at most", asked.ece)
    sums = figure("observed_to_expected") - 1
    low, high = (end - 1 for end in (ends("observed_to_expected", OURS)))
    add("observed : expected - 1", sums, "within", asked.sums, low, high)
    parts = test[
        test["segment"].str.match("(country|channel)=") & (test["metric"] == "observed_to_expected")
    ]
    worst = max((float(value) - 1 for value in parts["value"]), key=abs)
    add("... worst country or channel", worst, "within", SEGMENT_SUMS)
    return found
