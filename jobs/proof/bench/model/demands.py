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


# Of log-loss, and of churn's ROC-AUC, the limits are wider than before the shop had its final form
# (1.5 and 1.2 %, .007). On it the best of six other models comes to 1.9-2.1 and 2.4-2.6 % (seeds
# 302 to 304), XGBoost tuned by hand to 1.6-2.0 and 2.1-2.3 %, and counts that fade at five speeds,
# as more features, change that by less than .1: what lacks is rows to learn from.
ASKED = {
    "purchase_7d": Asked(0.90, 0.025, 0.012, 0.0005, 0.004, 0.10),
    "churn_14d": Asked(0.985, 0.028, 0.013, 0.0025, 0.010, 0.03),
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
        most, or within: of 0) and met. Where there is an interval, it must reach what is asked: a
        miss is one of the whole interval, not of chance.
    """
    asked, found = ASKED[target], []
    test = metrics[(metrics["split"] == "test") & (metrics["point"] == 0)]
    overall = test[test["segment"] == EVERYONE].set_index(["model", "metric"])

    def figure(metric: str, model: str = OURS, column: str = "value") -> float:
        return float(overall[column][model, metric])

    def add(name: str, value: float, side: str, limit: float, *interval: float) -> None:
        low, high = interval or (value, value)
        is_met = {
            "at least": high >= limit,
            "at most": low <= limit,
            "within": low <= limit and high >= -limit,
        }
        ends = {"low": low, "high": high} if interval else {"low": None, "high": None}
        found.append(
            {"target": target, "name": name, "figure": value, **ends}
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
    add("... worst country or channel", *_worst_segment(test))
    return found


def _worst_segment(test: pd.DataFrame) -> tuple[float, str, float, float, float]:
    """Observed over expected less 1 of the segment that is surest to be off, with its interval."""
    is_segment = test["segment"].str.match("(country|channel)=")
    parts = test[is_segment & (test["metric"] == "observed_to_expected")].set_index("segment")
    off = parts[["value", "low", "high"]].astype(float) - 1
    worst = off["low"].combine(-off["high"], max).idxmax()
    return off["value"][worst], "within", SEGMENT_SUMS, off["low"][worst], off["high"][worst]
